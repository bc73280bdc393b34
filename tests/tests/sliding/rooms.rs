use echorift_tests::{Look as _, TestServer, v3};
use serde_json::{Value, json};

use super::{Client, V4, list, rooms, state_keys};

fn wants(limit: u32, required_state: Value) -> Value {
    let mut body = list(json!({ "timeline_limit": limit }));
    body["lists"]["all"]["required_state"] = required_state;
    body
}

#[tokio::test]
async fn a_room_is_told_whole_and_then_by_what_changes() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice
        .create_room(json!({ "name": "Tea", "preset": "public_chat" }))
        .await
        .unwrap();
    let last = alice.send_text(&room, "hello").await.unwrap();
    let body = wants(
        2,
        json!([
            ["m.room.create", ""],
            ["m.room.topic", ""],
            ["m.room.member", "$ME"]
        ]),
    );
    let mut client = Client::new(&alice, body);
    let answer = client.sync().await;
    let told = &answer["rooms"][&room];
    assert_eq!(told["initial"], true);
    assert_eq!((told.text("/name"), told.number("/joined_count")), ("Tea", 1));
    assert_eq!((told.list("/timeline").len(), told["limited"] == true), (2, true));
    assert_eq!(told.ids("/timeline").last(), Some(&last));
    let me = format!("m.room.member|{}", alice.id);
    assert_eq!(state_keys(&answer, &room), ["m.room.create|".to_owned(), me]);
    let back = format!("dir=b&limit=1&from={}", told.text("/prev_batch"));
    let earlier = alice.messages(&room, &back).await.unwrap();
    assert!(!told.ids("/timeline").contains(&earlier.ids("/chunk")[0]));

    assert_eq!(rooms(&client.sync().await), [] as [String; 0]);
    bob.join(&room).await.unwrap();
    alice
        .set_state(&room, "m.room.topic", "", json!({ "topic": "Green" }))
        .await
        .unwrap();
    alice
        .set_state(&room, "m.room.name", "", json!({ "name": "" }))
        .await
        .unwrap();
    client.body = wants(10, json!([["m.room.create", ""], ["m.room.topic", ""]]));
    let answer = client.sync().await;
    let told = &answer["rooms"][&room];
    assert!(told.get("initial").is_none());
    assert_eq!(state_keys(&answer, &room), ["m.room.topic|"]);
    assert_eq!(told.number("/joined_count"), 2);
    assert_eq!(told.get("name"), Some(&Value::Null), "it is gone: {told}");
    assert_eq!(told.text("/heroes/0/user_id"), bob.id, "{told}");
    assert_eq!(told.number("/num_live"), 3);
}

#[tokio::test]
async fn what_a_client_asks_for_more_comes_at_once() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_public_room().await;
    for text in ["a", "b", "c"] {
        alice.send_text(&room, text).await.unwrap();
    }
    let mut client = Client::new(&alice, wants(1, json!([])));
    assert_eq!(client.sync().await["rooms"][&room].bodies("/timeline"), ["c"]);

    client.body = wants(3, json!([]));
    let answer = client.sync().await;
    let told = &answer["rooms"][&room];
    assert_eq!(told.bodies("/timeline"), ["a", "b", "c"]);
    assert_eq!(told["unstable_expanded_timeline"], true);
    assert_eq!(told.number("/num_live"), 0);
    client.body = wants(2, json!([]));
    assert_eq!(rooms(&client.sync().await), [] as [String; 0]);
    client.body = wants(3, json!([]));
    assert_eq!(
        rooms(&client.sync().await),
        [] as [String; 0],
        "the client has them"
    );

    client.body = wants(3, json!([["m.room.create", ""]]));
    assert_eq!(state_keys(&client.sync().await, &room), ["m.room.create|"]);
    client.body = wants(3, json!([["*", ""]]));
    let answer = client.sync().await;
    let keys = state_keys(&answer, &room);
    assert!(keys.contains(&"m.room.power_levels|".to_owned()), "{keys:?}");
    assert!(
        !keys.contains(&"m.room.create|".to_owned()),
        "it was sent: {keys:?}"
    );
    client.body = wants(3, json!([["m.room.create", ""]]));
    assert_eq!(rooms(&client.sync().await), [] as [String; 0]);
    client.body = wants(3, json!([["*", ""]]));
    assert_eq!(
        rooms(&client.sync().await),
        [] as [String; 0],
        "nothing of it changed"
    );
}

