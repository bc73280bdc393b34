//! EDUs of either kind.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use echorift_rooms::{ReadUpTo, ReceiptKind};
use echorift_storage::{Change, Position, Record};
use parking_lot::Mutex;
use ruma::{
    OwnedServerName, ServerName, api::federation::transactions::edu::PresenceUpdate,
    events::receipt::ReceiptThread, presence::PresenceState, server_name, user_id,
};
use serde_json::json;

use crate::outbound::{
    DurableEdus, DurableFuture, DurablePage, RawEdu,
    testing::{Manner, TestSender, on_both_databases, until},
};

/// Messages to devices of `two.example`.
#[derive(Default)]
struct Messages(Mutex<BTreeMap<Position, Vec<RawEdu>>>);

impl DurableEdus for Messages {
    fn waiting(&self, after: Position, up_to: Position) -> DurableFuture<'_, Vec<OwnedServerName>> {
        let any = self
            .0
            .lock()
            .keys()
            .any(|position| *position > after && *position <= up_to);
        let two = server_name!("two.example").to_owned();
        Box::pin(async move { Ok(any.then_some(two).into_iter().collect()) })
    }

    fn next<'a>(
        &'a self,
        destination: &'a ServerName,
        after: Position,
        up_to: Position,
        limit: usize,
    ) -> DurableFuture<'a, DurablePage> {
        assert_eq!(destination, "two.example");
        let mut page = DurablePage {
            edus: Vec::new(),
            covers: up_to,
        };
        let mut last = after;
        for (position, edus) in self.0.lock().range(Position(after.0 + 1)..=up_to) {
            if page.edus.len() >= limit {
                page.covers = last;
                break;
            }
            page.edus.extend(edus.iter().cloned());
            last = *position;
        }
        Box::pin(async move { Ok(page) })
    }

    fn delivered<'a>(&'a self, _: &'a ServerName, up_to: Position) -> DurableFuture<'a, ()> {
        self.0.lock().retain(|position, _| *position > up_to);
        Box::pin(async { Ok(()) })
    }
}

/// Queues EDUs for a device of `two.example` as one record of the log.
async fn queue(server: &TestSender, messages: &Arc<Messages>, names: &[String]) {
    let bob = server
        .rooms
        .user_number(user_id!("@bob:two.example"))
        .await
        .unwrap();
    let mut change = Change::new();
    change.record(Record::ToDevice { user: bob });
    let edus: Vec<RawEdu> = names
        .iter()
        .map(|name| RawEdu::new("m.direct_to_device", &json!({ "message_id": name })).unwrap())
        .collect();
    let kept = Arc::clone(messages);
    change.on_commit(move |position| {
        kept.0.lock().insert(position, edus);
    });
    server.database.writer().commit(change).await.unwrap();
}

fn message_ids(server: &TestSender) -> Vec<String> {
    let edus = server.network.edus(server_name!("two.example"));
    let to_device = edus.iter().filter(|edu| edu["edu_type"] == "m.direct_to_device");
    to_device
        .map(|edu| edu["content"]["message_id"].as_str().unwrap().to_owned())
        .collect()
}

fn names(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| format!("m{number:04}")).collect()
}

