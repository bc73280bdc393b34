use std::sync::Arc;

use echorift_rooms::{Access, Reader, ReceiptKey, ReceiptKind, Room, RoomError, State};
use echorift_storage::{EventNumber, Position, UserNumber};
use imbl::OrdSet;

use super::{
    connection::{SentRoom, Standing},
    poll::Turn,
    room_state::{Asked, StateNews},
    windows::Wanted,
};
use crate::{Syncs, summary::heroes, timeline::Timeline, timeline::WantedEvents};

/// What is told of one room, before it is written out.
pub(crate) struct Plan<'a> {
    pub wanted: &'a Wanted,
    pub content: Content,
    /// What the client then has of the room.
    pub after: SentRoom,
    pub is_initial: bool,
    /// Whether the client did not know, or knew otherwise, that the room is a direct one.
    pub is_direct_new: bool,
    /// Whether there is anything to tell.
    pub is_told: bool,
}

/// What a room is told by.
pub(crate) enum Content {
    /// For who is or was in it.
    Inside(Box<Inside>),
    /// For who is invited or knocks.
    Stripped,
    /// Nothing is new.
    Nothing,
}

/// What is told of a room to who is or was in it.
pub(crate) struct Inside {
    pub timeline: Option<Timeline>,
    pub is_expanded: bool,
    pub state: State,
    pub news: StateNews,
    /// Who stands for the room, if it has no name and that is asked again.
    pub heroes: Option<Vec<UserNumber>>,
    /// The numbers of joined and invited members, if they may have changed and are the reader's business.
    pub counts: Option<(usize, usize)>,
}

impl Inside {
    /// The events that have to be at hand to write this.
    pub fn needed(&self) -> impl Iterator<Item = EventNumber> + '_ {
        let of_type =
            |is_needed: bool, event_type: &str| is_needed.then(|| self.state.get(event_type, "")).flatten();
        self.news
            .events
            .iter()
            .copied()
            .chain(of_type(self.asks_name(), "m.room.name"))
            .chain(of_type(self.news.is_avatar_new, "m.room.avatar"))
    }

    pub fn asks_name(&self) -> bool {
        self.news.is_name_new || self.heroes.is_some()
    }
}

/// A stretch of a room's timeline that is told of: after what the client knows (`None`: nothing) up to `to`.
struct Stretch {
    known: Option<Position>,
    to: Position,
    state: State,
}

