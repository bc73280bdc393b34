use echorift_tests::{Look as _, TestServer, User, fresh, refused, v3};
use serde_json::{Value, json};

/// The receipts of a room that an answer to `/sync` holds: event → kind → user → data.
fn receipts(answer: &Value, room: &str) -> Value {
    let events = answer["rooms"]["join"][room].events("/ephemeral/events");
    events
        .iter()
        .find(|event| event["type"] == "m.receipt")
        .map_or(Value::Null, |event| event["content"].clone())
}

#[tokio::test]
async fn others_see_how_far_one_has_read() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let first = alice.send_text(&room, "one").await.unwrap();
    let second = alice.send_text(&room, "two").await.unwrap();
    let since = alice.now().await;
    bob.send_receipt(&room, "m.read", &second).await.unwrap();
    let answer = alice.sync_from(&since).await;
    assert!(
        receipts(&answer, &room)[&second]["m.read"][&bob.id]["ts"].is_i64(),
        "{answer}"
    );

    // Receipts do not go backwards.
    let since = answer.text("/next_batch").to_owned();
    bob.send_receipt(&room, "m.read", &first).await.unwrap();
    assert_eq!(receipts(&alice.sync_from(&since).await, &room), Value::Null);
    assert!(
        receipts(&alice.sync_all().await, &room)[&second]["m.read"]
            .get(&bob.id)
            .is_some()
    );
}

#[tokio::test]
async fn private_receipts_are_seen_by_their_owner_alone() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let event_id = alice.send_text(&room, "psst").await.unwrap();
    let (alice_since, bob_since) = (alice.now().await, bob.now().await);
    bob.send_receipt(&room, "m.read.private", &event_id)
        .await
        .unwrap();
    assert_eq!(receipts(&alice.sync_from(&alice_since).await, &room), Value::Null);
    let own = receipts(&bob.sync_from(&bob_since).await, &room);
    assert!(own[&event_id]["m.read.private"].get(&bob.id).is_some(), "{own}");
}

#[tokio::test]
async fn a_receipt_can_belong_to_a_thread() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let root = alice.send_text(&room, "root").await.unwrap();
    let reply = alice.send_in_thread(&room, &root, "reply").await.unwrap();
    let since = alice.now().await;
    let path = v3(["rooms", &room, "receipt", "m.read", &reply]);
    bob.post(&path, json!({ "thread_id": root })).await.unwrap();
    let seen = receipts(&alice.sync_from(&since).await, &room);
    assert_eq!(seen[&reply]["m.read"][&bob.id]["thread_id"], root.as_str());
    refused(
        bob.post(&path, json!({ "thread_id": "" })).await,
        400,
        "M_INVALID_PARAM",
    );
    refused(
        bob.post(&path, json!({ "thread_id": 7 })).await.map_err(lenient),
        400,
        "M_INVALID_PARAM",
    );
}

#[tokio::test]
async fn an_event_read_in_two_places_has_a_receipt_of_each() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let root = alice.send_text(&room, "root").await.unwrap();
    let path = v3(["rooms", &room, "receipt", "m.read", &root]);
    let since = alice.now().await;
    bob.post(&path, json!({})).await.unwrap();
    bob.post(&path, json!({ "thread_id": root })).await.unwrap();
    for answer in [alice.sync_from(&since).await, alice.sync_all().await] {
        let events = answer["rooms"]["join"][&room].events("/ephemeral/events");
        let of_bob = events
            .iter()
            .map(|event| &event["content"][&root]["m.read"][&bob.id]);
        let threads: Vec<_> = of_bob.map(|receipt| receipt.get("thread_id")).collect();
        assert_eq!(threads, [None, Some(&json!(root))], "{answer}");
    }

    // What relates to the thread by whatever way can be read in it; what does not, cannot.
    let aside = json!({ "msgtype": "m.text", "body": "aside", "m.relates_to": {
        "rel_type": "m.reference", "event_id": root } });
    let aside = alice.send_event(&room, "m.room.message", aside).await.unwrap();
    let applause = json!({ "m.relates_to": { "rel_type": "m.annotation", "event_id": aside, "key": "👏" } });
    let applause = alice.send_event(&room, "m.reaction", applause).await.unwrap();
    let in_thread = json!({ "thread_id": root });
    bob.post(
        v3(["rooms", &room, "receipt", "m.read", &applause]),
        in_thread.clone(),
    )
    .await
    .unwrap();
    let elsewhere = alice.send_text(&room, "elsewhere").await.unwrap();
    refused(
        bob.post(v3(["rooms", &room, "receipt", "m.read", &elsewhere]), in_thread)
            .await,
        400,
        "M_INVALID_PARAM",
    );
}