on_both_databases! {
    async fn receipts_typing_and_presence_reach_who_shares_the_room(server: &TestSender) {
        let (alice, carol) = (server.register("alice").await, server.register("carol").await);
        let room = server.public_room(&alice).await;
        server.join(&room, &carol).await;
        server.join(&room, user_id!("@bob:two.example")).await;
        let two = server_name!("two.example");
        let event = server.send(&room, &alice, "hello").await;
        server.settled(two).await;
        server.outbound.send_typing(&room.id, &carol, true);
        until(|| server.network.edus(two).len() == 1).await;
        let update = PresenceUpdate::new(alice.clone(), PresenceState::Online, 5_u32.into());
        server.outbound.send_presence(update);
        until(|| server.network.edus(two).len() == 2).await;
        let read = ReadUpTo {
            kind: ReceiptKind::Public,
            thread: ReceiptThread::Unthreaded,
            event_id: event.pdu.event_id.clone(),
        };
        let reader = (server.rooms.user_number(&carol).await.unwrap(), &*carol);
        server.rooms.receive_receipts(&room, reader, vec![read]).await.unwrap();
        until(|| server.network.edus(two).len() == 3).await;
        let edus = server.network.edus(two);
        let content = json!({ "room_id": room.id, "user_id": carol, "typing": true });
        assert_eq!(edus[0], json!({ "edu_type": "m.typing", "content": content }));
        assert_eq!(edus[1]["edu_type"], "m.presence");
        assert_eq!(edus[1]["content"]["push"][0]["user_id"], alice.as_str());
        assert_eq!(edus[1]["content"]["push"][0]["presence"], "online");
        let receipt = &edus[2]["content"][room.id.as_str()]["m.read"][carol.as_str()];
        assert_eq!(receipt["event_ids"], json!([event.pdu.event_id]));
        assert!(receipt["data"].get("thread_id").is_none() && receipt["data"]["ts"].is_i64());
    }

    async fn news_for_who_is_away_is_dropped_and_what_must_arrive_is_kept(server: &TestSender) {
        let messages = Arc::<Messages>::default();
        assert!(server.outbound.keep_durable_edus(Arc::clone(&messages) as Arc<dyn DurableEdus>));
        let alice = server.register("alice").await;
        let room = server.public_room(&alice).await;
        let two = server_name!("two.example");
        server.join(&room, user_id!("@bob:two.example")).await;
        server.network.set(two, Manner::Away);
        queue(server, &messages, &names(0..3)).await;
        until(|| server.network.attempts() > 1).await;
        server.outbound.send_typing(&room.id, &alice, true);
        // A large batch at one position, then one that does not fit beside it.
        queue(server, &messages, &names(3..150)).await;
        queue(server, &messages, &names(150..170)).await;
        server.send(&room, &alice, "hello").await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        server.network.set(two, Manner::Takes);
        server.settled(two).await;
        assert_eq!(message_ids(server), names(0..170));
        assert!(messages.0.lock().is_empty(), "what was delivered is told so");
        assert_eq!(server.network.messages(two), ["hello"]);
        let received = server.network.received_by(two);
        let edus = received.iter().filter_map(|received| received.body["edus"].as_array());
        assert!(edus.clone().all(|edus| edus.len() <= 100));
        assert!(edus.flatten().all(|edu| edu["edu_type"] != "m.typing"));
    }

    async fn what_must_arrive_does_so_after_a_restart(server: &TestSender) {
        let messages = Arc::<Messages>::default();
        let durable = Arc::clone(&messages) as Arc<dyn DurableEdus>;
        assert!(server.outbound.keep_durable_edus(Arc::clone(&durable)));
        let two = server_name!("two.example");
        server.network.set(two, Manner::Away);
        queue(server, &messages, &names(0..2)).await;
        until(|| server.network.attempts() > 0).await;
        let orderly = server.restart(true, Some(Arc::clone(&durable))).await;
        queue(&orderly, &messages, &names(2..4)).await;
        let killed = orderly.restart(false, Some(durable)).await;
        server.network.set(two, Manner::Takes);
        until(|| messages.0.lock().is_empty()).await;
        assert_eq!(message_ids(&killed), names(0..4));
        killed.end().await;
    }

    async fn changes_of_device_lists_are_for_who_shares_a_room(server: &TestSender) {
        let messages = Arc::<Messages>::default();
        assert!(server.outbound.keep_durable_edus(Arc::clone(&messages) as Arc<dyn DurableEdus>));
        let (alice, carol) = (server.register("alice").await, server.register("carol").await);
        let (room, local) = (server.public_room(&alice).await, server.public_room(&carol).await);
        server.join(&room, user_id!("@bob:two.example")).await;
        server.send(&local, &carol, "nobody else").await;
        for user in [&alice, &carol] {
            let mut change = Change::new();
            let number = server.rooms.user_number(user).await.unwrap();
            change.record(Record::DeviceList { user: number });
            let (kept, name) = (Arc::clone(&messages), user.to_string());
            change.on_commit(move |position| {
                let edu = RawEdu::new("m.device_list_update", &json!({ "user_id": name })).unwrap();
                kept.0.lock().insert(position, vec![edu]);
            });
            server.database.writer().commit(change).await.unwrap();
            until(|| server.outbound.routed() >= server.database.log().visible()).await;
            if user == &alice {
                server.settled(server_name!("two.example")).await;
            }
        }
        let edus = server.network.edus(server_name!("two.example"));
        assert_eq!(edus.len(), 1, "{edus:?}");
        assert_eq!(edus[0]["content"]["user_id"], alice.as_str());
    }
}
