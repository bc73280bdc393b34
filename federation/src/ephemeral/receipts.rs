use std::collections::BTreeMap;

use echorift_rooms::ReceivedReceipt;
use echorift_storage::Timestamp;
use ruma::{
    OwnedRoomId, OwnedUserId, RoomId, ServerName, UserId, api::federation::transactions::edu::ReceiptData,
};
use serde_json::value::RawValue;

use super::{Received, UNREADABLE};
use crate::{Federation, FederationError};

/// How many rooms one EDU may be about; the rest is passed over.
const ROOMS_MAX: usize = 1_000;
/// How many receipts of one room are taken from one EDU.
const RECEIPTS_MAX: usize = 1_000;

/// Types, users and receipts of a room. What is not of these shapes is passed over, and not what stands beside it.
type OfRoom<'a> = BTreeMap<String, &'a RawValue>;

/// `m.receipt` (SS API § Receipts): public receipts of users of the origin who are joined to the rooms.
pub(super) async fn receive(
    federation: &Federation,
    origin: &ServerName,
    content: &RawValue,
) -> Result<Received, FederationError> {
    let Ok(rooms) = serde_json::from_str::<BTreeMap<String, &RawValue>>(content.get()) else {
        return Ok(UNREADABLE);
    };
    let mut received = Received::Refused("it holds no receipt that the server may send");
    for (room_id, receipts) in rooms.into_iter().take(ROOMS_MAX) {
        let Ok(room_id) = RoomId::parse(room_id) else {
            continue;
        };
        let receipts = receipts_of(origin, receipts);
        if receipts.is_empty() {
            continue;
        }
        if receive_in(federation, origin, &room_id, receipts).await? {
            received = Received::Taken;
        }
    }
    Ok(received)
}

async fn receive_in(
    federation: &Federation,
    origin: &ServerName,
    room_id: &OwnedRoomId,
    receipts: Vec<ReceivedReceipt>,
) -> Result<bool, FederationError> {
    let Some(room) = federation.room_of_edu(origin, room_id).await? else {
        return Ok(false);
    };
    let unknown = federation
        .rooms()
        .receive_remote_receipts(&room, receipts)
        .await?;
    if unknown > 0 {
        tracing::debug!(%origin, %room_id, unknown, "receipts for unknown events were passed over");
    }
    Ok(true)
}

/// The well-formed public receipts of the origin's users.
fn receipts_of(origin: &ServerName, receipts: &RawValue) -> Vec<ReceivedReceipt> {
    let types: OfRoom<'_> = serde_json::from_str(receipts.get()).unwrap_or_default();
    let users: BTreeMap<String, &RawValue> = types
        .get("m.read")
        .and_then(|users| serde_json::from_str(users.get()).ok())
        .unwrap_or_default();
    let of_origin = users.into_iter().filter_map(|(user, receipt)| {
        let user: OwnedUserId = UserId::parse(user).ok()?;
        if user.server_name() != origin {
            return None;
        }
        let receipt: ReceiptData = serde_json::from_str(receipt.get()).ok()?;
        Some(ReceivedReceipt {
            user_id: user,
            // There is only ever one; of several any is as good.
            event_id: receipt.event_ids.into_iter().next()?,
            thread: receipt.data.thread,
            ts: Timestamp(receipt.data.ts.map_or(0, |ts| i64::from(ts.get()))),
        })
    });
    of_origin.take(RECEIPTS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use ruma::{events::receipt::ReceiptThread, server_name};
    use serde_json::{json, value::to_raw_value};

    use super::*;

    #[test]
    fn only_public_receipts_of_the_origin_are_read() {
        let content = json!({
            "m.read": {
                "@alice:two.example": { "event_ids": ["$a", "$b"], "data": { "ts": 7 } },
                "@anna:two.example": { "event_ids": ["$a"], "data": { "ts": 8, "thread_id": "main" } },
                "@bob:one.example": { "event_ids": ["$a"], "data": { "ts": 7 } },
                "@carol:two.example": { "event_ids": [], "data": {} },
                "@dave:two.example": "nonsense",
                "nobody": { "event_ids": ["$a"], "data": { "ts": 7 } },
            },
            "m.read.private": { "@erin:two.example": { "event_ids": ["$a"], "data": { "ts": 7 } } },
            "nonsense": 5,
        });
        let receipts = receipts_of(server_name!("two.example"), &to_raw_value(&content).unwrap());
        let users: Vec<&str> = receipts.iter().map(|receipt| receipt.user_id.as_str()).collect();
        assert_eq!(users, ["@alice:two.example", "@anna:two.example"]);
        let [alice, anna] = &receipts[..] else {
            panic!("there are two")
        };
        assert_eq!((alice.event_id.as_str(), alice.ts), ("$a", Timestamp(7)));
        assert_eq!(
            (&alice.thread, &anna.thread),
            (&ReceiptThread::Unthreaded, &ReceiptThread::Main)
        );
        for nonsense in [json!(null), json!([]), json!({ "m.read": 5 })] {
            let nonsense = to_raw_value(&nonsense).unwrap();
            assert!(receipts_of(server_name!("two.example"), &nonsense).is_empty());
        }
    }
}
