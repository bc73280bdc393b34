use echorift_tests::{Look as _, TestServer, refused, v1};
use serde_json::{Value, json};

#[tokio::test]
async fn an_edit_shows_with_what_it_edits() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let event_id = alice.send_text(&room, "helo").await.unwrap();
    alice.edit(&room, &event_id, "hallo").await.unwrap();
    let last = alice.edit(&room, &event_id, "hello").await.unwrap();
    // Nobody edits what others said; such an event does not count.
    bob.edit(&room, &event_id, "goodbye").await.unwrap();

    let event = bob.event(&room, &event_id).await.unwrap();
    assert_eq!(event["content"]["body"], "helo", "the original stays as it was");
    let replace = &event["unsigned"]["m.relations"]["m.replace"];
    assert_eq!(
        (
            replace.text("/event_id"),
            replace.text("/content/m.new_content/body")
        ),
        (last.as_str(), "hello")
    );

    alice.redact(&room, &last).await.unwrap();
    let event = bob.event(&room, &event_id).await.unwrap();
    let replace = &event["unsigned"]["m.relations"]["m.replace"];
    assert_eq!(replace.text("/content/m.new_content/body"), "hallo");
}

#[tokio::test]
async fn reactions_are_found_and_not_doubled() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let event_id = alice.send_text(&room, "cake?").await.unwrap();
    let reaction = bob.react(&room, &event_id, "🎂").await.unwrap();
    refused(
        bob.react(&room, &event_id, "🎂").await.map(Value::from),
        400,
        "M_DUPLICATE_ANNOTATION",
    );
    bob.react(&room, &event_id, "👍").await.unwrap();
    alice.react(&room, &event_id, "🎂").await.unwrap();

    let path = v1([
        "rooms",
        &room,
        "relations",
        &event_id,
        "m.annotation",
        "m.reaction",
    ]);
    assert_eq!(alice.get(&path).await.unwrap().list("/chunk").len(), 3);
    bob.redact(&room, &reaction).await.unwrap();
    assert_eq!(alice.get(&path).await.unwrap().list("/chunk").len(), 2);
    bob.react(&room, &event_id, "🎂")
        .await
        .expect("after a change of mind");
}

#[tokio::test]
async fn a_thread_is_summed_up_at_its_root() {
    let server = TestServer::shared().await;
    let [alice, bob, carol] = server.register(["alice", "bob", "carol"]).await;
    let room = alice.create_room_with(&[&bob, &carol]).await;
    let root = alice.send_text(&room, "Shall we?").await.unwrap();
    alice.send_text(&room, "by the way").await.unwrap();
    alice.send_in_thread(&room, &root, "one").await.unwrap();
    let last = bob.send_in_thread(&room, &root, "two").await.unwrap();

    for (reader, took_part) in [(&bob, true), (&carol, false)] {
        let event = reader.event(&room, &root).await.unwrap();
        let thread = &event["unsigned"]["m.relations"]["m.thread"];
        assert_eq!(
            (thread.number("/count"), thread.text("/latest_event/event_id")),
            (2, last.as_str())
        );
        assert_eq!(thread["current_user_participated"], took_part);
    }
    let relations = carol
        .get(v1(["rooms", &room, "relations", &root, "m.thread"]))
        .await
        .unwrap();
    assert_eq!(relations.bodies("/chunk"), ["two", "one"]);
    let in_order = carol
        .get(v1(["rooms", &room, "relations", &root, "m.thread"]) + "?dir=f")
        .await
        .unwrap();
    assert_eq!(in_order.bodies("/chunk"), ["one", "two"]);
}

#[tokio::test]
async fn threads_are_listed_newest_first() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let first = alice.send_text(&room, "first").await.unwrap();
    let second = alice.send_text(&room, "second").await.unwrap();
    alice.send_in_thread(&room, &first, "a").await.unwrap();
    alice.send_in_thread(&room, &second, "b").await.unwrap();
    bob.send_in_thread(&room, &first, "c").await.unwrap();

    let path = v1(["rooms", &room, "threads"]);
    assert_eq!(
        alice.get(&path).await.unwrap().ids("/chunk"),
        [first.clone(), second.clone()]
    );
    let participated = bob.get(path.clone() + "?include=participated").await.unwrap();
    assert_eq!(participated.ids("/chunk"), [first.as_str()]);
    let page = alice.get(path.clone() + "?limit=1").await.unwrap();
    assert_eq!(page.ids("/chunk"), [first]);
    let next = alice
        .get(format!("{path}?limit=1&from={}", page.text("/next_batch")))
        .await
        .unwrap();
    assert_eq!(next.ids("/chunk"), [second]);
    refused(alice.get(path + "?from=made-up").await, 400, "M_INVALID_PARAM");
}

#[tokio::test]
async fn relations_are_paged_and_followed_down() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    let root = alice.send_text(&room, "root").await.unwrap();
    let mut replies = Vec::new();
    for number in 0..5 {
        replies.push(
            alice
                .send_in_thread(&room, &root, &number.to_string())
                .await
                .unwrap(),
        );
    }
    let reaction = alice.react(&room, &replies[0], "👍").await.unwrap();
    let path = v1(["rooms", &room, "relations", &root]);
    let mut seen = Vec::new();
    let mut from = String::new();
    loop {
        let page = alice.get(format!("{path}?limit=2{from}")).await.unwrap();
        seen.extend(page.ids("/chunk"));
        match page["next_batch"].as_str() {
            Some(next) => from = format!("&from={next}"),
            None => break,
        }
    }
    seen.reverse();
    assert_eq!(seen, replies);
    let deep = alice.get(path + "?recurse=true&limit=50").await.unwrap();
    assert!(deep.ids("/chunk").contains(&reaction));
    assert!(deep.number("/recursion_depth") >= 2);
    refused(alice.relations(&room, "$none").await, 404, "M_NOT_FOUND");
}

#[tokio::test]
async fn references_are_collected() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    let poll = alice
        .send_event(&room, "org.example.poll", json!({ "question": "?" }))
        .await
        .unwrap();
    let relation = json!({ "m.relates_to": { "rel_type": "m.reference", "event_id": poll } });
    let vote = alice
        .send_event(&room, "org.example.vote", relation)
        .await
        .unwrap();
    let event = alice.event(&room, &poll).await.unwrap();
    assert_eq!(
        event["unsigned"]["m.relations"]["m.reference"]["chunk"],
        json!([{ "event_id": vote }])
    );
}
