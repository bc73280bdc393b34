use std::collections::HashSet;

use echorift_accounts::Accounts;
use echorift_rooms::EventMatcher;
use echorift_storage::UserNumber;
use echorift_web::MatrixError;
use ruma::{
    OwnedRoomId, RoomId,
    api::client::{
        filter::{Filter as TypesFilter, FilterDefinition, LazyLoadOptions, RoomEventFilter},
        sync::sync_events::v3::{Filter, Request},
    },
};

/// Timeline events of a room, if the filter does not say.
const TIMELINE_LIMIT: usize = 10;
/// Timeline events of a room, whatever the filter says; there is `/messages` for the rest.
const TIMELINE_LIMIT_MAX: usize = 200;

/// What a client wants to hear of, from its filter and parameters.
pub(crate) struct Options {
    pub timeline: EventMatcher,
    pub timeline_limit: usize,
    pub state: EventMatcher,
    pub ephemeral: RoomTypes,
    pub room_account_data: RoomTypes,
    pub account_data: Types,
    pub presence: Types,
    /// Member events only of those who appear in the timeline; with `true` also if they were sent before.
    pub lazy_members: Option<bool>,
    pub unread_threads: bool,
    pub include_leave: bool,
    pub full_state: bool,
    pub use_state_after: bool,
    rooms: Option<HashSet<OwnedRoomId>>,
    not_rooms: HashSet<OwnedRoomId>,
}

/// A filter by type, where `*` stands for any text.
#[derive(Debug, Default)]
pub(crate) struct Types {
    types: Option<Vec<String>>,
    not_types: Vec<String>,
}

/// A filter by type and room.
pub(crate) struct RoomTypes {
    types: Types,
    rooms: Option<Vec<OwnedRoomId>>,
    not_rooms: Vec<OwnedRoomId>,
}

impl Options {
    /// Errors: `M_INVALID_PARAM` for a filter ID that the user has not saved.
    pub async fn of(accounts: &Accounts, user: UserNumber, request: &Request) -> Result<Self, MatrixError> {
        let stored;
        let empty;
        let filter = match &request.filter {
            Some(Filter::FilterDefinition(filter)) => filter,
            Some(Filter::FilterId(id)) => {
                let unknown = || MatrixError::invalid_param("You have saved no filter with this ID.");
                stored = accounts.filter(user, id).await?.ok_or_else(unknown)?;
                &*stored
            }
            None => {
                empty = FilterDefinition::default();
                &empty
            }
        };
        let room = &filter.room;
        let limit = room
            .timeline
            .limit
            .and_then(|limit| usize::try_from(u64::from(limit)).ok());
        let lazy = |options: &LazyLoadOptions| match options {
            LazyLoadOptions::Enabled {
                include_redundant_members,
            } => Some(*include_redundant_members),
            LazyLoadOptions::Disabled => None,
        };
        Ok(Self {
            timeline: EventMatcher::new(&room.timeline),
            timeline_limit: limit.unwrap_or(TIMELINE_LIMIT).min(TIMELINE_LIMIT_MAX),
            state: EventMatcher::new(&room.state),
            ephemeral: RoomTypes::of(&room.ephemeral),
            room_account_data: RoomTypes::of(&room.account_data),
            account_data: Types::of(&filter.account_data),
            presence: Types::of(&filter.presence),
            lazy_members: lazy(&room.state.lazy_load_options)
                .or_else(|| lazy(&room.timeline.lazy_load_options)),
            unread_threads: room.timeline.unread_thread_notifications,
            include_leave: room.include_leave,
            full_state: request.full_state,
            use_state_after: request.use_state_after,
            rooms: room.rooms.as_ref().map(|rooms| rooms.iter().cloned().collect()),
            not_rooms: room.not_rooms.iter().cloned().collect(),
        })
    }

    /// Whether the client wants to hear of this room at all.
    pub fn wants_room(&self, room: &RoomId) -> bool {
        self.rooms.as_ref().is_none_or(|rooms| rooms.contains(room)) && !self.not_rooms.contains(room)
    }
}

impl Types {
    fn of(filter: &TypesFilter) -> Self {
        Self {
            types: filter.types.clone(),
            not_types: filter.not_types.clone(),
        }
    }

    pub fn wants(&self, event_type: &str) -> bool {
        let is_any = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern, event_type));
        self.types.as_deref().is_none_or(is_any) && !is_any(&self.not_types)
    }
}

impl RoomTypes {
    fn of(filter: &RoomEventFilter) -> Self {
        Self {
            types: Types {
                types: filter.types.clone(),
                not_types: filter.not_types.clone(),
            },
            rooms: filter.rooms.clone(),
            not_rooms: filter.not_rooms.clone(),
        }
    }

    pub fn wants(&self, room: &RoomId, event_type: &str) -> bool {
        self.rooms
            .as_ref()
            .is_none_or(|rooms| rooms.iter().any(|wanted| wanted == room))
            && !self.not_rooms.iter().any(|unwanted| unwanted == room)
            && self.types.wants(event_type)
    }
}

/// Whether `pattern`, in which `*` stands for any text, fits the whole of `text`.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, between)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in between {
        match rest.find(part).and_then(|at| rest.get(at + part.len()..)) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        let cases = [
            ("m.room.*", "m.room.member", true),
            ("m.room.*", "m.roo", false),
            ("*", "", true),
            ("*.member", "m.room.member", true),
            ("m.*.x.*", "m.a.x.b", true),
            ("m.*.x.*", "m.x.b", false),
            ("m.room", "m.room", true),
            ("m.room", "m.rooms", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
