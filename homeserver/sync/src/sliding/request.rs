use std::{collections::BTreeMap, sync::Arc, time::Duration};

use echorift_web::MatrixError;
use ruma::{
    OwnedRoomId, UserId, api::client::sync::sync_events::v5::request::Extensions, presence::PresenceState,
};
use serde::Deserialize;

use super::required_state::{Element, RequiredState};

/// Of lists and of room subscriptions each (MSC4186 § Top-level).
const RULES_MAX: usize = 100;
/// Windows of one list. The proposal has come down to one; clients of its predecessor use a few.
const RANGES_MAX: usize = 20;
/// Timeline events of a room, whatever the client asks; there is `/messages` for the rest.
const TIMELINE_LIMIT_MAX: u64 = 100;
/// Elements of required state in one request: what is remembered of them is bounded by that.
const ELEMENTS_MAX: usize = 2_000;
/// Of types, state keys and names of all sorts (CS API § Size limits).
const TEXT_BYTES_MAX: usize = 255;

/// In whose words the client speaks: those of the proposal, or those that clients used before it came to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Unstable,
    V4,
}

/// What stands in the query string for clients of the older form.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct QueryPart {
    pos: Option<String>,
    timeout: Option<u64>,
    set_presence: Option<PresenceState>,
}

/// The body, in either form.
#[derive(Debug, Deserialize)]
pub(crate) struct BodyPart {
    #[serde(default)]
    conn_id: Option<String>,
    pos: Option<String>,
    txn_id: Option<String>,
    timeout: Option<u64>,
    set_presence: Option<PresenceState>,
    #[serde(default)]
    lists: BTreeMap<String, ListPart>,
    #[serde(default)]
    room_subscriptions: BTreeMap<OwnedRoomId, RoomPart>,
    #[serde(default)]
    extensions: Extensions,
}

#[derive(Debug, Deserialize)]
struct ListPart {
    timeline_limit: u64,
    #[serde(default)]
    required_state: RequiredStatePart,
    range: Option<(u64, u64)>,
    ranges: Option<Vec<(u64, u64)>>,
    filters: Option<Filters>,
}

#[derive(Debug, Deserialize)]
struct RoomPart {
    timeline_limit: u64,
    #[serde(default)]
    required_state: RequiredStatePart,
}

/// Pairs of type and state key, or the proposal's own form.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum RequiredStatePart {
    Pairs(Vec<(String, String)>),
    Described {
        #[serde(default)]
        include: Vec<ElementPart>,
        #[serde(default)]
        exclude: Vec<ElementPart>,
        #[serde(default)]
        lazy_members: bool,
    },
}

impl Default for RequiredStatePart {
    fn default() -> Self {
        Self::Pairs(Vec::new())
    }
}

#[derive(Debug, Deserialize)]
struct ElementPart {
    #[serde(rename = "type")]
    event_type: Option<String>,
    state_key: Option<String>,
}

/// Which rooms a list is of (MSC4186 § `SlidingRoomFilter`).
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Filters {
    pub is_dm: Option<bool>,
    pub spaces: Option<Vec<OwnedRoomId>>,
    pub is_encrypted: Option<bool>,
    #[serde(alias = "is_invite")]
    pub is_invited: Option<bool>,
    /// Ordinary rooms have no type: `None`.
    pub room_types: Option<Vec<Option<String>>>,
    pub not_room_types: Option<Vec<Option<String>>>,
    pub tags: Option<Vec<String>>,
    pub not_tags: Option<Vec<String>>,
}

/// What a client wants to be told.
pub(crate) struct Wishes {
    pub dialect: Dialect,
    pub conn_id: String,
    pub pos: Option<String>,
    pub txn_id: Option<String>,
    pub timeout: Duration,
    pub set_presence: PresenceState,
    pub lists: Vec<ListWish>,
    pub subscriptions: BTreeMap<OwnedRoomId, RoomConfig>,
    pub extensions: Extensions,
}

/// A list, and which parts of it the client looks at.
pub(crate) struct ListWish {
    pub name: String,
    /// First and last place, both included; `None` for the whole list.
    pub ranges: Option<Vec<(usize, usize)>>,
    pub config: RoomConfig,
    pub filters: Filters,
}

/// What a rule wants of the rooms that match it.
#[derive(Debug, Clone)]
pub(crate) struct RoomConfig {
    pub timeline_limit: u32,
    pub required_state: Arc<RequiredState>,
}

