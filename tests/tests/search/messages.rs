use echorift_tests::{Look as _, TestServer, fresh, refused, v3};
use serde_json::json;

use crate::{all_indexed, found, search, search_until};

/// A word that only this test says on the shared server.
fn word() -> String {
    fresh("word").replace('-', "")
}

#[tokio::test]
async fn what_was_said_is_found_by_its_words() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let mark = word();
    for text in [
        "Crème brûlée at noon",
        "go to it",
        "明日の会議は東京で",
        "a categorical no",
    ] {
        alice.send_text(&room, &format!("{mark} {text}")).await.unwrap();
    }
    all_indexed(&bob, &room).await;
    for (typed, expected) in [
        ("creme BRULEE", Some("Crème brûlée at noon")),
        ("noon crème", Some("Crème brûlée at noon")),
        ("to", Some("go to it")),
        ("会議", Some("明日の会議は東京で")),
        ("東", Some("明日の会議は東京で")),
        ("categ", Some("a categorical no")),
        ("gorical", None),
        ("creme yesterday", None),
    ] {
        let results = search(&bob, json!({ "search_term": format!("{mark} {typed}") })).await;
        let expected: Vec<String> = expected.iter().map(|text| format!("{mark} {text}")).collect();
        assert_eq!(found(&results), expected, "{typed}");
        assert_eq!(results["count"], expected.len());
    }
    let results = search(&bob, json!({ "search_term": format!("{mark} creme") })).await;
    let highlights = results.list("/highlights");
    assert!(highlights.contains(&json!("crème")), "{highlights:?}");
    let result = &results["results"][0];
    assert!(result["rank"].as_f64().unwrap() > 0.0);
    assert_eq!(result["result"]["sender"], alice.id.as_str());
    assert_eq!(result["result"]["room_id"], room.as_str());
    assert_eq!(result.get("context"), None, "nobody asked for it");
}

#[tokio::test]
async fn names_and_topics_are_found_by_their_keys() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let mark = word();
    let request = json!({ "name": format!("{mark} name"), "topic": format!("{mark} topic") });
    let room = alice.create_room(request).await.unwrap();
    alice.send_text(&room, &format!("{mark} body")).await.unwrap();
    all_indexed(&alice, &room).await;
    for (keys, expected) in [
        (json!(["content.name"]), vec!["name"]),
        (json!(["content.topic"]), vec!["topic"]),
        (json!(["content.body"]), vec!["body"]),
        (json!(["content.body", "content.name"]), vec!["body", "name"]),
        (json!(null), vec!["body", "name", "topic"]),
    ] {
        let criteria = json!({ "search_term": mark, "keys": keys });
        let results = search(&alice, criteria).await;
        let mut texts = found(&results);
        texts.sort();
        let expected: Vec<String> = expected.iter().map(|text| format!("{mark} {text}")).collect();
        assert_eq!(texts, expected, "{keys}");
    }
}

#[tokio::test]
async fn redacted_messages_are_not_found() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_public_room().await;
    let mark = word();
    let slip = alice.send_text(&room, &format!("{mark} slip")).await.unwrap();
    alice.send_text(&room, &format!("{mark} rest")).await.unwrap();
    all_indexed(&alice, &room).await;
    alice.redact(&room, &slip).await.unwrap();
    for order in ["rank", "recent"] {
        let criteria = json!({ "search_term": mark, "order_by": order });
        let rest = format!("{mark} rest");
        let results = search(&alice, criteria.clone()).await;
        assert_eq!(
            found(&results),
            [rest.as_str()],
            "not even before the index knows"
        );
        search_until(&alice, criteria, |results| results["count"] == 1).await;
    }
}

#[tokio::test]
async fn an_edited_message_is_found_as_it_is_now() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let mark = word();
    let original = alice.send_text(&room, &format!("{mark} draft")).await.unwrap();
    let edit = alice
        .edit(&room, &original, &format!("{mark} final"))
        .await
        .unwrap();
    // Somebody else's edit counts for nothing.
    bob.edit(&room, &original, &format!("{mark} forged"))
        .await
        .unwrap();
    all_indexed(&alice, &room).await;
    let term = |text: &str| json!({ "search_term": format!("{mark} {text}") });
    let results = search(&bob, term("final")).await;
    let result = &results["results"][0]["result"];
    assert_eq!(result["event_id"], original.as_str());
    let replacement = &result["unsigned"]["m.relations"]["m.replace"]["content"]["m.new_content"];
    assert_eq!(replacement["body"], format!("{mark} final"));
    for gone in ["draft", "forged"] {
        assert_eq!(search(&bob, term(gone)).await["count"], 0, "{gone}");
    }
    // Without the edit it is what it was.
    alice.redact(&room, &edit).await.unwrap();
    let results = search_until(&bob, term("draft"), |results| results["count"] == 1).await;
    assert_eq!(results["results"][0]["result"]["event_id"], original.as_str());
    assert_eq!(search(&bob, term("final")).await["count"], 0);
}

