use echorift_tests::{Look as _, TestServer, fresh};
use serde_json::{Value, json};

use crate::{all_indexed, search};

fn bodies(events: &Value) -> Vec<&str> {
    let events = events.as_array().unwrap();
    events
        .iter()
        .map(|event| event["content"]["body"].as_str().unwrap_or("?"))
        .collect()
}

#[tokio::test]
async fn results_come_with_what_was_said_around_them() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    alice.set_display_name("Alice of then").await.unwrap();
    let room = alice.create_room_with(&[&bob]).await;
    let word = fresh("context").replace('-', "");
    for text in ["one", "two", "three"] {
        bob.send_text(&room, text).await.unwrap();
    }
    alice.send_text(&room, &word).await.unwrap();
    for text in ["four", "five", "six"] {
        bob.send_text(&room, text).await.unwrap();
    }
    alice.set_display_name("Alice of now").await.unwrap();
    all_indexed(&alice, &room).await;
    let wanted = json!({ "before_limit": 2, "after_limit": 2, "include_profile": true });
    let criteria = json!({ "search_term": word, "event_context": wanted, "include_state": true });
    let results = search(&bob, criteria).await;
    let context = &results["results"][0]["context"];
    assert_eq!(bodies(&context["events_before"]), ["three", "two"]);
    assert_eq!(bodies(&context["events_after"]), ["four", "five"]);
    assert_eq!(context["profile_info"][&alice.id]["displayname"], "Alice of then");
    assert!(context["profile_info"][&bob.id].is_object());

    let query = |dir: &str, from: &str| format!("dir={dir}&limit=1&from={from}");
    let earlier = bob
        .messages(&room, &query("b", context.text("/start")))
        .await
        .unwrap();
    assert_eq!(bodies(&earlier["chunk"]), ["one"]);
    let later = bob
        .messages(&room, &query("f", context.text("/end")))
        .await
        .unwrap();
    assert_eq!(bodies(&later["chunk"]), ["six"]);

    let state = results["state"][&room].as_array().unwrap();
    let types: Vec<&str> = state.iter().map(|event| event.text("/type")).collect();
    assert!(types.contains(&"m.room.create") && types.contains(&"m.room.member"));
}

#[tokio::test]
async fn five_events_on_either_side_are_usual() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_public_room().await;
    let word = fresh("usual").replace('-', "");
    for number in 0..6 {
        alice.send_text(&room, &format!("early {number}")).await.unwrap();
    }
    alice.send_text(&room, &word).await.unwrap();
    all_indexed(&alice, &room).await;
    let results = search(&alice, json!({ "search_term": word, "event_context": {} })).await;
    let context = &results["results"][0]["context"];
    assert_eq!(bodies(&context["events_before"]).len(), 5);
    assert_eq!(bodies(&context["events_after"]).len(), 1);
    assert_eq!(context.get("profile_info"), None);
}