impl Syncs {
    /// Finds out what is new of a room for a client that has `before` of it.
    pub(super) async fn plan_room<'a>(
        &self,
        turn: &Turn<'_>,
        wanted: &'a Wanted,
        before: Option<&SentRoom>,
        is_direct: bool,
    ) -> Result<Plan<'a>, RoomError> {
        let entry = &wanted.entry;
        let (room, at) = (&entry.room, entry.membership.position);
        let up_to = |before: &SentRoom| before.known_up_to(turn.known_position());
        let after = SentRoom {
            standing: entry.standing,
            is_dm: is_direct,
            behind: None,
            ..before.cloned().unwrap_or_else(|| SentRoom::nothing(wanted))
        };
        let is_direct_new = before.map_or(is_direct, |before| before.is_dm != is_direct);
        let mut plan = Plan {
            wanted,
            content: Content::Nothing,
            after,
            is_initial: false,
            is_direct_new,
            is_told: false,
        };
        match (entry.standing, before.map(|before| before.standing)) {
            (Standing::Joined, known) => {
                let view = room.view();
                let known = before.filter(|_| known == Some(Standing::Joined)).map(up_to);
                let stretch = Stretch {
                    known,
                    to: turn.now.position,
                    state: view.state.clone(),
                };
                let mut inside = self.plan_inside(turn, stretch, before, &mut plan).await?;
                if inside.news.are_members_new {
                    inside.counts = Some((view.members.joined.len(), view.members.invited.len()));
                    inside.heroes = Some(heroes(&view, turn.reader));
                } else if inside.news.is_name_new {
                    inside.heroes = Some(heroes(&view, turn.reader));
                }
                let has_read = known.is_some_and(|known| has_read_since(room, turn.reader.user, known));
                plan.is_told |= has_read;
                plan.content = Content::Inside(Box::new(inside));
            }
            (Standing::Left, Some(Standing::Left)) => {}
            (Standing::Left, known) => {
                let (known, before) = match known {
                    Some(Standing::Joined) => (before.map(up_to), before),
                    _ if self.was_joined(room, turn.reader).await? => (None, None),
                    // Who was never in learns that it is over, and nothing else.
                    _ => (Some(Position(at.0.saturating_sub(1))), None),
                };
                let stretch = Stretch {
                    known,
                    to: at,
                    state: self.rooms().state_at(room, at).await?,
                };
                let mut inside = self.plan_inside(turn, stretch, before, &mut plan).await?;
                let timeline = inside.timeline.get_or_insert_with(|| Timeline::empty(at));
                self.add_own_departure(&turn.matcher, room, at, timeline).await?;
                plan.is_told = true;
                plan.content = Content::Inside(Box::new(inside));
            }
            (Standing::Invited | Standing::Knocked, known) => {
                let is_same =
                    known == Some(entry.standing) && before.is_some_and(|before| at <= up_to(before));
                if !is_same {
                    plan.is_initial = true;
                    plan.is_told = true;
                    plan.content = Content::Stripped;
                    plan.after.timeline_limit = 0;
                }
            }
        }
        plan.is_told |= plan.is_direct_new;
        Ok(plan)
    }

    async fn plan_inside(
        &self,
        turn: &Turn<'_>,
        stretch: Stretch,
        before: Option<&SentRoom>,
        plan: &mut Plan<'_>,
    ) -> Result<Inside, RoomError> {
        let wanted = plan.wanted;
        let Stretch { known, to, state } = stretch;
        let room = &wanted.entry.room;
        let wanted_events = WantedEvents {
            reader: turn.reader,
            matcher: &turn.matcher,
            limit: usize::try_from(wanted.timeline_limit).unwrap_or(usize::MAX),
        };
        let before = before.filter(|_| known.is_some());
        let has_grown = before.is_some_and(|before| before.timeline_limit < wanted.timeline_limit);
        let is_from_scratch = known.is_none() || has_grown;
        let last = if wanted.entry.standing == Standing::Joined {
            room.view().position.min(to)
        } else {
            to
        };
        let timeline = match known {
            Some(known) if !is_from_scratch && last <= known => None,
            Some(known) if !is_from_scratch => {
                Some(self.read_timeline(wanted_events, room, Some(known), to).await?)
            }
            _ => Some(self.read_timeline(wanted_events, room, None, to).await?),
        };
        let is_limited = timeline.as_ref().is_some_and(|timeline| timeline.limited);
        let after = &mut plan.after;
        if is_from_scratch || is_limited {
            after.timeline_limit = if is_limited {
                wanted.timeline_limit
            } else {
                u32::MAX
            };
        }
        let (news, is_expanded) = match (known, before) {
            (Some(known), Some(before)) => {
                let changes = self.state_changes(room, (known, last), &state).await?;
                let asked = Asked {
                    now: &wanted.required_state,
                    before: &before.required_state,
                };
                let news = StateNews::since(changes, &state, asked, !is_limited);
                let keeps_track =
                    !news.has_lost_track && before.required_state.covers(&wanted.required_state);
                if !keeps_track {
                    after.required_state = Arc::clone(&wanted.required_state);
                }
                let is_old = |event: &Arc<echorift_rooms::Event>| event.position() <= known;
                let has_old = timeline
                    .as_ref()
                    .is_some_and(|timeline| timeline.events.iter().any(is_old));
                (news, has_grown && has_old)
            }
            (Some(known), None) => {
                // Only the last event is theirs to know.
                let changes = self.state_changes(room, (known, last), &state).await?;
                let asked = Asked {
                    now: &wanted.required_state,
                    before: &wanted.required_state,
                };
                (StateNews::since(changes, &state, asked, false), false)
            }
            (None, _) => {
                plan.is_initial = true;
                after.required_state = Arc::clone(&wanted.required_state);
                after.members = OrdSet::new();
                after.has_receipts = false;
                (StateNews::all(&state, &wanted.required_state), false)
            }
        };
        let has_events = timeline.as_ref().is_some_and(|timeline| {
            timeline
                .events
                .iter()
                .any(|event| known.is_none_or(|known| event.position() > known))
        });
        plan.is_told =
            plan.is_initial || is_expanded || has_events || (is_limited && !has_grown) || !news.is_empty();
        let mut inside = Inside {
            timeline,
            is_expanded,
            state,
            news,
            heroes: None,
            counts: None,
        };
        if wanted.required_state.lazy_members() {
            inside.add_lazy_members(&mut plan.after);
        }
        Ok(inside)
    }

    /// Whether the reader has been in a room that they are not in now.
    pub(super) async fn was_joined(&self, room: &Room, reader: &Reader) -> Result<bool, RoomError> {
        let access = self.rooms().find_access(room, reader).await?;
        Ok(matches!(access, Some(Access::Left { .. })))
    }
}

impl Inside {
    /// Adds the member events of those who sent the events of the timeline, or of whom they tell, as far as the client
    /// does not have them (MSC4186 § Lazy loaded memberships).
    fn add_lazy_members(&mut self, after: &mut SentRoom) {
        for event in self.timeline.iter().flat_map(|timeline| &timeline.events) {
            let target = event
                .pdu
                .state_key_pair()
                .filter(|_| event.pdu.type_name() == "m.room.member")
                .map(|(_, user)| user);
            for user in target.into_iter().chain([event.pdu.sender.as_str()]) {
                let Some(member) = self.state.get("m.room.member", user) else {
                    continue;
                };
                if after.is_news(member) && !self.news.events.contains(&member) {
                    self.news.events.push(member);
                }
            }
        }
    }
}

impl SentRoom {
    /// What a client has of a room that it was never told of.
    fn nothing(wanted: &Wanted) -> Self {
        Self {
            required_state: Arc::clone(&wanted.required_state),
            timeline_limit: 0,
            standing: wanted.entry.standing,
            is_dm: false,
            has_receipts: false,
            has_account_data: false,
            behind: None,
            members: OrdSet::new(),
        }
    }
}

/// Whether the reader sent a receipt after `known`, which may change the counts.
fn has_read_since(room: &Room, user: UserNumber, known: Position) -> bool {
    let first = ReceiptKey {
        user,
        kind: ReceiptKind::Public,
        thread: "".into(),
    };
    room.receipts()
        .all()
        .range(first..)
        .take_while(|(key, _)| key.user == user)
        .any(|(_, receipt)| receipt.position > known)
}