impl Wishes {
    /// Errors: `M_INVALID_PARAM` for what is out of bounds or makes no sense.
    pub fn new(dialect: Dialect, query: QueryPart, body: BodyPart, me: &UserId) -> Result<Self, MatrixError> {
        check_text(body.conn_id.as_deref().unwrap_or_default(), "conn_id")?;
        if body.lists.len() > RULES_MAX || body.room_subscriptions.len() > RULES_MAX {
            return Err(MatrixError::invalid_param(format!(
                "A request may have {RULES_MAX} lists and {RULES_MAX} room subscriptions at most."
            )));
        }
        let mut elements = 0;
        let mut lists = Vec::with_capacity(body.lists.len());
        for (name, list) in body.lists {
            check_list_name(dialect, &name)?;
            lists.push(ListWish {
                ranges: ranges(list.range, list.ranges)?,
                config: config(list.timeline_limit, list.required_state, me, &mut elements)?,
                filters: list.filters.unwrap_or_default(),
                name,
            });
        }
        let mut subscriptions = BTreeMap::new();
        for (room, part) in body.room_subscriptions {
            let config = config(part.timeline_limit, part.required_state, me, &mut elements)?;
            subscriptions.insert(room, config);
        }
        if elements > ELEMENTS_MAX {
            return Err(MatrixError::invalid_param(format!(
                "A request may name {ELEMENTS_MAX} pieces of required state at most."
            )));
        }
        let set_presence = query.set_presence.or(body.set_presence);
        let set_presence = set_presence.unwrap_or(PresenceState::Online);
        if !matches!(
            set_presence,
            PresenceState::Online | PresenceState::Unavailable | PresenceState::Offline
        ) {
            return Err(MatrixError::invalid_param(
                "A presence is online, unavailable or offline.",
            ));
        }
        Ok(Self {
            dialect,
            conn_id: body.conn_id.unwrap_or_default(),
            pos: query.pos.or(body.pos),
            txn_id: body.txn_id,
            timeout: Duration::from_millis(query.timeout.or(body.timeout).unwrap_or(0)),
            set_presence,
            lists,
            subscriptions,
            extensions: body.extensions,
        })
    }
}

fn check_text(text: &str, what: &str) -> Result<(), MatrixError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(MatrixError::invalid_param(format!(
            "`{what}` may have {TEXT_BYTES_MAX} bytes at most."
        )));
    }
    Ok(())
}

/// An opaque identifier (CS API § Opaque Identifiers); clients of the older form were never told so.
fn check_list_name(dialect: Dialect, name: &str) -> Result<(), MatrixError> {
    check_text(name, "lists")?;
    let is_opaque = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if dialect == Dialect::V4 && (name.is_empty() || !name.bytes().all(is_opaque)) {
        return Err(MatrixError::invalid_param(format!(
            "{name:?} cannot name a list."
        )));
    }
    Ok(())
}

fn ranges(
    range: Option<(u64, u64)>,
    ranges: Option<Vec<(u64, u64)>>,
) -> Result<Option<Vec<(usize, usize)>>, MatrixError> {
    let Some(ranges) = range.map(|range| vec![range]).or(ranges) else {
        return Ok(None);
    };
    if ranges.len() > RANGES_MAX {
        return Err(MatrixError::invalid_param(format!(
            "A list may have {RANGES_MAX} ranges at most."
        )));
    }
    if ranges.iter().any(|(first, last)| first > last) {
        return Err(MatrixError::invalid_param("A range ends before it begins."));
    }
    let place = |place: u64| usize::try_from(place).unwrap_or(usize::MAX);
    let places = ranges
        .into_iter()
        .map(|(first, last)| (place(first), place(last)));
    Ok(Some(places.collect()))
}

fn config(
    timeline_limit: u64,
    required_state: RequiredStatePart,
    me: &UserId,
    elements: &mut usize,
) -> Result<RoomConfig, MatrixError> {
    let required_state = match required_state {
        RequiredStatePart::Pairs(pairs) => from_pairs(pairs, me),
        RequiredStatePart::Described {
            include,
            exclude,
            lazy_members,
        } => {
            let element = |part: ElementPart| Element(part.event_type, part.state_key);
            RequiredState {
                include: include.into_iter().map(element).collect(),
                exclude: exclude.into_iter().map(element).collect(),
                lazy_members,
            }
        }
    };
    *elements += required_state.include.len() + required_state.exclude.len();
    for element in required_state.include.iter().chain(&required_state.exclude) {
        check_text(element.0.as_deref().unwrap_or_default(), "required_state")?;
        check_text(element.1.as_deref().unwrap_or_default(), "required_state")?;
    }
    Ok(RoomConfig {
        timeline_limit: u32::try_from(timeline_limit.min(TIMELINE_LIMIT_MAX)).unwrap_or(u32::MAX),
        required_state: Arc::new(required_state.normalised()),
    })
}

