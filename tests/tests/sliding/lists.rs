use echorift_tests::{Look as _, TestServer, User};
use serde_json::json;

use super::{Client, list, rooms, sorted};

/// Rooms of the user, each made after the one before.
async fn make_rooms(user: &User, count: usize) -> Vec<String> {
    let mut made = Vec::new();
    for _ in 0..count {
        made.push(user.create_public_room().await);
    }
    made
}

#[tokio::test]
async fn a_window_grows_and_shrinks_over_the_most_active_rooms() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let made = make_rooms(&alice, 5).await;
    let mut client = Client::of_list(&alice, 2);
    let answer = client.sync().await;
    assert_eq!(rooms(&answer), sorted(made[3..].to_vec()));
    assert_eq!(answer.number("/lists/all/count"), 5);
    assert_eq!(answer["rooms"][&made[4]]["initial"], true);

    client.body = list(json!({ "ranges": [[0, 3]] }));
    let answer = client.sync().await;
    assert_eq!(
        rooms(&answer),
        sorted(made[1..3].to_vec()),
        "what was sent is not sent again"
    );
    client.body = list(json!({ "ranges": [[0, 0]] }));
    assert_eq!(rooms(&client.sync().await), Vec::<String>::new());

    alice.send_text(&made[0], "up").await.unwrap();
    let answer = client.sync().await;
    assert_eq!(
        rooms(&answer),
        [made[0].clone()],
        "activity moves a room to the top"
    );
    assert_eq!(answer["rooms"][&made[0]]["initial"], true);
    client.body = list(json!({}));
    assert_eq!(
        rooms(&client.sync().await),
        [] as [String; 0],
        "now all of them were sent"
    );
}

#[tokio::test]
async fn a_room_out_of_the_window_is_caught_up_with_when_it_returns() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let made = make_rooms(&alice, 2).await;
    let mut client = Client::of_list(&alice, 2);
    client.sync().await;
    client.body = list(json!({ "ranges": [[0, 0]] }));
    client.sync().await;
    alice.send_text(&made[0], "one").await.unwrap();
    alice.send_text(&made[1], "two").await.unwrap();
    assert_eq!(rooms(&client.sync().await), [made[1].clone()]);
    client.body = list(json!({ "ranges": [[0, 1]] }));
    let answer = client.sync().await;
    assert_eq!(rooms(&answer), [made[0].clone()]);
    let room = &answer["rooms"][&made[0]];
    assert!(room.get("initial").is_none(), "it is known: {room}");
    assert_eq!(room.bodies("/timeline"), ["one"]);
    assert_eq!(room.number("/num_live"), 0, "it came before the last answer");
}

#[tokio::test]
async fn only_what_people_write_moves_the_bump_stamp() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let made = make_rooms(&alice, 2).await;
    let mut client = Client::of_list(&alice, 2);
    let answer = client.sync().await;
    let stamp = |answer: &serde_json::Value, room: &str| answer["rooms"][room].number("/bump_stamp");
    let first = stamp(&answer, &made[0]);
    assert!(first < stamp(&answer, &made[1]));
    alice
        .set_state(&made[0], "m.room.topic", "", json!({ "topic": "quiet" }))
        .await
        .unwrap();
    assert_eq!(stamp(&client.sync().await, &made[0]), first);
    alice.send_text(&made[0], "loud").await.unwrap();
    assert!(stamp(&client.sync().await, &made[0]) > first);
}

#[tokio::test]
async fn filters_choose_rooms_by_what_they_are() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let plain = alice.create_public_room().await;
    let direct = alice.create_public_room().await;
    alice
        .set_account_data("m.direct", json!({ &bob.id: [&direct] }))
        .await
        .unwrap();
    let encryption =
        json!({ "type": "m.room.encryption", "content": { "algorithm": "m.megolm.v1.aes-sha2" } });
    let secret = alice
        .create_room(json!({ "initial_state": [encryption] }))
        .await
        .unwrap();
    let space = alice
        .create_room(json!({ "creation_content": { "type": "m.space" } }))
        .await
        .unwrap();
    let child = json!({ "via": ["test.example"] });
    alice
        .set_state(&space, "m.space.child", &plain, child)
        .await
        .unwrap();
    alice
        .set_state(&space, "m.space.child", &secret, json!({}))
        .await
        .unwrap();
    let invited = bob.create_room(json!({ "invite": [alice.id] })).await.unwrap();
    let tag = alice.own_path(&["rooms", &plain, "tags", "m.favourite"]);
    alice.put(tag, json!({ "order": 0.1 })).await.unwrap();

    let cases = [
        (json!({ "is_dm": true }), vec![&direct]),
        (
            json!({ "is_dm": false, "is_invite": false }),
            vec![&plain, &secret, &space],
        ),
        (json!({ "is_encrypted": true }), vec![&secret]),
        (json!({ "is_invite": true }), vec![&invited]),
        (json!({ "is_invited": true }), vec![&invited]),
        (json!({ "room_types": ["m.space"] }), vec![&space]),
        (
            json!({ "not_room_types": ["m.space"], "is_invite": false }),
            vec![&plain, &direct, &secret],
        ),
        (
            json!({ "room_types": [null], "is_encrypted": true }),
            vec![&secret],
        ),
        (
            json!({ "room_types": ["m.space"], "not_room_types": ["m.space"] }),
            vec![],
        ),
        (json!({ "spaces": [&space] }), vec![&plain]),
        (json!({ "spaces": [&plain] }), vec![]),
        (json!({ "tags": ["m.favourite", "m.lowpriority"] }), vec![&plain]),
        (
            json!({ "not_tags": ["m.favourite"], "is_invite": false }),
            vec![&direct, &secret, &space],
        ),
    ];
    for (filters, expected) in cases {
        let mut client = Client::new(&alice, list(json!({ "filters": filters })));
        let answer = client.sync().await;
        let expected = sorted(expected.into_iter().cloned().collect());
        assert_eq!(rooms(&answer), expected, "{filters}");
        assert_eq!(answer.number("/lists/all/count"), expected.len() as i64);
    }
}
