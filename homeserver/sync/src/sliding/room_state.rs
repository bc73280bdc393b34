use std::sync::Arc;

use echorift_rooms::{Room, RoomError, State, StateChange};
use echorift_storage::{EventNumber, Position};

use super::required_state::Combined;
use crate::Syncs;

/// What of a room's state a client is told.
#[derive(Debug, Default)]
pub(crate) struct StateNews {
    pub events: Vec<EventNumber>,
    /// Keys (`type NUL state key`) whose event is there no more.
    pub removed: Vec<Arc<str>>,
    pub is_name_new: bool,
    pub is_avatar_new: bool,
    pub are_members_new: bool,
    /// Something changed that the client was told of before and does not ask for now.
    pub has_lost_track: bool,
}

/// What a client asks of a room's state now, and what it asked when it was last told.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub now: &'a Combined,
    pub before: &'a Combined,
}

impl StateNews {
    /// Everything that is asked for, for who knows nothing.
    pub fn all(state: &State, asked: &Combined) -> Self {
        Self {
            events: asked.select(state, None),
            is_name_new: true,
            is_avatar_new: true,
            are_members_new: true,
            ..Self::default()
        }
    }

    /// What changed, and what is asked for the first time. `is_gapless`: with lazy loading, a client that hears of
    /// every event keeps its list of members current by every change to it (MSC4186 § Lazy loaded memberships).
    pub fn since(changes: Vec<StateChange>, state: &State, asked: Asked<'_>, is_gapless: bool) -> Self {
        let mut news = Self::default();
        for change in changes {
            let Some((event_type, state_key)) = change.key.split_once('\0') else {
                continue;
            };
            let is_member = event_type == "m.room.member";
            news.are_members_new |= is_member;
            news.is_name_new |= event_type == "m.room.name" && state_key.is_empty();
            news.is_avatar_new |= event_type == "m.room.avatar" && state_key.is_empty();
            let is_lazy = is_member && is_gapless && asked.now.lazy_members();
            if asked.now.matches(event_type, state_key) || is_lazy {
                match change.after {
                    Some(event) => news.events.push(event),
                    None => news.removed.push(change.key),
                }
            } else if asked.before.matches(event_type, state_key) {
                news.has_lost_track = true;
            }
        }
        if asked.now != asked.before && !asked.before.covers(asked.now) {
            for event in asked.now.select(state, Some(asked.before)) {
                if !news.events.contains(&event) {
                    news.events.push(event);
                }
            }
        }
        news
    }

    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
            && self.removed.is_empty()
            && !self.is_name_new
            && !self.is_avatar_new
            && !self.are_members_new
    }
}

impl Syncs {
    /// What changed in a room's state between `after` and `state`, which is the one after the event at `to`.
    ///
    /// From memory, unless the state of then has to be loaded; not even looked at if nothing but messages came since.
    pub(super) async fn state_changes(
        &self,
        room: &Room,
        (after, to): (Position, Position),
        state: &State,
    ) -> Result<Vec<StateChange>, RoomError> {
        if to <= after {
            return Ok(Vec::new());
        }
        let first = room
            .recent(after, to)
            .and_then(|events| events.into_iter().next());
        let is_same = first.is_some_and(|event| !event.pdu.is_state() && event.snapshot == state.snapshot);
        if is_same {
            return Ok(Vec::new());
        }
        let known = self.rooms().state_at(room, after).await?;
        Ok(known.changes_to(state))
    }
}

#[cfg(test)]
mod tests {
    use echorift_rooms::key_of;

    use super::*;
    use crate::sliding::required_state::{Element, RequiredState};

    fn asks(pairs: &[(&str, Option<&str>)], lazy_members: bool) -> Combined {
        let element = |(event_type, key): &(&str, Option<&str>)| {
            Element(Some((*event_type).to_owned()), key.map(ToOwned::to_owned))
        };
        let rule = RequiredState {
            include: pairs.iter().map(element).collect(),
            exclude: Vec::new(),
            lazy_members,
        };
        Combined::new(vec![Arc::new(rule.normalised())])
    }

    fn state() -> State {
        let mut state = State::default();
        state.insert("m.room.topic", "", EventNumber(1));
        state.insert("m.room.member", "@a:x", EventNumber(2));
        state.insert("m.room.name", "", EventNumber(3));
        state
    }

    #[test]
    fn changes_are_told_as_far_as_they_are_asked_for() {
        let before = state();
        let mut after = before.clone();
        after.insert("m.room.name", "", EventNumber(9));
        after.insert("m.room.member", "@b:x", EventNumber(10));
        after.remove_key(&key_of("m.room.topic", ""));
        let tell = |wanted: &Combined, is_gapless| {
            let asked = Asked {
                now: wanted,
                before: wanted,
            };
            StateNews::since(before.changes_to(&after), &after, asked, is_gapless)
        };
        let topics = tell(&asks(&[("m.room.topic", None)], false), true);
        assert!(topics.events.is_empty() && topics.removed.len() == 1);
        assert!(topics.is_name_new && topics.are_members_new && !topics.is_avatar_new);
        let lazy = asks(&[], true);
        assert_eq!(tell(&lazy, true).events, [EventNumber(10)]);
        assert!(
            tell(&lazy, false).events.is_empty(),
            "a gap empties the client's list anyway"
        );
    }

    #[test]
    fn a_wider_question_is_answered_at_once_and_a_narrower_one_is_noticed() {
        let state = state();
        let narrow = asks(&[("m.room.topic", None)], false);
        let wide = asks(&[("m.room.topic", None), ("m.room.name", None)], false);
        let widened = Asked {
            now: &wide,
            before: &narrow,
        };
        assert_eq!(
            StateNews::since(Vec::new(), &state, widened, true).events,
            [EventNumber(3)]
        );
        let narrowed = Asked {
            now: &narrow,
            before: &wide,
        };
        assert!(StateNews::since(Vec::new(), &state, narrowed, true).is_empty());
        let mut later = state.clone();
        later.insert("m.room.name", "", EventNumber(9));
        let news = StateNews::since(state.changes_to(&later), &later, narrowed, true);
        assert!(news.has_lost_track && news.events.is_empty());
    }
}