/// The older form: `*` stands for any type or state key, `$ME` for the user, `$LAZY` for the members that the timeline
/// speaks of.
fn from_pairs(pairs: Vec<(String, String)>, me: &UserId) -> RequiredState {
    let mut required = RequiredState::default();
    let mut has_all_members = false;
    for (event_type, state_key) in pairs {
        let is_member = event_type == "m.room.member";
        if is_member && state_key == "$LAZY" {
            required.lazy_members = true;
            continue;
        }
        has_all_members |= is_member && state_key == "*";
        let event_type = Some(event_type).filter(|event_type| event_type != "*");
        let state_key = match state_key.as_str() {
            "*" => None,
            "$ME" => Some(me.to_string()),
            _ => Some(state_key),
        };
        required.include.push(Element(event_type, state_key));
    }
    required.lazy_members &= !has_all_members;
    required
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use ruma::user_id;
    use serde_json::{Value, json};

    use super::*;

    fn read(dialect: Dialect, body: Value) -> Result<Wishes, String> {
        let body = serde_json::from_value(body).map_err(|error| error.to_string())?;
        Wishes::new(dialect, QueryPart::default(), body, user_id!("@me:x"))
            .map_err(|error| error.errcode().to_owned())
    }

    fn list(part: Value) -> Value {
        let mut list = json!({ "timeline_limit": 1, "required_state": [] });
        if let Value::Object(part) = part {
            list.as_object_mut().unwrap().extend(part);
        }
        json!({ "lists": { "a": list } })
    }

    #[test]
    fn both_forms_say_the_same() {
        let old = json!({ "ranges": [[0, 9]], "filters": { "is_invite": true },
            "required_state": [["m.room.create", ""], ["m.room.member", "$LAZY"], ["m.room.member", "$ME"], ["x", "*"]] });
        let new = json!({ "range": [0, 9], "filters": { "is_invited": true }, "required_state": { "lazy_members": true,
            "include": [{ "type": "m.room.create", "state_key": "" }, { "type": "x" },
                        { "type": "m.room.member", "state_key": "@me:x" }] } });
        let old = read(Dialect::Unstable, list(old)).unwrap();
        let new = read(Dialect::V4, list(new)).unwrap();
        let (old, new) = (old.lists.first().unwrap(), new.lists.first().unwrap());
        assert_eq!(old.config.required_state, new.config.required_state);
        assert_eq!(old.ranges, new.ranges);
        assert_eq!(old.filters.is_invited, new.filters.is_invited);
    }

    #[test]
    fn bounds_are_kept() {
        let refusal = |body: Value| read(Dialect::V4, body).err().unwrap();
        let many: serde_json::Map<String, Value> = (0..=RULES_MAX)
            .map(|number| (format!("list{number}"), json!({ "timeline_limit": 1 })))
            .collect();
        assert_eq!(refusal(json!({ "lists": many })), "M_INVALID_PARAM");
        assert_eq!(refusal(list(json!({ "range": [3, 2] }))), "M_INVALID_PARAM");
        assert_eq!(
            refusal(list(json!({ "ranges": vec![[0, 1]; 21] }))),
            "M_INVALID_PARAM"
        );
        let elements = vec![json!({ "type": "x" }); ELEMENTS_MAX + 1];
        let required = json!({ "required_state": { "include": elements } });
        assert_eq!(refusal(list(required)), "M_INVALID_PARAM");
        assert_eq!(refusal(json!({ "conn_id": "x".repeat(256) })), "M_INVALID_PARAM");
        assert_eq!(
            refusal(json!({ "lists": { "a b": { "timeline_limit": 1 } } })),
            "M_INVALID_PARAM"
        );
        assert_eq!(refusal(json!({ "set_presence": "asleep" })), "M_INVALID_PARAM");
        assert!(refusal(json!({ "lists": { "a": {} } })).contains("timeline_limit"));
        let huge = list(json!({ "range": [0, u64::MAX], "timeline_limit": 1_000_000 }));
        let huge = read(Dialect::V4, huge).unwrap();
        assert_eq!(huge.lists.first().unwrap().config.timeline_limit, 100);
    }
}
