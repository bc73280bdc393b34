use echorift_tests::{Look as _, TestServer, User, fresh, refused, v3};
use serde_json::{Value, json};

async fn published(owner: &User, name: &str, more: Value) -> String {
    let mut request = json!({ "preset": "public_chat", "visibility": "public", "name": name });
    for (key, value) in more.as_object().into_iter().flatten() {
        request[key] = value.clone();
    }
    owner.create_room(request).await.unwrap()
}

fn rooms_of(answer: &Value) -> Vec<String> {
    answer
        .list("/chunk")
        .iter()
        .map(|room| room.text("/room_id").to_owned())
        .collect()
}

#[tokio::test]
async fn published_rooms_are_found_by_their_words() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let word = fresh("Harbour");
    let small = published(&alice, &format!("{word} office"), json!({ "topic": "Ships" })).await;
    let large = published(&alice, "Pier", json!({ "topic": format!("near the {word}") })).await;
    let space = published(
        &alice,
        &format!("{word} space"),
        json!({ "creation_content": { "type": "m.space" } }),
    )
    .await;
    bob.join(&large).await.unwrap();

    let search = |filter: Value| {
        let bob = bob.clone();
        async move {
            bob.post(v3(["publicRooms"]), json!({ "filter": filter }))
                .await
                .unwrap()
        }
    };
    let found = search(json!({ "generic_search_term": word.to_lowercase() })).await;
    assert_eq!(
        rooms_of(&found)[0],
        large,
        "the room with more members comes first"
    );
    assert_eq!(found.list("/chunk").len(), 3);
    let entry = found
        .list("/chunk")
        .iter()
        .find(|room| room["room_id"] == small.as_str())
        .unwrap();
    assert_eq!(
        (entry.number("/num_joined_members"), entry.text("/topic")),
        (1, "Ships")
    );
    assert_eq!(
        (&entry["world_readable"], &entry["guest_can_join"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(entry["join_rule"].as_str().unwrap_or("public"), "public");
    let spaces = search(json!({ "generic_search_term": word, "room_types": ["m.space"] })).await;
    assert_eq!(rooms_of(&spaces), [space.as_str()]);
    let plain = search(json!({ "generic_search_term": word, "room_types": [null] })).await;
    assert!(!rooms_of(&plain).contains(&space) && plain.list("/chunk").len() == 2);
    refused(
        server.anonymous().get(v3(["publicRooms"])).await,
        401,
        "M_MISSING_TOKEN",
    );
}

#[tokio::test]
async fn the_list_is_read_page_by_page() {
    let server = TestServer::start().await;
    let [alice] = server.register(["alice"]).await;
    let mut expected = Vec::new();
    for number in 0..5 {
        expected.push(published(&alice, &format!("Room {number}"), json!({})).await);
    }
    let mut seen = Vec::new();
    let mut since = String::new();
    for _ in 0..5 {
        let page = alice
            .get(format!("{}?limit=2{since}", v3(["publicRooms"])))
            .await
            .unwrap();
        assert!(page.list("/chunk").len() <= 2);
        assert_eq!(page.number("/total_room_count_estimate"), 5);
        seen.extend(rooms_of(&page));
        match page["next_batch"].as_str() {
            Some(next) => since = format!("&since={next}"),
            None => break,
        }
    }
    seen.sort();
    expected.sort();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_room_is_listed_by_those_who_may() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_public_room().await;
    bob.join(&room).await.unwrap();
    let path = v3(["directory", "list", "room", &room]);
    assert_eq!(bob.get(&path).await.unwrap().text("/visibility"), "private");
    refused(
        bob.put(&path, json!({ "visibility": "public" })).await,
        403,
        "M_FORBIDDEN",
    );
    alice.put(&path, json!({ "visibility": "public" })).await.unwrap();
    assert_eq!(bob.get(&path).await.unwrap().text("/visibility"), "public");
    refused(
        alice
            .get(v3(["directory", "list", "room", "!none:test.example"]))
            .await,
        404,
        "M_NOT_FOUND",
    );
}

#[tokio::test]
async fn only_administrators_publish_if_that_is_the_rule() {
    let server = TestServer::builder().set("rooms.publish", "admins").start().await;
    let [alice] = server.register(["alice"]).await;
    let admin = server.register_admin().await;
    let room = alice.create_public_room().await;
    let path = v3(["directory", "list", "room", &room]);
    refused(
        alice.put(&path, json!({ "visibility": "public" })).await,
        403,
        "M_FORBIDDEN",
    );
    let room = admin.create_public_room().await;
    admin
        .put(
            v3(["directory", "list", "room", &room]),
            json!({ "visibility": "public" }),
        )
        .await
        .unwrap();
}

#[tokio::test]
async fn a_summary_tells_what_a_visitor_may_know() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = published(&alice, "Open house", json!({ "topic": "Come in" })).await;
    let path = format!("/_matrix/client/v1/room_summary/{room}");
    let summary = bob.get(&path).await.unwrap();
    assert_eq!(
        (summary.text("/name"), summary.text("/topic")),
        ("Open house", "Come in")
    );
    assert_eq!(summary.number("/num_joined_members"), 1);
    assert_eq!(summary["join_rule"].as_str().unwrap_or("public"), "public");
    let own = alice.get(&path).await.unwrap();
    assert_eq!(own.text("/membership"), "join");
    let secret = alice
        .create_room(json!({ "preset": "private_chat" }))
        .await
        .unwrap();
    refused(
        bob.get(format!("/_matrix/client/v1/room_summary/{secret}")).await,
        404,
        "M_NOT_FOUND",
    );
}

#[tokio::test]
async fn shared_rooms_are_told_to_both() {
    let server = TestServer::shared().await;
    let [alice, bob, carol] = server.register(["alice", "bob", "carol"]).await;
    let room = alice.create_room_with(&[&bob, &carol]).await;
    let pair = alice.create_room_with(&[&bob]).await;
    let path = format!("/_matrix/client/v1/mutual_rooms?user_id={}", bob.id);
    let answer = alice.get(&path).await.unwrap();
    let mut rooms: Vec<&str> = answer.list("/joined").iter().filter_map(Value::as_str).collect();
    rooms.sort_unstable();
    let mut expected = [room.as_str(), pair.as_str()];
    expected.sort_unstable();
    assert_eq!(rooms, expected);
    refused(bob.get(&path).await, 400, "M_INVALID_PARAM");
}