#[tokio::test]
async fn filters_choose_among_rooms_senders_and_kinds() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let (here, there) = (
        alice.create_room_with(&[&bob]).await,
        alice.create_public_room().await,
    );
    let mark = word();
    alice
        .send_text(&here, &format!("{mark} alice here"))
        .await
        .unwrap();
    bob.send_text(&here, &format!("{mark} bob here")).await.unwrap();
    alice
        .send_text(&there, &format!("{mark} alice there"))
        .await
        .unwrap();
    let picture =
        json!({ "msgtype": "m.image", "body": format!("{mark} picture"), "url": "mxc://test.example/x" });
    alice.send_event(&there, "m.room.message", picture).await.unwrap();
    all_indexed(&alice, &there).await;
    all_indexed(&alice, &here).await;
    for (filter, expected) in [
        (json!({ "rooms": [here] }), vec!["alice here", "bob here"]),
        (json!({ "not_rooms": [here] }), vec!["alice there", "picture"]),
        (json!({ "senders": [bob.id] }), vec!["bob here"]),
        (json!({ "not_senders": [alice.id] }), vec!["bob here"]),
        (json!({ "senders": ["@nobody:test.example"] }), vec![]),
        (json!({ "contains_url": true }), vec!["picture"]),
        (
            json!({ "contains_url": false, "rooms": [there] }),
            vec!["alice there"],
        ),
        (json!({ "types": ["m.room.name"] }), vec![]),
        (
            json!({ "types": ["m.room.*"], "rooms": [there] }),
            vec!["alice there", "picture"],
        ),
        (json!({ "rooms": [] }), vec![]),
    ] {
        let criteria = json!({ "search_term": mark, "filter": filter });
        let mut texts = found(&search(&alice, criteria).await);
        texts.sort();
        let expected: Vec<String> = expected.iter().map(|text| format!("{mark} {text}")).collect();
        assert_eq!(texts, expected, "{filter}");
    }
}

#[tokio::test]
async fn the_index_survives_the_servers_end() {
    let server = TestServer::start().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_public_room().await;
    for number in 0..20 {
        alice.send_text(&room, &format!("before {number}")).await.unwrap();
    }
    server.kill();
    server.restart().await;
    let alice = alice.on_another_device().await;
    alice.send_text(&room, "before and after").await.unwrap();
    let criteria = json!({ "search_term": "before", "filter": { "limit": 50 } });
    let results = search_until(&alice, criteria, |results| results["count"] == 21).await;
    assert_eq!(results.list("/results").len(), 21);
}

#[tokio::test]
async fn bad_searches_are_refused_and_empty_ones_find_nothing() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    for term in ["", "   ", "!?…"] {
        let results = search(&alice, json!({ "search_term": term })).await;
        assert_eq!(
            (results["count"].clone(), found(&results)),
            (json!(0), vec![]),
            "{term}"
        );
    }
    let nothing = alice
        .post(v3(["search"]), json!({ "search_categories": {} }))
        .await;
    assert_eq!(nothing.unwrap(), json!({ "search_categories": {} }));
    let post = |body| alice.post(v3(["search"]), body);
    for criteria in [
        json!({}),
        json!({ "search_term": 7 }),
        json!({ "search_term": "x", "order_by": "colour" }),
        json!({ "search_term": "x", "keys": ["content.colour"] }),
    ] {
        let body = json!({ "search_categories": { "room_events": criteria } });
        refused(post(body).await, 400, "M_BAD_JSON");
    }
    let body = json!({ "search_categories": { "room_events": { "search_term": "x" } } });
    let path = format!("{}?next_batch=nonsense", v3(["search"]));
    refused(alice.post(path, body).await, 400, "M_INVALID_PARAM");
}
