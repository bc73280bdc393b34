use echorift_tests::{Look as _, Sync, TestServer, User, refused, v3};
use serde_json::{Value, json};

async fn set(user: &User, presence: &str, status: &str) {
    let body = json!({ "presence": presence, "status_msg": status });
    user.put(v3(["presence", &user.id, "status"]), body)
        .await
        .unwrap();
}

fn of(answer: &Value, user: &User) -> Option<Value> {
    let events = answer.events("/presence/events");
    events
        .into_iter()
        .find(|event| event["sender"] == user.id.as_str())
        .map(|event| event["content"].clone())
}

#[tokio::test]
async fn colleagues_see_each_other_and_strangers_do_not() {
    let server = TestServer::shared().await;
    let [alice, bob, eve] = server.register(["alice", "bob", "eve"]).await;
    alice.create_room_with(&[&bob]).await;
    let (bob_since, eve_since) = (bob.now().await, eve.now().await);
    set(&alice, "unavailable", "at lunch").await;
    let answer = bob
        .sync_until(&bob_since, |answer| {
            of(answer, &alice).is_some_and(|content| content["status_msg"] == "at lunch")
        })
        .await;
    assert_eq!(of(&answer, &alice).unwrap().text("/presence"), "unavailable");
    assert!(of(&eve.sync_from(&eve_since).await, &alice).is_none());

    let path = v3(["presence", &alice.id, "status"]);
    assert_eq!(bob.get(&path).await.unwrap().text("/status_msg"), "at lunch");
    refused(eve.get(&path).await, 403, "M_FORBIDDEN");
    refused(
        bob.put(&path, json!({ "presence": "online" })).await,
        403,
        "M_FORBIDDEN",
    );
    assert_eq!(
        alice
            .put(&path, json!({ "presence": "asleep" }))
            .await
            .unwrap_err()
            .status,
        400
    );
}

#[tokio::test]
async fn syncing_is_being_online_unless_told_otherwise() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    alice.create_room_with(&[&bob]).await;
    let since = bob
        .sync(Sync {
            set_presence: Some("offline"),
            ..Sync::default()
        })
        .await
        .unwrap();
    set(&alice, "unavailable", "").await;
    alice.sync_all().await;
    bob.sync_until(since.text("/next_batch"), |answer| {
        of(answer, &alice).is_some_and(|content| content["presence"] == "online")
    })
    .await;
}

#[tokio::test]
async fn who_was_never_about_is_offline() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let shown = alice.get(v3(["presence", &alice.id, "status"])).await.unwrap();
    assert_eq!(shown.text("/presence"), "offline");
}

#[tokio::test]
async fn presence_can_be_turned_off() {
    let server = TestServer::builder().set("presence.enabled", false).start().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    alice.create_room_with(&[&bob]).await;
    let since = bob.now().await;
    // Clients send it all the same, and must not stumble.
    let answer = alice
        .put(
            v3(["presence", &alice.id, "status"]),
            json!({ "presence": "online" }),
        )
        .await;
    assert!(answer.is_ok(), "{answer:?}");
    alice.sync_all().await;
    assert!(bob.sync_from(&since).await.events("/presence/events").is_empty());
}

#[tokio::test]
async fn who_meets_sees_at_once_who_is_about() {
    let server = TestServer::shared().await;
    let [alice, bob, eve] = server.register(["alice", "bob", "eve"]).await;
    let room_id = alice.create_room_with(&[&eve]).await;
    set(&alice, "unavailable", "at lunch").await;
    set(&bob, "online", "new here").await;
    // Everybody has heard of all there was to hear.
    let (alice_since, bob_since) = (alice.now().await, bob.now().await);
    alice.invite(&room_id, &bob).await.unwrap();
    bob.join(&room_id).await.unwrap();
    let of_alice = |answer: &Value| of(answer, &alice).map(|content| content["status_msg"].clone());
    let answer = bob
        .sync_until(&bob_since, |answer| of_alice(answer).is_some())
        .await;
    assert_eq!(of_alice(&answer).unwrap(), "at lunch");
    let of_bob = |answer: &Value| of(answer, &bob).map(|content| content["status_msg"].clone());
    let answer = alice
        .sync_until(&alice_since, |answer| of_bob(answer).is_some())
        .await;
    assert_eq!(of_bob(&answer).unwrap(), "new here");
    // And is not told again with each message.
    let since = answer.text("/next_batch").to_owned();
    alice.send_text(&room_id, "welcome").await.unwrap();
    let answer = alice.sync_from(&since).await;
    assert!(of_bob(&answer).is_none(), "{answer}");
}
