//! What clients used before there was `/sync`, and looking into rooms without joining them.

use echorift_tests::{Answer, Look as _, TestServer, User, refused, v3};
use serde_json::{Value, json};

async fn events(user: &User, query: &str) -> Answer {
    user.get(format!("{}?{query}", v3(["events"]))).await
}

async fn readable_room(host: &User) -> String {
    let world = json!({ "history_visibility": "world_readable" });
    let state = json!([{ "type": "m.room.history_visibility", "content": world }]);
    host.create_room(json!({ "initial_state": state })).await.unwrap()
}

#[tokio::test]
async fn a_client_begins_with_the_initial_sync_and_goes_on_with_events() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    for body in ["one", "two", "three"] {
        alice.send_text(&room, body).await.unwrap();
    }
    let elsewhere = alice.create_room_with(&[]).await;
    alice.invite(&elsewhere, &bob).await.unwrap();
    let left = alice.create_room_with(&[&bob]).await;
    bob.leave(&left).await.unwrap();

    let answer = bob.get(format!("{}?limit=2", v3(["initialSync"]))).await.unwrap();
    let rooms = answer.list("/rooms");
    let find = |id: &str| rooms.iter().find(|shown| shown["room_id"] == id);
    let shown = find(&room).unwrap();
    assert_eq!(shown["membership"], "join");
    assert_eq!(shown["visibility"], "private");
    assert_eq!(shown.bodies("/messages/chunk"), ["two", "three"]);
    assert!(
        shown
            .events("/state")
            .iter()
            .any(|event| event["type"] == "m.room.create"),
        "{shown:#}"
    );
    let earlier = bob
        .messages(
            &room,
            &format!("dir=b&limit=1&from={}", shown.text("/messages/start")),
        )
        .await
        .unwrap();
    assert_eq!(earlier.bodies("/chunk"), ["one"]);
    let invited = find(&elsewhere).unwrap();
    assert_eq!(invited["membership"], "invite");
    assert_eq!(invited.text("/invite/state_key"), bob.id);
    assert!(find(&left).is_none());
    let archived = bob
        .get(format!("{}?archived=true", v3(["initialSync"])))
        .await
        .unwrap();
    assert!(
        archived
            .list("/rooms")
            .iter()
            .any(|shown| shown["room_id"] == *left)
    );

    let end = answer.text("/end");
    let query = format!("from={end}&timeout=30000");
    let waiting = events(&bob, &query);
    let (news, _) = tokio::join!(waiting, alice.send_text(&room, "four"));
    let news = news.unwrap();
    assert_eq!(news.bodies("/chunk"), ["four"]);
    assert_eq!(news.list("/chunk")[0].text("/room_id"), room);
    alice.send_text(&room, "five").await.unwrap();
    let news = events(&bob, &format!("from={}", news.text("/end")))
        .await
        .unwrap();
    assert_eq!(news.bodies("/chunk"), ["five"]);
    refused(events(&bob, "from=nonsense").await, 400, "M_INVALID_PARAM");
}

#[tokio::test]
async fn a_room_that_the_world_may_read_is_looked_into_without_joining() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = readable_room(&alice).await;
    alice.send_text(&room, "for everyone").await.unwrap();
    let shown = bob.get(v3(["rooms", &room, "initialSync"])).await.unwrap();
    assert_eq!(shown.bodies("/messages/chunk"), ["for everyone"]);
    assert_eq!(shown.get("membership"), None);

    let from = shown.text("/messages/end");
    let query = format!("from={from}&timeout=30000&room_id={room}");
    let waiting = events(&bob, &query);
    let (news, _) = tokio::join!(waiting, alice.send_text(&room, "and more"));
    assert_eq!(news.unwrap().bodies("/chunk"), ["and more"]);

    let closed = alice.create_room_with(&[]).await;
    refused(
        bob.get(v3(["rooms", &closed, "initialSync"])).await,
        403,
        "M_FORBIDDEN",
    );
    refused(
        events(&bob, &format!("room_id={closed}")).await,
        403,
        "M_FORBIDDEN",
    );
}

#[tokio::test]
async fn an_event_is_found_by_its_id_alone() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[]).await;
    let event_id = alice.send_text(&room, "found").await.unwrap();
    let path = v3(["events", &event_id]);
    let event: Value = alice.get(&path).await.unwrap();
    assert_eq!(event.text("/content/body"), "found");
    assert_eq!(event.text("/room_id"), room);
    refused(bob.get(&path).await, 404, "M_NOT_FOUND");
    refused(alice.get(v3(["events", "$nothing"])).await, 404, "M_NOT_FOUND");
}
