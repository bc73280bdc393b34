use echorift_tests::{Look as _, TestServer, v3};
use serde_json::json;

use super::{Client, V4, list, rooms, state_keys};

#[tokio::test]
async fn an_invite_shows_stripped_state_until_one_enters() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let mut client = Client::of_list(&bob, 5);
    client.sync().await;
    let room = alice
        .create_room(json!({ "name": "Party", "invite": [bob.id] }))
        .await
        .unwrap();
    alice.send_text(&room, "a secret").await.unwrap();
    let answer = client.sync().await;
    let told = &answer["rooms"][&room];
    assert_eq!(
        (told["initial"] == true, told.text("/membership")),
        (true, "invite")
    );
    let names = told.events("/invite_state");
    assert!(
        names.iter().any(|event| event["content"]["name"] == "Party"),
        "{told}"
    );
    assert!(told.get("timeline").is_none() && !answer.to_string().contains("a secret"));
    let v4 = json!({ "conn_id": "v4", "lists": { "all": { "timeline_limit": 1 } } });
    let answer = bob.post(V4, v4).await.unwrap();
    assert!(answer["rooms"][&room]["stripped_state"].is_array(), "{answer}");
    assert_eq!(
        rooms(&client.sync().await),
        [] as [String; 0],
        "an invite comes once"
    );

    bob.join(&room).await.unwrap();
    let told = client.sync().await["rooms"][&room].clone();
    assert_eq!(
        (told["initial"] == true, told.text("/membership")),
        (true, "join")
    );
    assert!(told.get("invite_state").is_none());
}

#[tokio::test]
async fn a_room_left_is_told_once_and_is_nothing_to_a_new_connection() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let mut client = Client::new(
        &bob,
        list(json!({ "required_state": [["m.room.member", "$ME"]] })),
    );
    client.sync().await;
    bob.leave(&room).await.unwrap();
    alice.send_text(&room, "behind your back").await.unwrap();
    let answer = client.sync().await;
    assert_eq!(answer["rooms"][&room].text("/membership"), "leave");
    assert_eq!(state_keys(&answer, &room), [format!("m.room.member|{}", bob.id)]);
    assert!(!answer.to_string().contains("behind your back"));
    assert_eq!(rooms(&client.sync().await), [] as [String; 0]);
    assert_eq!(rooms(&Client::of_list(&bob, 5).sync().await), [] as [String; 0]);
    let mut subscription = json!({ "room_subscriptions": {} });
    subscription["room_subscriptions"][&room] = json!({ "timeline_limit": 1 });
    let answer = Client::new(&bob, subscription).sync().await;
    let told = &answer["rooms"][&room];
    assert_eq!(told.text("/membership"), "leave", "one may still look at it");
    assert_eq!(told.text("/timeline/0/content/membership"), "leave");
}

#[tokio::test]
async fn who_is_kicked_learns_of_it_on_every_connection() {
    let server = TestServer::shared().await;
    let [alice, bob, carol] = server.register(["alice", "bob", "carol"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    alice.send_text(&room, "seen").await.unwrap();
    alice.kick(&room, &bob).await.unwrap();
    alice.send_text(&room, "unseen").await.unwrap();
    let answer = Client::new(&bob, list(json!({ "timeline_limit": 5 })))
        .sync()
        .await;
    let told = &answer["rooms"][&room];
    assert_eq!(told.text("/membership"), "leave");
    assert_eq!(told.bodies("/timeline"), ["seen"]);
    assert_eq!(
        told.list("/timeline").last().unwrap()["content"]["membership"],
        "leave"
    );
    assert!(told.get("joined_count").is_none());

    alice.ban(&room, &carol).await.unwrap();
    assert_eq!(
        rooms(&Client::of_list(&carol, 5).sync().await),
        [] as [String; 0],
        "who was never in is not told"
    );
    bob.forget(&room).await.unwrap();
    assert_eq!(rooms(&Client::of_list(&bob, 5).sync().await), [] as [String; 0]);
}

#[tokio::test]
async fn a_declined_invite_ends_without_a_look_inside() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room(json!({ "invite": [bob.id] })).await.unwrap();
    let mut client = Client::new(
        &bob,
        list(json!({ "required_state": [["*", "*"]], "timeline_limit": 9 })),
    );
    client.sync().await;
    alice.send_text(&room, "inside").await.unwrap();
    bob.leave(&room).await.unwrap();
    let answer = client.sync().await;
    let told = &answer["rooms"][&room];
    assert_eq!(told.text("/membership"), "leave");
    assert_eq!(state_keys(&answer, &room), [format!("m.room.member|{}", bob.id)]);
    assert_eq!(told.list("/timeline").len(), 1);
}

#[tokio::test]
async fn a_room_becomes_direct() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let mut client = Client::of_list(&alice, 5);
    assert!(client.sync().await["rooms"][&room].get("is_dm").is_none());
    alice
        .put(
            v3(["user", &alice.id, "account_data", "m.direct"]),
            json!({ &bob.id: [&room] }),
        )
        .await
        .unwrap();
    assert_eq!(client.sync().await["rooms"][&room]["is_dm"], true);
    alice.set_account_data("m.direct", json!({})).await.unwrap();
    assert_eq!(client.sync().await["rooms"][&room]["is_dm"], false);
}
