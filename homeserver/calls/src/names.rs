//! What rooms and people are called inside an SFU: clients match a member of a call to a participant by computing the
//! same (MSC4195).

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use ruma::{RoomId, UserId};
use sha2::{Digest as _, Sha256};

use crate::MemberClaim;

/// The slot that calls of the state dialect take place in, which has no name there.
pub const ROOM_SLOT: &str = "m.call#ROOM";

/// The unpadded base64 of the SHA-256 of these texts as a canonical JSON list.
fn hash(parts: &[&str]) -> String {
    // Canonical JSON of a list of texts is what serde writes: no blanks, and no escapes that are not needed.
    let list = serde_json::Value::from(parts).to_string();
    STANDARD_NO_PAD.encode(Sha256::digest(list.as_bytes()))
}

/// The LiveKit room of a slot of a room, the same for all dialects.
pub fn livekit_room(room: &RoomId, slot_id: &str) -> String {
    hash(&[room.as_str(), slot_id])
}

/// How a user is named in the SFU as this member of a call.
pub fn identity(user: &UserId, member: &MemberClaim) -> String {
    match member {
        // In clear.
        MemberClaim::Device { device_id } => format!("{user}:{device_id}"),
        MemberClaim::Member { device_id, member_id } => hash(&[user.as_str(), device_id, member_id]),
        MemberClaim::MemberAlone { member_id } => hash(&[user.as_str(), member_id]),
    }
}

#[cfg(test)]
mod tests {
    use ruma::{room_id, user_id};

    use super::*;

    /// The vectors that clients and other services agree upon.
    #[test]
    fn names_are_those_that_clients_compute() {
        assert_eq!(
            hash(&["!roomid:example.com", "slot1234"]),
            "O8437W3+jmzMVjoIP3tNwbm+XxHQk2iKpOA7aqw3qSc"
        );
        assert_eq!(
            livekit_room(room_id!("!abc:example.org"), ROOM_SLOT),
            "9YzbCxM8P0fwObUtiQ9m/ujMP9ruNMxS7SOsugBEaxA"
        );
        let member = MemberClaim::Member {
            device_id: "DEVICE123".to_owned(),
            member_id: "memberABC".to_owned(),
        };
        assert_eq!(
            identity(user_id!("@alice:example.com"), &member),
            "J+T45tGruxc+HrUOqJJlyQSV33m728Cme4+vt8/SWrU"
        );
        let alice = user_id!("@alice:example.org");
        let alone = MemberClaim::MemberAlone {
            member_id: "0b9c5b1e-0000-4000-8000-000000000001".to_owned(),
        };
        assert_eq!(
            identity(alice, &alone),
            "tqheYgbKFeqTgUTkq4Kw1WyPmGo4szLjrRQ+hpXFRgQ"
        );
        let device = MemberClaim::Device {
            device_id: "DEV".to_owned(),
        };
        assert_eq!(identity(alice, &device), "@alice:example.org:DEV");
    }

    #[test]
    fn only_what_json_demands_is_escaped() {
        assert_eq!(
            serde_json::Value::from(["</é\"\\\u{1}"].as_slice()).to_string(),
            r#"["</é\"\\\u0001"]"#
        );
    }
}
