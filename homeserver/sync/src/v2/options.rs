use std::{collections::HashSet, ops::Deref, sync::Arc};

use echorift_accounts::Accounts;
use echorift_rooms::{Event, EventMatcher, FilterText, RelationFilter};
use echorift_storage::UserNumber;
use echorift_web::MatrixError;
use quick_cache::sync::Cache;
use ruma::{
    OwnedRoomId, RoomId,
    api::client::{
        filter::{EventFormat, Filter as TypesFilter, FilterDefinition, LazyLoadOptions, RoomEventFilter},
        sync::sync_events::v3::{Filter, Request},
    },
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{event_fields::EventFields, event_format::federation_format};

/// Timeline events of a room, if the filter does not say.
const TIMELINE_LIMIT: usize = 10;
/// Timeline events of a room, whatever the filter says; there is `/messages` for the rest.
const TIMELINE_LIMIT_MAX: usize = 200;

/// How many saved filters are kept ready.
const CACHED_FILTERS: usize = 10_000;

/// Saved filters in use, by user and ID. A filter never changes, as its ID is its hash.
pub(crate) struct SavedFilters(Cache<(UserNumber, String), Arc<Wanted>>);

/// What a client wants to hear of, from its filter and parameters.
pub(crate) struct Options {
    wanted: Arc<Wanted>,
    pub full_state: bool,
    pub use_state_after: bool,
}

/// A filter, made ready for asking it often.
pub(crate) struct Wanted {
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
    is_of_federation: bool,
    /// `None` wants whole events.
    event_fields: Option<EventFields>,
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

/// The fields of a filter that ruma's type does not have.
#[derive(Default, Deserialize)]
struct Further {
    #[serde(default)]
    room: FurtherOfRoom,
}

#[derive(Default, Deserialize)]
struct FurtherOfRoom {
    #[serde(default)]
    timeline: RelationFilter,
}

impl SavedFilters {
    pub fn new() -> Self {
        Self(Cache::new(CACHED_FILTERS))
    }

    /// Errors: `M_INVALID_PARAM` for a filter ID that the user has not saved.
    async fn find(
        &self,
        accounts: &Accounts,
        user: UserNumber,
        id: &str,
    ) -> Result<Arc<Wanted>, MatrixError> {
        let key = (user, id.to_owned());
        if let Some(wanted) = self.0.get(&key) {
            return Ok(wanted);
        }
        let unknown = || MatrixError::invalid_param("You have saved no filter with this ID.");
        let text = accounts.filter_json(user, id).await?.ok_or_else(unknown)?;
        let bad = |error| MatrixError::invalid_param(format!("The saved filter does not fit: {error}."));
        let filter = serde_json::from_str(&text).map_err(bad)?;
        let further = serde_json::from_str(&text).map_err(bad)?;
        let wanted = Arc::new(Wanted::new(&filter, further));
        self.0.insert(key, Arc::clone(&wanted));
        Ok(wanted)
    }
}

impl Options {
    /// `text` is the request's filter as it was sent. Errors: `M_INVALID_PARAM` for a filter ID that the user has not
    /// saved.
    pub async fn of(
        (saved, accounts): (&SavedFilters, &Accounts),
        user: UserNumber,
        request: &Request,
        text: &FilterText,
    ) -> Result<Self, MatrixError> {
        let wanted = match &request.filter {
            Some(Filter::FilterId(id)) => saved.find(accounts, user, id).await?,
            Some(Filter::FilterDefinition(filter)) => Arc::new(Wanted::new(filter, text.read()?)),
            None => Arc::new(Wanted::new(&FilterDefinition::default(), Further::default())),
        };
        Ok(Self {
            wanted,
            full_state: request.full_state,
            use_state_after: request.use_state_after,
        })
    }
}

impl Deref for Options {
    type Target = Wanted;

    fn deref(&self) -> &Wanted {
        &self.wanted
    }
}

impl Wanted {
    fn new(filter: &FilterDefinition, further: Further) -> Self {
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
        Self {
            timeline: EventMatcher::new(&room.timeline).with_relations(further.room.timeline),
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
            is_of_federation: filter.event_format == EventFormat::Federation,
            event_fields: filter.event_fields.as_deref().map(EventFields::new),
            rooms: room.rooms.as_ref().map(|rooms| rooms.iter().cloned().collect()),
            not_rooms: room.not_rooms.iter().cloned().collect(),
        }
    }

    /// An event as the client wants it; `shown` is its form for clients.
    pub fn shape(&self, event: &Event, shown: Box<RawValue>) -> Box<RawValue> {
        let shown = match self.is_of_federation {
            true => federation_format(event, shown),
            false => shown,
        };
        match &self.event_fields {
            Some(fields) => fields.keep(shown),
            None => shown,
        }
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
