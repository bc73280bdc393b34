use echorift_tests::{Look as _, User, refused, v3};
use serde_json::{Value, json};

use super::{
    hooks::{MadeHook, hooks, make, newest},
    receiver::{Receiver, server},
    signed::sign,
};

async fn outgoing(user: &User, room: &str, receiver: &Receiver, more: Value) -> MadeHook {
    let mut body = json!({ "url": receiver.url() });
    for (key, value) in more.as_object().into_iter().flatten() {
        body[key] = value.clone();
    }
    make(user, room, "outgoing", body).await
}

/// Waits until the hook fares so, and has a reason for it.
async fn wait_for_state(user: &User, room: &str, hook: &MadeHook, state: &str) -> Value {
    loop {
        let shown = user.get(hooks(room, &[&hook.id])).await.unwrap();
        if shown["state"] == state {
            assert!(shown["state_reason"].is_string(), "{shown}");
            return shown;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_is_said_reaches_the_target_signed() {
    let (server, mut receiver) = (server().start().await, Receiver::start().await);
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room(json!({ "name": "Tea" })).await.unwrap();
    alice.send_text(&room, "before the hook").await.unwrap();
    let hook = outgoing(&alice, &room, &receiver, json!({})).await;
    let event_id = alice.send_text(&room, "hello").await.unwrap();

    let delivery = receiver.next().await;
    let told = delivery.json();
    assert_eq!((told.text("/kind"), told.text("/text")), ("event", "hello"));
    assert_eq!(
        (told.text("/event/event_id"), told.text("/event/type")),
        (&*event_id, "m.room.message")
    );
    assert_eq!(
        (told.text("/room/room_id"), told.text("/room/name")),
        (&*room, "Tea")
    );
    assert_eq!(told.text("/sender/user_id"), alice.id);
    assert_eq!(told.text("/delivery_id"), format!("{}:{event_id}", hook.id));
    let header = |name: &str| delivery.headers[name].as_str();
    assert_eq!(header("x-echorift-delivery"), told.text("/delivery_id"));
    let seconds = header("x-echorift-timestamp").parse().unwrap();
    assert_eq!(
        header("x-echorift-signature"),
        sign(hook.key(), seconds, &delivery.body)
    );
}

#[tokio::test]
async fn only_what_fits_is_told_and_no_hook_hears_another() {
    let (server, mut receiver) = (server().start().await, Receiver::start().await);
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room(json!({})).await.unwrap();
    let filter = json!({ "keywords": ["deploy"], "event_types": ["m.room.message", "m.room.topic"] });
    outgoing(&alice, &room, &receiver, filter).await;
    let incoming = make(&alice, &room, "incoming", json!({})).await;
    let program = server.anonymous();
    let said = program
        .post(incoming.path(), json!({ "text": "deploy by a hook" }))
        .await;
    said.unwrap();
    alice.send_text(&room, "nothing of interest").await.unwrap();
    alice
        .react(&room, newest(&alice, &room).await.text("/event_id"), "deploy")
        .await
        .unwrap();
    let wanted = alice.send_text(&room, "please DEPLOY this").await.unwrap();
    assert_eq!(receiver.next().await.json().text("/event/event_id"), wanted);
}

#[tokio::test]
async fn order_is_kept_while_the_target_fails_and_its_answer_is_written() {
    let (server, mut receiver) = (server().start().await, Receiver::start().await);
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room(json!({})).await.unwrap();
    let hook = outgoing(&alice, &room, &receiver, json!({ "allow_replies": true })).await;
    receiver.plan(500, "");
    receiver.plan(302, "");
    receiver.plan(200, r#"{"text":"*done*"}"#);
    receiver.plan(200, "not a message");
    let first = alice.send_text(&room, "one").await.unwrap();
    let second = alice.send_text(&room, "two").await.unwrap();
    let mut told = Vec::new();
    while told.last() != Some(&second) {
        told.push(receiver.next().await.json().text("/event/event_id").to_owned());
    }
    assert_eq!(told, [first.as_str(), &first, &first, &second]);
    let reply = alice.messages(&room, "dir=b&limit=5").await.unwrap();
    let replies = reply
        .list("/chunk")
        .iter()
        .filter(|event| event["sender"] == *hook.user_id);
    let replies: Vec<&Value> = replies
        .filter(|event| event["type"] == "m.room.message")
        .collect();
    assert_eq!(replies.len(), 1, "{reply}");
    assert_eq!(
        replies[0].text("/content/formatted_body"),
        "<strong>done</strong>"
    );
    assert_eq!(
        replies[0].text("/content/m.relates_to/m.in_reply_to/event_id"),
        first
    );
}

#[tokio::test]
async fn nothing_is_lost_while_the_target_is_down_and_the_server_is_killed() {
    let (server, mut receiver) = (server().start().await, Receiver::absent());
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room(json!({})).await.unwrap();
    let hook = outgoing(&alice, &room, &receiver, json!({})).await;
    let mut sent = Vec::new();
    for number in 0..60 {
        sent.push(
            alice
                .send_text(&room, &format!("message {number}"))
                .await
                .unwrap(),
        );
    }
    wait_for_state(&alice, &room, &hook, "failing").await;
    server.kill();
    server.restart().await;
    receiver.appear().await;
    let mut told = Vec::new();
    while told.len() < 30 {
        told.push(receiver.next().await.json().text("/event/event_id").to_owned());
    }
    server.kill();
    server.restart().await;
    while told.last() != sent.last() {
        told.push(receiver.next().await.json().text("/event/event_id").to_owned());
    }
    // What came in the last second before a kill comes again, in the same order.
    let mut seen = std::collections::BTreeSet::new();
    told.retain(|event_id| seen.insert(event_id.clone()));
    assert_eq!(told, sent);
}

#[tokio::test]
async fn a_hook_that_fails_for_too_long_is_off_until_somebody_turns_it_on() {
    let server = server().set("webhooks.disable_after", "300ms").start().await;
    let mut receiver = Receiver::absent();
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room(json!({})).await.unwrap();
    let hook = outgoing(&alice, &room, &receiver, json!({})).await;
    alice.send_text(&room, "lost").await.unwrap();
    let shown = wait_for_state(&alice, &room, &hook, "off").await;
    assert_eq!(shown["enabled"], false);
    assert!(
        shown.text("/state_reason").starts_with("Deliveries have failed"),
        "{shown}"
    );
    receiver.appear().await;
    let on = alice
        .put(hooks(&room, &[&hook.id]), json!({ "enabled": true }))
        .await
        .unwrap();
    assert_eq!(on["state"], "working");
    let heard = alice.send_text(&room, "heard").await.unwrap();
    assert_eq!(receiver.next().await.json().text("/event/event_id"), heard);
    // A target that wants no more is believed at once.
    receiver.plan(410, "");
    alice.send_text(&room, "unwanted").await.unwrap();
    wait_for_state(&alice, &room, &hook, "off").await;
}

#[tokio::test]
async fn who_removes_the_account_ends_the_deliveries() {
    let (server, mut receiver) = (server().start().await, Receiver::start().await);
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room(json!({})).await.unwrap();
    let hook = outgoing(&alice, &room, &receiver, json!({})).await;
    alice
        .post(v3(["rooms", &room, "kick"]), json!({ "user_id": hook.user_id }))
        .await
        .unwrap();
    alice.send_text(&room, "in private").await.unwrap();
    let shown = wait_for_state(&alice, &room, &hook, "off").await;
    assert!(shown.text("/state_reason").contains("removed"), "{shown}");
    assert!(receiver.try_next().is_none());
}

#[tokio::test]
async fn private_addresses_are_refused_unless_allowed() {
    let server = server()
        .set("outbound.allowed_ip_ranges", json!([]))
        .start()
        .await;
    let mut receiver = Receiver::start().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room(json!({})).await.unwrap();
    for url in [
        receiver.url(),
        "http://10.1.2.3/".to_owned(),
        "http://[::1]/".to_owned(),
        "http://2130706433/".to_owned(),
        "ftp://x.example/".to_owned(),
        "http://a:b@x.example/".to_owned(),
        "nonsense".to_owned(),
    ] {
        let body = json!({ "direction": "outgoing", "name": "x", "url": url });
        refused(alice.post(hooks(&room, &[]), body).await, 400, "M_INVALID_PARAM");
    }
    // A name is judged by what it stands for.
    let url = receiver.url().replace("127.0.0.1", "localhost");
    let hook = make(&alice, &room, "outgoing", json!({ "url": url })).await;
    let tested = alice
        .post(hooks(&room, &[&hook.id, "test"]), json!({}))
        .await
        .unwrap();
    assert_eq!(tested["delivered"], false);
    assert!(tested.text("/failure").contains("may connect to"), "{tested}");
    assert!(receiver.try_next().is_none());
}

#[tokio::test]
async fn a_test_says_whether_it_arrived() {
    let (server, mut receiver) = (server().start().await, Receiver::start().await);
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room(json!({})).await.unwrap();
    let hook = outgoing(&alice, &room, &receiver, json!({})).await;
    let test = hooks(&room, &[&hook.id, "test"]);
    let tested = alice.post(&test, json!({})).await.unwrap();
    assert_eq!(tested, json!({ "delivered": true }));
    assert_eq!(receiver.next().await.json().text("/kind"), "test");
    receiver.plan(503, "");
    let tested = alice.post(&test, json!({})).await.unwrap();
    assert_eq!(tested.text("/failure"), "The target answered 503.");
}
