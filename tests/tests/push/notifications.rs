use echorift_tests::{Look as _, User, refused, v3};
use serde_json::{Value, json};

use super::gateway::server;

async fn page(user: &User, query: &str) -> Value {
    user.get(v3(["notifications"]) + "?" + query).await.unwrap()
}

fn bodies(page: &Value) -> Vec<&str> {
    let notifications = page.list("/notifications").iter();
    notifications
        .filter_map(|notification| notification["event"]["content"]["body"].as_str())
        .collect()
}

#[tokio::test]
async fn what_has_notified_is_listed_latest_first_page_by_page() {
    let server = server().start().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let (one, other) = (
        alice.create_room_with(&[&bob]).await,
        alice.create_room_with(&[&bob]).await,
    );
    let read = alice.send_text(&one, "first").await.unwrap();
    alice.send_text(&other, "second").await.unwrap();
    let mention = json!({ "msgtype": "m.text", "body": "third", "m.mentions": { "user_ids": [bob.id] } });
    alice.send_event(&one, "m.room.message", mention).await.unwrap();
    let notice = json!({ "msgtype": "m.notice", "body": "silent" });
    alice.send_event(&one, "m.room.message", notice).await.unwrap();
    bob.send_text(&other, "my own").await.unwrap();
    bob.send_receipt(&one, "m.read", &read).await.unwrap();

    let whole = page(&bob, "").await;
    assert_eq!(bodies(&whole), ["third", "second", "first"]);
    assert!(whole["next_token"].is_null(), "{whole}");
    // After the messages come the invitations to the two rooms.
    let reads = whole.list("/notifications").iter().map(|one| one["read"] == true);
    assert_eq!(reads.take(3).collect::<Vec<_>>(), [false, false, true]);
    assert_eq!(whole.text("/notifications/3/event/type"), "m.room.member");
    let first = &whole["notifications"][2];
    assert_eq!(
        (first.text("/room_id"), first.text("/event/event_id")),
        (&*one, &*read)
    );
    assert_eq!(first["actions"][0], "notify");
    assert!(first.number("/ts") > 0);

    let start = page(&bob, "limit=2").await;
    assert_eq!(bodies(&start), ["third", "second"]);
    let rest = page(&bob, &format!("limit=2&from={}", start.text("/next_token"))).await;
    assert_eq!(bodies(&rest)[0], "first");
    assert_eq!(bodies(&page(&bob, "only=highlight").await), ["third"]);
    let strange = bob.get(v3(["notifications"]) + "?from=nonsense").await;
    refused(strange, 400, "M_INVALID_PARAM");
}
