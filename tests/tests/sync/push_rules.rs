use echorift_tests::{Look as _, TestServer, User, path, refused, v3};
use serde_json::{Value, json};

use super::joined;

fn rule(kind: &str, id: &str) -> String {
    v3(["pushrules", "global", kind, id])
}

async fn notifications(reader: &User, room: &str) -> i64 {
    let answer = reader.sync_all().await;
    joined(&answer, room)["unread_notifications"]["notification_count"]
        .as_i64()
        .unwrap_or(0)
}

#[tokio::test]
async fn the_default_rules_are_there_and_can_be_turned_off() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let all = alice.get(v3(["pushrules"]) + "/").await.unwrap();
    assert!(
        all.list("/global/override")
            .iter()
            .any(|rule| rule["rule_id"] == ".m.rule.master"),
        "{all}"
    );
    let since = alice.now().await;
    let path_of = rule("underride", ".m.rule.message");
    alice
        .put(path(&path_of, &["enabled"]), json!({ "enabled": false }))
        .await
        .unwrap();
    assert_eq!(alice.get(&path_of).await.unwrap()["enabled"], false);

    // Other devices learn of it.
    let events = alice.sync_from(&since).await.events("/account_data/events");
    let rules = events
        .iter()
        .find(|event| event["type"] == "m.push_rules")
        .expect("the changed rules");
    let underride = rules.list("/content/global/underride");
    let message = underride
        .iter()
        .find(|rule| rule["rule_id"] == ".m.rule.message")
        .unwrap();
    assert_eq!(message["enabled"], false);
}

#[tokio::test]
async fn a_muted_room_does_not_count_and_a_keyword_highlights() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let (loud, muted) = (
        alice.create_room_with(&[&bob]).await,
        alice.create_room_with(&[&bob]).await,
    );
    let nothing: [Value; 0] = [];
    bob.put(rule("room", &muted), json!({ "actions": nothing }))
        .await
        .unwrap();
    let tweak = json!({ "set_tweak": "highlight" });
    let keyword = json!({ "pattern": "deploy", "actions": ["notify", tweak] });
    bob.put(rule("content", "deploy"), keyword).await.unwrap();

    alice.send_text(&muted, "quiet").await.unwrap();
    alice.send_text(&loud, "we deploy at noon").await.unwrap();
    assert_eq!(notifications(&bob, &muted).await, 0);
    assert_eq!(notifications(&bob, &loud).await, 1);
    let answer = bob.sync_all().await;
    assert_eq!(
        joined(&answer, &loud).number("/unread_notifications/highlight_count"),
        1
    );

    bob.delete(rule("room", &muted)).await.unwrap();
    alice.send_text(&muted, "loud again").await.unwrap();
    assert_eq!(notifications(&bob, &muted).await, 1);
}

#[tokio::test]
async fn rules_that_cannot_be_are_refused() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let actions = json!({ "actions": ["notify"] });
    refused(alice.get(rule("override", "none")).await, 404, "M_NOT_FOUND");
    refused(alice.delete(rule("override", "none")).await, 404, "M_NOT_FOUND");
    let enabled = path(&rule("content", "none"), &["enabled"]);
    refused(
        alice.put(enabled, json!({ "enabled": true })).await,
        404,
        "M_NOT_FOUND",
    );
    let of_the_server = alice
        .put(rule("room", ".m.rule.mine"), actions.clone())
        .await
        .unwrap_err();
    assert_eq!(of_the_server.status, 400, "{of_the_server}");
    let beside_none = rule("room", "!a:test.example") + "?before=!none:test.example";
    refused(alice.put(beside_none, actions).await, 404, "M_NOT_FOUND");
    assert_eq!(
        alice
            .delete(rule("override", ".m.rule.master"))
            .await
            .unwrap_err()
            .status,
        400
    );
}

#[tokio::test]
async fn changes_at_the_same_moment_all_count() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let words: Vec<String> = (0..12).map(|number| format!("word{number}")).collect();
    let changes = words.iter().map(|word| {
        let keyword = json!({ "pattern": word, "actions": ["notify"] });
        alice.put(rule("content", word), keyword)
    });
    for change in futures_util::future::join_all(changes).await {
        change.unwrap();
    }
    let all = alice.get(v3(["pushrules"]) + "/global/").await.unwrap();
    let kept: Vec<&str> = all
        .list("/content")
        .iter()
        .map(|rule| rule.text("/rule_id"))
        .collect();
    assert!(words.iter().all(|word| kept.contains(&word.as_str())), "{kept:?}");
}
