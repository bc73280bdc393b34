//! Policy servers: a room may have a server that recommends events for it (SS API § Policy Servers).

use echorift_events::{Pdu, RoomVersionRules};
use echorift_storage::StorageError;
use ruma::{OwnedServerName, events::TimelineEventType};
use serde::Deserialize;

use crate::{Room, Rooms};

/// The one key ID that policy servers sign with.
pub const POLICY_KEY_ID: &str = "ed25519:policy_server";

/// The server whose recommendation the events of a room need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyServer {
    pub server: OwnedServerName,
    /// Unpadded base64.
    public_key: String,
}

impl PolicyServer {
    /// Whether the event needs a recommendation: the event that names the policy server does not.
    pub fn judges(pdu: &Pdu) -> bool {
        !pdu.is_state_of(&TimelineEventType::from("m.room.policy"))
    }

    /// Whether the event bears the policy server's signature.
    pub fn recommends(&self, pdu: &Pdu, rules: &RoomVersionRules) -> bool {
        pdu.is_signed_with(&self.server, POLICY_KEY_ID, &self.public_key, rules)
    }
}

impl Rooms {
    /// The policy server that the room's current state enables; `None` also if it has no user in the room.
    pub async fn policy_server(&self, room: &Room) -> Result<Option<PolicyServer>, StorageError> {
        #[derive(Deserialize)]
        struct Content {
            via: OwnedServerName,
            public_keys: Keys,
        }
        #[derive(Deserialize)]
        struct Keys {
            ed25519: String,
        }
        let state = room.view().state.clone();
        let content: Option<Content> = self.state_content(&state, "m.room.policy").await?;
        let enabled = content.filter(|content| self.is_server_in(room, &content.via));
        Ok(enabled.map(|content| PolicyServer {
            server: content.via,
            public_key: content.public_keys.ed25519,
        }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use ruma::user_id;
    use serde_json::json;

    use super::*;
    use crate::testing::on_both_databases;

    on_both_databases! {
        async fn a_policy_server_is_one_that_is_in_the_room(server: &TestRooms) {
            let alice = server.register("alice").await;
            let bot = user_id!("@bot:policy.example");
            let room = server.public_room(&alice).await;
            let key = ("m.room.policy", "");
            let content = json!({ "via": "policy.example", "public_keys": { "ed25519": "AAAA" } });
            let naming = server.set(&room, &alice, key, content).await.unwrap();
            assert_eq!(server.rooms.policy_server(&room).await.unwrap(), None);
            let join = json!({ "membership": "join" });
            server.set(&room, bot, ("m.room.member", bot.as_str()), join).await.unwrap();
            let found = server.rooms.policy_server(&room).await.unwrap().unwrap();
            assert_eq!(found.server, "policy.example");
            assert!(!PolicyServer::judges(&naming.pdu));
            let message = server.send(&room, &alice, "hello").await.unwrap();
            assert!(PolicyServer::judges(&message.pdu));
            assert!(!found.recommends(&message.pdu, &room.rules));
            server.set(&room, &alice, key, json!({ "via": "policy.example" })).await.unwrap();
            assert_eq!(server.rooms.policy_server(&room).await.unwrap(), None, "without a key");
        }
    }
}