/// A thread id of the wrong type is wrong JSON as well as a wrong parameter.
fn lenient(mut refusal: echorift_tests::Refusal) -> echorift_tests::Refusal {
    if refusal.errcode == "M_BAD_JSON" {
        "M_INVALID_PARAM".clone_into(&mut refusal.errcode);
    }
    refusal
}

#[tokio::test]
async fn markers_move_together() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let event_id = alice.send_text(&room, "read me").await.unwrap();
    let (alice_since, bob_since) = (alice.now().await, bob.now().await);
    let markers = json!({ "m.fully_read": event_id, "m.read": event_id });
    bob.post(v3(["rooms", &room, "read_markers"]), markers)
        .await
        .unwrap();
    assert!(
        receipts(&alice.sync_from(&alice_since).await, &room)[&event_id]
            .get("m.read")
            .is_some()
    );
    let answer = bob.sync_from(&bob_since).await;
    let data = answer["rooms"]["join"][&room].events("/account_data/events");
    assert_eq!(
        data,
        [json!({ "type": "m.fully_read", "content": { "event_id": event_id } })]
    );
}

#[tokio::test]
async fn receipts_need_membership_and_a_known_kind() {
    let server = TestServer::shared().await;
    let [alice, eve] = server.register(["alice", "eve"]).await;
    let room = alice.create_room_with(&[]).await;
    let event_id = alice.send_text(&room, "x").await.unwrap();
    refused(
        eve.send_receipt(&room, "m.read", &event_id).await,
        403,
        "M_FORBIDDEN",
    );
    let refusal = alice
        .send_receipt(&room, "org.example.smelt", &event_id)
        .await
        .unwrap_err();
    assert_eq!(refusal.status, 400, "{refusal}");
}

#[tokio::test]
async fn events_rooms_and_people_can_be_reported() {
    let server = TestServer::shared().await;
    let [alice, bob, eve] = server.register(["alice", "bob", "eve"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let event_id = alice.send_text(&room, "rude").await.unwrap();
    let reason = json!({ "reason": "rude" });
    bob.post(
        v3(["rooms", &room, "report", &event_id]),
        json!({ "reason": "rude", "score": -50 }),
    )
    .await
    .unwrap();
    refused(
        eve.post(v3(["rooms", &room, "report", &event_id]), reason.clone())
            .await,
        404,
        "M_NOT_FOUND",
    );
    bob.post(v3(["rooms", &room, "report"]), reason.clone())
        .await
        .unwrap();
    refused(
        bob.post(v3(["rooms", "!none:test.example", "report"]), reason.clone())
            .await,
        404,
        "M_NOT_FOUND",
    );
    bob.post(v3(["users", &alice.id, "report"]), reason.clone())
        .await
        .unwrap();
    let nobody = format!("@{}:test.example", fresh("nobody"));
    // Whether somebody exists may be kept to oneself.
    if let Err(refusal) = bob.post(v3(["users", &nobody, "report"]), reason).await {
        assert_eq!((refusal.status, refusal.errcode.as_str()), (404, "M_NOT_FOUND"));
    }
}

#[tokio::test]
async fn typing_is_seen_and_ends() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let since = alice.now().await;
    let who_types = |answer: &Value| -> Option<Value> {
        let events = answer["rooms"]["join"][&room].events("/ephemeral/events");
        events
            .iter()
            .find(|event| event["type"] == "m.typing")
            .map(|event| event["content"]["user_ids"].clone())
    };
    bob.type_for(&room, 30_000).await.unwrap();
    let answer = alice
        .sync_until(&since, |answer| who_types(answer).is_some())
        .await;
    assert_eq!(who_types(&answer), Some(json!([bob.id])));
    let since = answer.text("/next_batch").to_owned();
    bob.put(
        v3(["rooms", &room, "typing", &bob.id]),
        json!({ "typing": false }),
    )
    .await
    .unwrap();
    let answer = alice
        .sync_until(&since, |answer| who_types(answer).is_some())
        .await;
    assert_eq!(who_types(&answer), Some(json!([])));

    // A short wish to be seen typing ends by itself.
    let since = answer.text("/next_batch").to_owned();
    bob.type_for(&room, 1).await.unwrap();
    alice
        .sync_until(&since, |answer| who_types(answer) == Some(json!([])))
        .await;
    refused(impostor(&bob, &room, &alice).await, 403, "M_FORBIDDEN");
}

async fn impostor(who: &User, room: &str, other: &User) -> echorift_tests::Answer {
    who.put(
        v3(["rooms", room, "typing", &other.id]),
        json!({ "typing": true, "timeout": 1000 }),
    )
    .await
}
