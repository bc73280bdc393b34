//! How an answer is written: as ruma's types do it, but with all that a room's part may hold, also where that is empty, because
//! clients look for `limited`, `state` and the like without asking whether they are there.

use std::collections::BTreeMap;

use ruma::{
    OneTimeKeyAlgorithm, OwnedEventId, OwnedRoomId, UInt,
    api::client::sync::sync_events::{
        DeviceLists, UnreadNotificationsCount,
        v3::{
            GlobalAccountData, InvitedRoom, JoinedRoom, KnockedRoom, LeftRoom, Presence, Response,
            RoomSummary, Rooms, State, StateEvents, Sticky, Timeline, ToDevice,
        },
    },
    events::{AnyRoomAccountDataEvent, AnySyncEphemeralRoomEvent, AnySyncStateEvent, AnySyncTimelineEvent},
    serde::Raw,
};
use serde::{Serialize, Serializer};

/// The body of an answer to `GET /sync`.
#[derive(Debug)]
pub(crate) struct Answer(pub Response);

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let answer = &self.0;
        let body = Body {
            next_batch: &answer.next_batch,
            rooms: &answer.rooms,
            presence: &answer.presence,
            account_data: &answer.account_data,
            to_device: &answer.to_device,
            device_lists: &answer.device_lists,
            device_one_time_keys_count: &answer.device_one_time_keys_count,
            device_unused_fallback_key_types: &answer.device_unused_fallback_key_types,
        };
        body.serialize(serializer)
    }
}

#[derive(Serialize)]
struct Body<'a> {
    next_batch: &'a str,
    #[serde(skip_serializing_if = "is_empty", serialize_with = "write_rooms")]
    rooms: &'a Rooms,
    #[serde(skip_serializing_if = "Presence::is_empty")]
    presence: &'a Presence,
    #[serde(skip_serializing_if = "GlobalAccountData::is_empty")]
    account_data: &'a GlobalAccountData,
    #[serde(skip_serializing_if = "ToDevice::is_empty")]
    to_device: &'a ToDevice,
    #[serde(skip_serializing_if = "DeviceLists::is_empty")]
    device_lists: &'a DeviceLists,
    device_one_time_keys_count: &'a BTreeMap<OneTimeKeyAlgorithm, UInt>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_unused_fallback_key_types: &'a Option<Vec<OneTimeKeyAlgorithm>>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_empty(rooms: &&Rooms) -> bool {
    rooms.is_empty()
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn write_rooms<S: Serializer>(rooms: &&Rooms, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Sections<'a> {
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        join: BTreeMap<&'a OwnedRoomId, JoinedBody<'a>>,
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        invite: &'a BTreeMap<OwnedRoomId, InvitedRoom>,
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        knock: &'a BTreeMap<OwnedRoomId, KnockedRoom>,
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        leave: BTreeMap<&'a OwnedRoomId, LeftBody<'a>>,
    }
    let sections = Sections {
        join: rooms
            .join
            .iter()
            .map(|(id, room)| (id, JoinedBody::of(room)))
            .collect(),
        invite: &rooms.invite,
        knock: &rooms.knock,
        leave: rooms
            .leave
            .iter()
            .map(|(id, room)| (id, LeftBody::of(room)))
            .collect(),
    };
    sections.serialize(serializer)
}

#[derive(Serialize)]
struct JoinedBody<'a> {
    #[serde(skip_serializing_if = "RoomSummary::is_empty")]
    summary: &'a RoomSummary,
    unread_notifications: &'a UnreadNotificationsCount,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    unread_thread_notifications: &'a BTreeMap<OwnedEventId, UnreadNotificationsCount>,
    timeline: TimelineBody<'a>,
    #[serde(flatten)]
    state: StateBody<'a>,
    account_data: Events<'a, AnyRoomAccountDataEvent>,
    ephemeral: Events<'a, AnySyncEphemeralRoomEvent>,
    #[serde(rename = "msc4354_sticky", skip_serializing_if = "Sticky::is_empty")]
    sticky: &'a Sticky,
}

impl<'a> JoinedBody<'a> {
    fn of(room: &'a JoinedRoom) -> Self {
        Self {
            summary: &room.summary,
            unread_notifications: &room.unread_notifications,
            unread_thread_notifications: &room.unread_thread_notifications,
            timeline: TimelineBody::of(&room.timeline),
            state: StateBody::of(&room.state),
            account_data: Events {
                events: &room.account_data.events,
            },
            ephemeral: Events {
                events: &room.ephemeral.events,
            },
            sticky: &room.sticky,
        }
    }
}

#[derive(Serialize)]
struct LeftBody<'a> {
    timeline: TimelineBody<'a>,
    #[serde(flatten)]
    state: StateBody<'a>,
    account_data: Events<'a, AnyRoomAccountDataEvent>,
}

impl<'a> LeftBody<'a> {
    fn of(room: &'a LeftRoom) -> Self {
        Self {
            timeline: TimelineBody::of(&room.timeline),
            state: StateBody::of(&room.state),
            account_data: Events {
                events: &room.account_data.events,
            },
        }
    }
}

#[derive(Serialize)]
struct TimelineBody<'a> {
    limited: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    prev_batch: Option<&'a str>,
    events: &'a [Raw<AnySyncTimelineEvent>],
}

impl<'a> TimelineBody<'a> {
    fn of(timeline: &'a Timeline) -> Self {
        Self {
            limited: timeline.limited,
            prev_batch: timeline.prev_batch.as_deref(),
            events: &timeline.events,
        }
    }
}

/// The state before the timeline, or after it where the client asked for that.
#[derive(Serialize)]
enum StateBody<'a> {
    #[serde(rename = "state")]
    Before(Events<'a, AnySyncStateEvent>),
    #[serde(rename = "state_after")]
    After(Events<'a, AnySyncStateEvent>),
}

impl<'a> StateBody<'a> {
    fn of(state: &'a State) -> Self {
        let events = |state: &'a StateEvents| Events {
            events: &state.events,
        };
        match state {
            State::After(state) => Self::After(events(state)),
            State::Before(state) => Self::Before(events(state)),
        }
    }
}

#[derive(Serialize)]
#[serde(bound = "")]
struct Events<'a, T> {
    events: &'a [Raw<T>],
}

#[cfg(test)]
mod tests {
    use ruma::owned_room_id;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_room_is_told_with_its_empty_parts() {
        let mut response = Response::new("s1.2".to_owned());
        response
            .rooms
            .join
            .insert(owned_room_id!("!joined:example.org"), JoinedRoom::new());
        response
            .rooms
            .leave
            .insert(owned_room_id!("!left:example.org"), LeftRoom::new());
        let none = json!({ "events": [] });
        let timeline = json!({ "limited": false, "events": [] });
        let written = serde_json::to_value(Answer(response)).unwrap_or_default();
        assert_eq!(
            written,
            json!({
                "next_batch": "s1.2",
                "rooms": {
                    "join": { "!joined:example.org": {
                        "unread_notifications": {}, "timeline": timeline, "state": none, "account_data": none,
                        "ephemeral": none,
                    } },
                    "leave": { "!left:example.org": {
                        "timeline": timeline, "state": none, "account_data": none,
                    } },
                },
                "device_one_time_keys_count": {},
            })
        );
        let quiet = serde_json::to_value(Answer(Response::new("s1.2".to_owned()))).unwrap_or_default();
        assert!(quiet.get("rooms").is_none(), "{quiet}");
    }
}