#[tokio::test]
async fn lazy_loading_sends_members_as_they_speak() {
    let server = TestServer::shared().await;
    let [alice, bob, carol] = server.register(["alice", "bob", "carol"]).await;
    let room = alice.create_room_with(&[&bob, &carol]).await;
    bob.send_text(&room, "hello").await.unwrap();
    let member = |who: &echorift_tests::User| format!("m.room.member|{}", who.id);
    let mut client = Client::new(&alice, wants(1, json!([["m.room.member", "$LAZY"]])));
    assert_eq!(state_keys(&client.sync().await, &room), [member(&bob)]);
    bob.send_text(&room, "again").await.unwrap();
    let answer = client.sync().await;
    assert_eq!(answer["rooms"][&room].bodies("/timeline"), ["again"]);
    assert_eq!(state_keys(&answer, &room), [] as [String; 0], "bob was sent");
    carol.send_text(&room, "me too").await.unwrap();
    assert_eq!(state_keys(&client.sync().await, &room), [member(&carol)]);
    bob.set_display_name("Robert").await.unwrap();
    assert_eq!(
        state_keys(&client.sync().await, &room),
        [member(&bob)],
        "what changes is sent"
    );
}

#[tokio::test]
async fn rules_are_joined_where_they_meet() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_public_room().await;
    let hidden = bob.create_public_room().await;
    for text in ["a", "b", "c"] {
        alice.send_text(&room, text).await.unwrap();
    }
    let mut body = wants(1, json!([["m.room.create", ""]]));
    body["room_subscriptions"] = json!({
        &room: { "timeline_limit": 2, "required_state": [["m.room.join_rules", ""]] },
        &hidden: { "timeline_limit": 2, "required_state": [["*", "*"]] },
        "!nowhere:test.example": { "timeline_limit": 1 },
    });
    let answer = Client::new(&alice, body).sync().await;
    assert_eq!(
        rooms(&answer),
        std::slice::from_ref(&room),
        "others' rooms are nobody's business"
    );
    assert_eq!(
        state_keys(&answer, &room),
        ["m.room.create|", "m.room.join_rules|"]
    );
    assert_eq!(answer["rooms"][&room].bodies("/timeline"), ["b", "c"]);
}

#[tokio::test]
async fn counts_are_those_of_the_other_sync() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let mut client = Client::of_list(&bob, 5);
    client.sync().await;
    alice.send_text(&room, "one").await.unwrap();
    let mention = json!({ "msgtype": "m.text", "body": "you", "m.mentions": { "user_ids": [&bob.id] } });
    let last = alice.send_event(&room, "m.room.message", mention).await.unwrap();
    let told = client.sync().await["rooms"][&room].clone();
    let other = bob.sync_all().await["rooms"]["join"][&room]["unread_notifications"].clone();
    for count in ["notification_count", "highlight_count"] {
        assert_eq!(told[count], other[count], "{count}");
    }
    assert_eq!(
        (
            told.number("/notification_count"),
            told.number("/highlight_count")
        ),
        (2, 1)
    );
    bob.post(v3(["rooms", &room, "receipt", "m.read", &last]), json!({}))
        .await
        .unwrap();
    let told = client.sync().await["rooms"][&room].clone();
    assert_eq!(
        (
            told.number("/notification_count"),
            told.number("/highlight_count")
        ),
        (0, 0)
    );
}

#[tokio::test]
async fn ignored_people_are_not_heard() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let ignored = json!({ "ignored_users": { &alice.id: {} } });
    bob.set_account_data("m.ignored_user_list", ignored)
        .await
        .unwrap();
    let mut client = Client::of_list(&bob, 5);
    client.sync().await;
    alice.send_text(&room, "psst").await.unwrap();
    alice.create_room(json!({ "invite": [bob.id] })).await.unwrap();
    let answer = client.sync().await;
    assert!(!answer.to_string().contains("psst"), "{answer}");
    assert_eq!(answer.number("/lists/all/count"), 1, "their invites do not count");
}

#[tokio::test]
async fn the_proposals_own_form_is_understood() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room(json!({ "name": "Tea" })).await.unwrap();
    let required = json!({ "include": [{ "type": "m.room.name" }, { "state_key": "", "type": "m.room.create" }],
        "exclude": [{ "type": "m.room.create" }] });
    let body =
        json!({ "lists": { "all": { "range": [0, 9], "timeline_limit": 1, "required_state": required } } });
    let answer = alice.post(V4, body.clone()).await.unwrap();
    let told = &answer["rooms"][&room];
    assert_eq!(state_keys(&answer, &room), ["m.room.name|"]);
    assert_eq!(
        (told.text("/membership"), told["lists"].clone()),
        ("join", json!(["all"]))
    );

    let mut next = body;
    next["pos"] = answer["pos"].clone();
    next["lists"]["all"]["timeline_limit"] = json!(3);
    let answer = alice.post(V4, next).await.unwrap();
    assert_eq!(answer["rooms"][&room]["expanded_timeline"], true);
}
