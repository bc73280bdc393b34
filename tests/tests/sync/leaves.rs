use echorift_tests::{Look as _, Sync, TestServer};
use serde_json::json;

#[tokio::test]
async fn leaving_is_told_once_with_what_was_said_until_then() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let since = bob.now().await;
    alice.send_text(&room, "goodbye").await.unwrap();
    bob.leave(&room).await.unwrap();
    alice.send_text(&room, "is he gone?").await.unwrap();

    let answer = bob.sync_from(&since).await;
    assert!(answer["rooms"]["join"].get(&room).is_none());
    let left = &answer["rooms"]["leave"][&room];
    assert_eq!(left.bodies("/timeline/events"), ["goodbye"]);
    let last = left.events("/timeline/events").pop().unwrap();
    assert_eq!(
        (last.text("/state_key"), last.text("/content/membership")),
        (bob.id.as_str(), "leave")
    );
    let after = bob.sync_from(answer.text("/next_batch")).await;
    assert!(after["rooms"]["leave"].get(&room).is_none(), "{after}");
}

#[tokio::test]
async fn a_kick_and_a_ban_are_leaves_too() {
    let server = TestServer::shared().await;
    let [alice, bob, carol] = server.register(["alice", "bob", "carol"]).await;
    let room = alice.create_room_with(&[&bob, &carol]).await;
    let (bob_since, carol_since) = (bob.now().await, carol.now().await);
    alice.kick(&room, &bob).await.unwrap();
    alice.ban(&room, &carol).await.unwrap();
    for (user, since, membership) in [(&bob, bob_since, "leave"), (&carol, carol_since, "ban")] {
        let answer = user.sync_from(&since).await;
        let last = answer["rooms"]["leave"][&room]
            .events("/timeline/events")
            .pop()
            .unwrap();
        assert_eq!(last.text("/content/membership"), membership);
    }
}

#[tokio::test]
async fn rooms_left_long_ago_come_if_asked_for() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    alice.send_text(&room, "then").await.unwrap();
    bob.leave(&room).await.unwrap();
    alice.send_text(&room, "now").await.unwrap();
    let without = bob.sync_all().await;
    assert!(without["rooms"]["leave"].get(&room).is_none());
    let filter = json!({ "room": { "include_leave": true } });
    let with = bob
        .sync(Sync {
            filter: Some(filter.clone()),
            ..Sync::default()
        })
        .await
        .unwrap();
    assert_eq!(with["rooms"]["leave"][&room].bodies("/timeline/events"), ["then"]);
    bob.forget(&room).await.unwrap();
    let forgotten = bob
        .sync(Sync {
            filter: Some(filter),
            ..Sync::default()
        })
        .await
        .unwrap();
    assert!(forgotten["rooms"]["leave"].get(&room).is_none());
}

#[tokio::test]
async fn coming_back_shows_the_room_again() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_public_room().await;
    bob.join(&room).await.unwrap();
    let since = bob.now().await;
    bob.leave(&room).await.unwrap();
    alice.send_text(&room, "meanwhile").await.unwrap();
    bob.join(&room).await.unwrap();
    let answer = bob.sync_from(&since).await;
    let events = answer["rooms"]["join"][&room].events("/timeline/events");
    assert_eq!(events.last().unwrap().text("/content/membership"), "join");
    assert!(answer["rooms"]["leave"].get(&room).is_none());
}
