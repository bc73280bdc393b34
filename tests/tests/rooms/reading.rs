use echorift_tests::{Look as _, Sync, TestServer, User, refused, v1, v3};
use serde_json::{Value, json};

async fn talk(user: &User, room: &str, count: usize) -> Vec<String> {
    let mut ids = Vec::with_capacity(count);
    for number in 0..count {
        ids.push(user.send_text(room, &number.to_string()).await.unwrap());
    }
    ids
}

#[tokio::test]
async fn pages_in_both_directions_lose_and_double_nothing() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    talk(&alice, &room, 25).await;
    let forwards: Vec<String> = alice
        .whole_timeline(&room, 7)
        .await
        .iter()
        .map(|event| event.text("/event_id").to_owned())
        .collect();

    let mut backwards = Vec::new();
    let mut from = String::new();
    loop {
        let page = alice
            .messages(&room, &format!("dir=b&limit=4{from}"))
            .await
            .unwrap();
        assert!(page.list("/chunk").len() <= 4);
        backwards.extend(page.ids("/chunk"));
        match page["end"].as_str() {
            Some(end) => from = format!("&from={end}"),
            None => break,
        }
    }
    backwards.reverse();
    assert_eq!(forwards, backwards);
    assert!(forwards.len() > 25);
    let bodies = alice.newest(&room, 100).await.bodies("/chunk");
    let expected: Vec<String> = (0..25).rev().map(|number: i32| number.to_string()).collect();
    assert_eq!(bodies, expected);
}

#[tokio::test]
async fn a_page_ends_where_it_is_told_to() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    talk(&alice, &room, 3).await;
    let middle = alice.now().await;
    talk(&alice, &room, 3).await;
    let now = alice.now().await;
    let page = alice
        .messages(&room, &format!("dir=b&limit=50&from={now}&to={middle}"))
        .await
        .unwrap();
    assert_eq!(page.bodies("/chunk"), ["2", "1", "0"]);
    let page = alice
        .messages(&room, &format!("dir=f&limit=50&from={middle}"))
        .await
        .unwrap();
    assert_eq!(page.bodies("/chunk"), ["0", "1", "2"]);
    // From the newest forwards there is nothing yet, and later there is.
    let page = alice.messages(&room, &format!("dir=f&from={now}")).await.unwrap();
    assert!(page.list("/chunk").is_empty());
    alice.send_text(&room, "later").await.unwrap();
    let page = alice.messages(&room, &format!("dir=f&from={now}")).await.unwrap();
    assert_eq!(page.bodies("/chunk"), ["later"]);
}

#[tokio::test]
async fn a_filter_leaves_out_what_is_not_wanted() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let message = alice.send_text(&room, "from alice").await.unwrap();
    bob.send_text(&room, "from bob").await.unwrap();
    bob.react(&room, &message, "👍").await.unwrap();
    let picture = json!({ "msgtype": "m.image", "body": "a picture", "url": "mxc://test.example/x" });
    bob.send_event(&room, "m.room.message", picture).await.unwrap();

    let filtered = |filter: Value| {
        let (alice, room) = (alice.clone(), room.clone());
        async move {
            let query = format!("dir=b&limit=50&{}", User::filter_query(&filter));
            alice.messages(&room, &query).await.unwrap()
        }
    };
    let only_bob = filtered(json!({ "senders": [bob.id], "types": ["m.room.message"] })).await;
    assert_eq!(only_bob.bodies("/chunk"), ["a picture", "from bob"]);
    let not_bob = filtered(json!({ "not_senders": [bob.id], "types": ["m.room.mess*"] })).await;
    assert_eq!(not_bob.bodies("/chunk"), ["from alice"]);
    let reactions = filtered(json!({ "types": ["m.reaction"] })).await;
    assert_eq!(reactions.list("/chunk").len(), 1);
    let with_url = filtered(json!({ "contains_url": true })).await;
    assert_eq!(with_url.bodies("/chunk"), ["a picture"]);
    let not_types = filtered(json!({ "not_types": ["m.room.*"] })).await;
    assert_eq!(not_types.list("/chunk").len(), 1);
}

#[tokio::test]
async fn lazy_loading_brings_the_members_who_speak() {
    let server = TestServer::shared().await;
    let [alice, bob, carol] = server.register(["alice", "bob", "carol"]).await;
    let room = alice.create_room_with(&[&bob, &carol]).await;
    let since = alice.now().await;
    bob.send_text(&room, "hello").await.unwrap();
    let now = alice.now().await;
    let filter = User::filter_query(&json!({ "lazy_load_members": true, "types": ["m.room.message"] }));
    let page = alice
        .messages(&room, &format!("dir=b&from={now}&to={since}&{filter}"))
        .await
        .unwrap();
    let members: Vec<&str> = page
        .list("/state")
        .iter()
        .map(|event| event.text("/state_key"))
        .collect();
    assert_eq!(members, [bob.id.as_str()]);
}

