use std::collections::BTreeMap;

use echorift_storage::{EventNumber, Position};
use ruma::{
    OwnedRoomId, OwnedUserId, api::client::sync::sync_events::v5::response::Extensions,
    events::AnyStrippedStateEvent, serde::Raw,
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::request::Dialect;

/// The answer (MSC4186 § Response Body). ruma's type knows the older form only.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    pub pos: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub txn_id: Option<String>,
    pub lists: BTreeMap<String, ListAnswer>,
    pub rooms: BTreeMap<OwnedRoomId, RoomAnswer>,
    pub extensions: Extensions,
}

#[derive(Debug, Serialize)]
pub(crate) struct ListAnswer {
    pub count: usize,
}

/// What is new of one room. What is left out is as it was before; in an `initial` answer, it is not there.
#[derive(Debug, Default, Serialize)]
pub(crate) struct RoomAnswer {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bump_stamp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub membership: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<String>,
    /// `Some(None)`: there is none any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heroes: Option<Vec<Hero>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_dm: Option<bool>,
    #[serde(skip_serializing_if = "is_false")]
    pub initial: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub expanded_timeline: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub unstable_expanded_timeline: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub required_state: Vec<Box<RawValue>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub timeline: Vec<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev_batch: Option<String>,
    #[serde(skip_serializing_if = "is_false")]
    pub limited: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_live: Option<usize>,
    /// The place before the first event of the timeline.
    #[serde(skip)]
    pub shown_after: Option<Position>,
    /// The events of the timeline.
    #[serde(skip)]
    pub shown: Vec<EventNumber>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub joined_count: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invited_count: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notification_count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub highlight_count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invite_state: Option<Vec<Raw<AnyStrippedStateEvent>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stripped_state: Option<Vec<Raw<AnyStrippedStateEvent>>>,
}

/// A member who stands for a room without a name.
#[derive(Debug, Serialize)]
pub(crate) struct Hero {
    pub user_id: OwnedUserId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub displayname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
}

/// State that is there no more.
#[derive(Debug, Serialize)]
pub(crate) struct StateStub<'a> {
    #[serde(rename = "type")]
    pub event_type: &'a str,
    pub state_key: &'a str,
}

impl RoomAnswer {
    /// Says so under the name that the client knows.
    pub fn set_expanded(&mut self, dialect: Dialect) {
        match dialect {
            Dialect::Unstable => self.unstable_expanded_timeline = true,
            Dialect::V4 => self.expanded_timeline = true,
        }
    }

    /// As [`RoomAnswer::set_expanded`].
    pub fn set_stripped(&mut self, dialect: Dialect, state: Vec<Raw<AnyStrippedStateEvent>>) {
        match dialect {
            Dialect::Unstable => self.invite_state = Some(state),
            Dialect::V4 => self.stripped_state = Some(state),
        }
    }
}

fn is_false(flag: &bool) -> bool {
    !flag
}
