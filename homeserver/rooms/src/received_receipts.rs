//! Receipts of users of other servers (SS API § Receipts).

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use echorift_storage::{Position, StorageError, Timestamp, UserNumber};
use ruma::{EventId, OwnedEventId, OwnedUserId, events::receipt::ReceiptThread};

use crate::{Event, Receipt, ReceiptKey, ReceiptKind, Room, RoomError, Rooms, receipts, store};

/// A public receipt, as another server tells it.
#[derive(Debug, Clone)]
pub struct ReceivedReceipt {
    pub user_id: OwnedUserId,
    pub thread: ReceiptThread,
    pub event_id: OwnedEventId,
    pub ts: Timestamp,
}

impl Rooms {
    /// Takes the receipts of members; how many of them could not be placed, because their event is not known here (yet).
    /// Those of who is not joined, that go backwards, or that name a thread that the event is not in, change nothing.
    pub async fn receive_remote_receipts(
        &self,
        room: &Arc<Room>,
        received: Vec<ReceivedReceipt>,
    ) -> Result<usize, StorageError> {
        let view = room.view();
        let names: Vec<&str> = received.iter().map(|receipt| receipt.user_id.as_str()).collect();
        // Now in memory, all of them.
        self.users().find_all(&names).await?;
        let mut of_members: Vec<(UserNumber, ReceivedReceipt)> = Vec::with_capacity(received.len());
        for receipt in received {
            let user = self.users().find(receipt.user_id.as_str()).await?.map(UserNumber);
            if let Some(user) = user.filter(|user| view.members.joined.contains(user)) {
                of_members.push((user, receipt));
            }
        }
        let ids: Vec<&EventId> = of_members.iter().map(|(_, receipt)| &*receipt.event_id).collect();
        let events = self.timeline_events(room, &ids).await?;
        let (known, now) = (room.receipts.all(), self.clock().now());
        let mut unknown = 0_usize;
        // Of several receipts of one key the furthest counts.
        let mut new: BTreeMap<ReceiptKey, Receipt> = BTreeMap::new();
        for (user, receipt) in of_members {
            let Some(event) = events.get(&receipt.event_id) else {
                unknown = unknown.saturating_add(1);
                continue;
            };
            let thread = match self.check_thread(room, event, &receipt.thread).await {
                Ok(thread) => thread,
                Err(RoomError::Storage(error)) => return Err(error),
                Err(_) => continue,
            };
            let key = ReceiptKey {
                user,
                kind: ReceiptKind::Public,
                thread,
            };
            let reached = new.get(&key).or_else(|| known.get(&key));
            let reached = reached.map(|known| known.read_position);
            if reached.is_none_or(|reached| reached < event.position()) {
                let receipt = Receipt {
                    event_id: receipt.event_id,
                    read_position: event.position(),
                    // Nobody reads in the future.
                    ts: receipt.ts.min(now),
                    position: Position(0),
                };
                new.insert(key, receipt);
            }
        }
        if !new.is_empty() {
            receipts::commit(self.database(), room, new.into_iter().collect()).await?;
        }
        Ok(unknown)
    }

    /// Those of these events that are in the room's timeline. A query or two at most.
    async fn timeline_events(
        &self,
        room: &Room,
        ids: &[&EventId],
    ) -> Result<HashMap<OwnedEventId, Arc<Event>>, StorageError> {
        let mut numbers = Vec::with_capacity(ids.len());
        let mut missing = Vec::new();
        for id in ids {
            match self.0.event_ids.get(*id) {
                Some(number) => numbers.push(number),
                None => missing.push(*id),
            }
        }
        if !missing.is_empty() {
            let found = store::events::numbers_of(self.database(), &missing).await?;
            numbers.extend(found.into_values());
        }
        let events = self.events(&numbers).await?;
        let in_timeline = events
            .into_iter()
            .filter(|event| event.room == room.number && event.position().0 != 0)
            .map(|event| (event.pdu.event_id.clone(), event));
        Ok(in_timeline.collect())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use ruma::owned_event_id;

    use super::*;
    use crate::testing::on_both_databases;

    fn receipt(user_id: &OwnedUserId, event: &Event, ts: i64) -> ReceivedReceipt {
        ReceivedReceipt {
            user_id: user_id.clone(),
            thread: ReceiptThread::Unthreaded,
            event_id: event.pdu.event_id.clone(),
            ts: Timestamp(ts),
        }
    }

    on_both_databases! {
        async fn receipts_of_members_are_taken_and_go_forward_only(server: &TestRooms) {
            let [alice, bob] = [server.register("alice").await, server.register("bob").await];
            let room = server.public_room(&alice).await;
            let first = server.send(&room, &alice, "first").await.unwrap();
            let second = server.send(&room, &alice, "second").await.unwrap();
            server.rooms.receive_remote_receipts(&room, vec![receipt(&bob, &first, 5)]).await.unwrap();
            assert!(room.receipts().all().is_empty(), "bob is not joined");
            server.join(&room, &bob).await.unwrap();
            let bob_number = server.number(&bob).await;
            let sent = vec![receipt(&bob, &second, i64::MAX), receipt(&bob, &first, 5)];
            server.rooms.receive_remote_receipts(&room, sent).await.unwrap();
            server.rooms.receive_remote_receipts(&room, vec![receipt(&bob, &first, 5)]).await.unwrap();
            let key = ReceiptKey { user: bob_number, kind: ReceiptKind::Public, thread: "".into() };
            let known = room.receipts().all();
            let known = known.get(&key).unwrap();
            assert_eq!(known.event_id, second.pdu.event_id);
            assert_eq!(known.ts, server.clock.now());
        }

        async fn events_and_threads_must_exist(server: &TestRooms) {
            let alice = server.register("alice").await;
            let room = server.public_room(&alice).await;
            let other = server.public_room(&alice).await;
            let elsewhere = server.send(&other, &alice, "elsewhere").await.unwrap();
            let here = server.send(&room, &alice, "here").await.unwrap();
            let unknown = ReceivedReceipt { event_id: owned_event_id!("$unknown"), ..receipt(&alice, &here, 1) };
            let thread = ReceiptThread::Thread(elsewhere.pdu.event_id.clone());
            let in_thread = ReceivedReceipt { thread, ..receipt(&alice, &here, 1) };
            let sent = vec![unknown, receipt(&alice, &elsewhere, 1), in_thread];
            let unknown = server.rooms.receive_remote_receipts(&room, sent).await.unwrap();
            assert_eq!(unknown, 2);
            assert!(room.receipts().all().is_empty());
        }
    }
}