#[tokio::test]
async fn context_shows_both_sides_of_an_event() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    let ids = talk(&alice, &room, 11).await;
    let context = alice
        .get(v3(["rooms", &room, "context", &ids[5]]) + "?limit=6")
        .await
        .unwrap();
    assert_eq!(context.text("/event/event_id"), ids[5]);
    assert_eq!(context.bodies("/events_before"), ["4", "3", "2"]);
    assert_eq!(context.bodies("/events_after"), ["6", "7", "8"]);
    assert!(
        context
            .list("/state")
            .iter()
            .any(|event| event["type"] == "m.room.create")
    );
    let older = alice
        .messages(&room, &format!("dir=b&limit=2&from={}", context.text("/start")))
        .await
        .unwrap();
    assert_eq!(older.bodies("/chunk"), ["1", "0"]);
    let newer = alice
        .messages(&room, &format!("dir=f&limit=5&from={}", context.text("/end")))
        .await
        .unwrap();
    assert_eq!(newer.bodies("/chunk"), ["9", "10"]);
    let alone = alice
        .get(v3(["rooms", &room, "context", &ids[5]]) + "?limit=0")
        .await
        .unwrap();
    // Present, since clients read them without looking.
    for side in ["/events_before", "/events_after"] {
        assert_eq!(alone.pointer(side), Some(&json!([])), "{alone}");
    }
    refused(
        alice.get(v3(["rooms", &room, "context", "$none"])).await,
        404,
        "M_NOT_FOUND",
    );
}

#[tokio::test]
async fn state_is_read_as_a_whole_and_by_its_key() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room(json!({ "name": "Wharf" })).await.unwrap();
    let whole = alice.get(v3(["rooms", &room, "state"])).await.unwrap();
    let names: Vec<&str> = whole
        .list("")
        .iter()
        .filter(|event| event["type"] == "m.room.name")
        .map(|event| event.text("/event_id"))
        .collect();
    let [first] = names[..] else {
        panic!("one name, not {names:?}");
    };
    let path = v3(["rooms", &room, "state", "m.room.name"]);
    assert_eq!(alice.get(&path).await.unwrap(), json!({ "name": "Wharf" }));
    let event = alice.get(format!("{path}?format=event")).await.unwrap();
    assert_eq!((event.text("/event_id"), event.text("/state_key")), (first, ""));
    refused(
        alice.get(v3(["rooms", &room, "state", "m.room.topic"])).await,
        404,
        "M_NOT_FOUND",
    );

    let content = json!({ "name": "Quay" });
    let second = alice.set_state(&room, "m.room.name", "", content).await.unwrap();
    let event = alice.event(&room, &second).await.unwrap();
    assert_eq!(event.text("/unsigned/replaces_state"), first);
    assert_eq!(event.text("/unsigned/prev_content/name"), "Wharf");
}

#[tokio::test]
async fn a_moment_leads_to_the_nearest_event() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    let ids = talk(&alice, &room, 2).await;
    let at = alice
        .event(&room, &ids[0])
        .await
        .unwrap()
        .number("/origin_server_ts");
    let find = |ts: i64, dir: &'static str| {
        let (alice, room) = (alice.clone(), room.clone());
        let path = format!("{}?ts={ts}&dir={dir}", v1(["rooms", &room, "timestamp_to_event"]));
        async move { alice.get(path).await }
    };
    let first = find(0, "f").await.unwrap();
    assert_eq!(
        alice.event(&room, first.text("/event_id")).await.unwrap()["type"],
        "m.room.create"
    );
    let last = find(at + 3_600_000, "b").await.unwrap();
    assert_eq!(last.text("/event_id"), ids[1]);
    assert!(find(at, "f").await.unwrap().number("/origin_server_ts") >= at);
    refused(find(at + 3_600_000, "f").await, 404, "M_NOT_FOUND");
    refused(find(0, "b").await, 404, "M_NOT_FOUND");
}

#[tokio::test]
async fn ignored_people_are_not_heard() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    alice
        .set_account_data("m.ignored_user_list", json!({ "ignored_users": { &bob.id: {} } }))
        .await
        .unwrap();
    let since = alice.now().await;
    bob.send_text(&room, "spam").await.unwrap();
    bob.set_state(
        &room,
        "m.room.member",
        &bob.id,
        json!({ "membership": "join", "displayname": "Bobby" }),
    )
    .await
    .unwrap();
    alice.send_text(&room, "peace").await.unwrap();
    let answer = alice
        .sync(Sync {
            since: Some(&since),
            ..Sync::default()
        })
        .await
        .unwrap();
    assert_eq!(
        answer["rooms"]["join"][&room].bodies("/timeline/events"),
        ["peace"]
    );
    assert_eq!(alice.newest(&room, 50).await.bodies("/chunk"), ["peace"]);
    // State still counts.
    assert_eq!(
        alice
            .state(&room, "m.room.member", &bob.id)
            .await
            .unwrap()
            .text("/displayname"),
        "Bobby"
    );
}
