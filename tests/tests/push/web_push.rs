use echorift_tests::{Look as _, User, refused, v3};
use serde_json::{Value, json};

use super::{browser::Browser, gateway::server};

async fn vapid(user: &User) -> String {
    let answer = user.get(v3(["capabilities"])).await.unwrap();
    assert_eq!(answer["capabilities"]["m.webpush"]["enabled"], true);
    answer["capabilities"]["m.webpush"].text("/vapid").to_owned()
}

async fn pushers(user: &User) -> Vec<Value> {
    let answer = user.get(v3(["pushers"])).await.unwrap();
    answer.list("/pushers").to_vec()
}

#[tokio::test]
async fn a_browser_is_told_of_messages_once_it_has_sent_its_token_back() {
    let server = server()
        .set("push.contact", "mailto:admin@example.org")
        .start()
        .await;
    let mut browser = Browser::start().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let vapid_key = vapid(&bob).await;

    let set = bob.request(reqwest::Method::POST, v3(["pushers", "set"]));
    let answer = set.json(&browser.pusher()).send().await.unwrap();
    assert_eq!(answer.status(), 201, "to be activated");
    let activation = browser.next_sealed().await;
    let told = browser.open(&activation);
    assert_eq!(told.text("/app_id"), "org.example.web");
    assert_eq!(activation.path, "push/1");
    let claims = browser.claims(&activation, &vapid_key);
    assert_eq!(claims.text("/sub"), "mailto:admin@example.org");
    assert_eq!(pushers(&bob).await[0]["activated"], false);

    // Nothing is told before.
    alice.send_text(&room, "too early").await.unwrap();
    let ack = |token: &str| json!({ "app_id": "org.example.web", "ack_token": token });
    let wrong = bob.post(v3(["pushers", "ack"]), ack("another")).await;
    refused(wrong, 400, "M_UNKNOWN_ACTIVATION_TOKEN");
    let foreign = alice
        .post(v3(["pushers", "ack"]), ack(told.text("/ack_token")))
        .await;
    refused(foreign, 404, "M_NOT_FOUND");
    bob.post(v3(["pushers", "ack"]), ack(told.text("/ack_token")))
        .await
        .unwrap();
    bob.post(v3(["pushers", "ack"]), ack(told.text("/ack_token")))
        .await
        .unwrap();
    assert_eq!(pushers(&bob).await[0]["activated"], true);

    let event_id = alice.send_text(&room, "hello").await.unwrap();
    let pushed = browser.next_sealed().await;
    let told = browser.open(&pushed);
    assert_eq!(
        (told.text("/event_id"), told.text("/room_id")),
        (&*event_id, &*room)
    );
    assert_eq!(
        (told.text("/sender"), told.text("/content/body")),
        (&*alice.id, "hello")
    );
    assert_eq!(told.number("/unread"), 2);
    assert_eq!(told.get("devices"), None, "the keys stay here");
    assert_eq!(pushed.headers["urgency"], "high");
    browser.claims(&pushed, &vapid_key);

    // The key outlives the server, and what is activated stays so.
    server.stop().await;
    server.restart().await;
    assert_eq!(vapid(&bob).await, vapid_key);
    let answer = bob.request(reqwest::Method::POST, v3(["pushers", "set"]));
    let answer = answer.json(&browser.pusher()).send().await.unwrap();
    assert_eq!(answer.status(), 200, "nothing has changed");
    let event_id = alice.send_text(&room, "again").await.unwrap();
    let told = browser.next().await;
    assert_eq!(told.text("/event_id"), event_id);
}

#[tokio::test]
async fn a_subscription_that_has_ended_is_forgotten_and_a_busy_service_is_asked_again() {
    let (server, mut browser) = (server().start().await, Browser::start().await);
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    browser.subscribe(&bob).await;

    browser.plan(503);
    let event_id = alice.send_text(&room, "hello").await.unwrap();
    for _ in 0..2 {
        assert_eq!(browser.next().await.text("/event_id"), event_id);
    }
    browser.plan(413);
    alice.send_text(&room, "refused").await.unwrap();
    assert_eq!(browser.next().await.text("/content/body"), "refused");
    browser.plan(410);
    alice.send_text(&room, "gone").await.unwrap();
    assert_eq!(browser.next().await.text("/content/body"), "gone");
    while !pushers(&bob).await.is_empty() {
        tokio::task::yield_now().await;
    }
    alice.send_text(&room, "nobody hears").await.unwrap();
    assert!(browser.try_next().is_none());
}

#[tokio::test]
async fn long_messages_are_cut_to_what_services_carry() {
    let (server, mut browser) = (server().start().await, Browser::start().await);
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    browser.subscribe(&bob).await;
    let event_id = alice.send_text(&room, &"long ".repeat(2_000)).await.unwrap();
    let told = browser.next().await;
    assert_eq!(told.text("/event_id"), event_id);
    assert_eq!(told.get("content"), None);
}

#[tokio::test]
async fn what_is_no_subscription_is_refused() {
    let server = server().set("push.allow_http", false).start().await;
    let browser = Browser::start().await;
    let [alice] = server.register(["alice"]).await;
    let changed = |pointer: &str, value: Value| {
        let mut body = browser.pusher();
        body["data"]["url"] = json!("https://push.example.org/1");
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    let bad = [
        changed("/pushkey", json!("short")),
        changed("/pushkey", json!("A".repeat(87))),
        changed("/data/auth", json!("AAAA")),
        changed("/data/auth", json!(7)),
        changed("/data/url", json!("http://push.example.org/1")),
        changed("/data/url", json!("https://me:secret@push.example.org/1")),
        changed("/kind", json!("telegram")),
    ];
    for body in bad {
        let answer = alice.post(v3(["pushers", "set"]), body).await;
        refused(answer, 400, "M_INVALID_PARAM");
    }
    let without_url = alice
        .post(v3(["pushers", "set"]), changed("/data/url", Value::Null))
        .await;
    refused(without_url, 400, "M_MISSING_PARAM");
}
