use std::collections::HashSet;

use ruma::{
    OwnedRoomId, OwnedUserId, RoomId, UserId,
    api::client::filter::{Filter, RoomEventFilter, UrlFilter},
};
use serde::{Deserialize, de::IgnoredAny};

use crate::{Event, RelationFilter};

/// A filter of events, made ready for asking it often (CS API § Filtering).
#[derive(Debug, Default)]
pub struct EventMatcher {
    /// Whether there is any condition at all; without one nothing needs to be looked at.
    has_conditions: bool,
    types: Option<TypePatterns>,
    not_types: TypePatterns,
    senders: Option<HashSet<OwnedUserId>>,
    not_senders: HashSet<OwnedUserId>,
    rooms: Option<HashSet<OwnedRoomId>>,
    not_rooms: HashSet<OwnedRoomId>,
    has_url: Option<bool>,
    relations: RelationFilter,
}

impl EventMatcher {
    pub fn new(filter: &RoomEventFilter) -> Self {
        let has_url = filter.url_filter.as_ref().map(|url| match url {
            UrlFilter::EventsWithUrl => true,
            UrlFilter::EventsWithoutUrl => false,
        });
        let matcher = Self {
            has_conditions: true,
            types: filter.types.as_deref().map(TypePatterns::new),
            not_types: TypePatterns::new(&filter.not_types),
            senders: filter
                .senders
                .as_ref()
                .map(|users| users.iter().cloned().collect()),
            not_senders: filter.not_senders.iter().cloned().collect(),
            rooms: filter.rooms.as_ref().map(|rooms| rooms.iter().cloned().collect()),
            not_rooms: filter.not_rooms.iter().cloned().collect(),
            has_url,
            relations: RelationFilter::default(),
        };
        matcher.finish()
    }

    /// The matcher of a filter for what belongs to no room (presence, account data).
    pub fn without_rooms(filter: &Filter) -> Self {
        let matcher = Self {
            types: filter.types.as_deref().map(TypePatterns::new),
            not_types: TypePatterns::new(&filter.not_types),
            senders: filter
                .senders
                .as_ref()
                .map(|users| users.iter().cloned().collect()),
            not_senders: filter.not_senders.iter().cloned().collect(),
            ..Self::default()
        };
        matcher.finish()
    }

    /// Wants of events also that others relate to them. [`EventMatcher::matches`] does not look at that:
    /// [`crate::Rooms::retain_related`] does.
    #[must_use]
    pub fn with_relations(self, relations: RelationFilter) -> Self {
        Self { relations, ..self }.finish()
    }

    pub(crate) fn relations(&self) -> &RelationFilter {
        &self.relations
    }

    fn finish(self) -> Self {
        let excludes_nothing =
            self.not_types.is_empty() && self.not_senders.is_empty() && self.not_rooms.is_empty();
        let includes_all = self.types.is_none()
            && self.senders.is_none()
            && self.rooms.is_none()
            && self.has_url.is_none()
            && self.relations.matches_all();
        Self {
            has_conditions: !(excludes_nothing && includes_all),
            ..self
        }
    }

    /// Whether every event of every room matches.
    pub fn matches_all(&self) -> bool {
        !self.has_conditions
    }

    pub fn matches(&self, event: &Event) -> bool {
        !self.has_conditions
            || (self.matches_room(&event.pdu.room_id)
                && self.matches_sender(&event.pdu.sender)
                && self.matches_type(&event.pdu.event_type.to_string())
                && self.has_url.is_none_or(|wanted| has_url(event) == wanted))
    }

    pub fn matches_room(&self, room: &RoomId) -> bool {
        !self.not_rooms.contains(room) && self.rooms.as_ref().is_none_or(|rooms| rooms.contains(room))
    }

    pub fn matches_sender(&self, sender: &UserId) -> bool {
        !self.not_senders.contains(sender)
            && self
                .senders
                .as_ref()
                .is_none_or(|senders| senders.contains(sender))
    }

    pub fn matches_type(&self, event_type: &str) -> bool {
        !self.not_types.matches(event_type)
            && self.types.as_ref().is_none_or(|types| types.matches(event_type))
    }
}

fn has_url(event: &Event) -> bool {
    #[derive(Deserialize)]
    struct Content {
        url: Option<IgnoredAny>,
    }
    event
        .pdu
        .content_as::<Content>()
        .is_ok_and(|content| content.url.is_some())
}

/// Event types, some with wildcards.
#[derive(Debug, Default)]
struct TypePatterns {
    exact: HashSet<String>,
    /// The pieces between the stars; at least two each.
    globs: Vec<Vec<String>>,
}

impl TypePatterns {
    fn new(patterns: &[String]) -> Self {
        let mut compiled = Self::default();
        for pattern in patterns {
            if pattern.contains('*') {
                compiled
                    .globs
                    .push(pattern.split('*').map(ToOwned::to_owned).collect());
            } else {
                compiled.exact.insert(pattern.clone());
            }
        }
        compiled
    }

    fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.globs.is_empty()
    }

    fn matches(&self, text: &str) -> bool {
        self.exact.contains(text) || self.globs.iter().any(|pieces| matches_pieces(pieces, text))
    }
}

/// Whether `text` is the pieces in their order with anything in between. Takes the first place for each piece, which
/// is as good as any other, so that no pattern is slow.
fn matches_pieces(pieces: &[String], text: &str) -> bool {
    let [first, middle @ .., last] = pieces else {
        return false;
    };
    let Some(mut rest) = text.strip_prefix(first.as_str()) else {
        return false;
    };
    for piece in middle {
        match rest.split_once(piece.as_str()) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types(types: &[&str], not_types: &[&str]) -> EventMatcher {
        let owned = |types: &[&str]| types.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let filter = RoomEventFilter {
            types: Some(owned(types)),
            not_types: owned(not_types),
            ..RoomEventFilter::default()
        };
        EventMatcher::new(&filter)
    }

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, text, expected) in [
            ("m.room.*", "m.room.message", true),
            ("m.room.*", "m.room.", true),
            ("m.room.*", "m.reaction", false),
            ("*", "anything", true),
            ("*.message", "m.room.message", true),
            ("*.message", "m.room.messages", false),
            ("m.*.m*e", "m.room.message", true),
            ("a*a", "a", false),
            ("a**b", "ab", true),
            ("a*bc*c", "abc", false),
            ("m.room.message", "m.room.message", true),
            ("m.room.messag?", "m.room.message", false),
        ] {
            assert_eq!(
                types(&[pattern], &[]).matches_type(text),
                expected,
                "{pattern} {text}"
            );
        }
    }

    #[test]
    fn exclusion_wins_over_inclusion_and_an_empty_list_includes_nothing() {
        let matcher = types(&["m.room.*"], &["m.room.member"]);
        assert!(matcher.matches_type("m.room.message"));
        assert!(!matcher.matches_type("m.room.member"));
        assert!(!types(&[], &[]).matches_type("m.room.message"));
        assert!(EventMatcher::new(&RoomEventFilter::default()).matches_all());
    }
}
