use echorift_tests::{Look as _, v3};
use serde_json::{Value, json};

use crate::service::Service;

fn bodies(events: &[Value]) -> Vec<&str> {
    let messages = events.iter().filter(|event| event["type"] == "m.room.message");
    messages
        .map(|event| event["content"]["body"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_service_is_told_in_order_what_its_users_see_and_nothing_else() {
    let service = Service::start().await;
    let server = service.server(&json!({})).start().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let (room, elsewhere) = (
        alice.create_public_room().await,
        alice.create_room_with(&[&bob]).await,
    );
    alice.send_text(&room, "before the service").await.unwrap();
    let ghost = service.make_user("ghost", &server).await;
    let caller = service.caller(&server);
    let join = format!("{}?user_id={ghost}", v3(["join", &room]));
    caller.post(join, json!({})).await.unwrap();
    for number in 0..250 {
        alice.send_text(&room, &format!("{number}")).await.unwrap();
        bob.send_text(&elsewhere, "not for bridges").await.unwrap();
    }
    let last = alice.send_text(&room, "last").await.unwrap();
    let event = service.wait_for_event(&last).await;
    assert_eq!(
        (event.text("/sender"), event.text("/room_id")),
        (alice.id.as_str(), room.as_str())
    );
    assert!(event["unsigned"]["age"].is_i64());
    let expected: Vec<String> = (0..250)
        .map(|n| n.to_string())
        .chain(["last".to_owned()])
        .collect();
    assert_eq!(bodies(&service.all("events")), expected);
    let transactions = service.transactions();
    assert!(
        transactions
            .iter()
            .all(|known| known.body["events"].as_array().unwrap().len() <= 100)
    );

    // What came after its user left is not for it; that the user left is.
    let leave = format!("{}?user_id={ghost}", v3(["rooms", &room, "leave"]));
    caller.post(leave, json!({})).await.unwrap();
    alice.send_text(&room, "after the service").await.unwrap();
    let invite = json!({ "user_id": ghost });
    alice.post(v3(["rooms", &room, "invite"]), invite).await.unwrap();
    service
        .wait_for(|service| {
            let invited = |event: &&Value| {
                event["content"]["membership"] == "invite" && event["state_key"] == ghost.as_str()
            };
            service.all("events").iter().find(invited).cloned()
        })
        .await;
    assert!(!bodies(&service.all("events")).contains(&"after the service"));
    let memberships = service
        .all("events")
        .into_iter()
        .filter(|event| event["state_key"] == ghost.as_str());
    let memberships: Vec<String> = memberships
        .map(|event| event.text("/content/membership").to_owned())
        .collect();
    assert_eq!(memberships, ["join", "leave", "invite"]);
}

#[tokio::test]
async fn rooms_and_aliases_of_a_namespace_are_told_of_without_a_user_in_them() {
    let service = Service::start().await;
    let server = service.server(&json!({})).start().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_public_room().await;
    alice.send_text(&room, "unbridged").await.unwrap();
    let alias = format!("#{}room:{}", service.prefix, server.name());
    let caller = service.caller(&server);
    caller.post(v3(["join", &room]), json!({})).await.unwrap();
    caller
        .put(v3(["directory", "room", &alias]), json!({ "room_id": room }))
        .await
        .unwrap();
    caller
        .post(v3(["rooms", &room, "leave"]), json!({}))
        .await
        .unwrap();
    let bridged = alice.send_text(&room, "bridged").await.unwrap();
    service.wait_for_event(&bridged).await;
    assert_eq!(bodies(&service.all("events")), ["bridged"]);
}

#[tokio::test]
async fn a_service_that_is_down_gets_all_of_it_later_unaltered_and_once() {
    let service = Service::start().await;
    let server = service.server(&json!({})).start().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_public_room().await;
    let invite = json!({ "user_id": service.bot(&server) });
    let caller = service.caller(&server);
    alice.post(v3(["rooms", &room, "invite"]), invite).await.unwrap();
    caller.post(v3(["join", &room]), json!({})).await.unwrap();
    service.set_down(true);
    for number in 0..30 {
        alice.send_text(&room, &format!("{number}")).await.unwrap();
    }
    service
        .wait_for(|service| (service.refused() >= 3).then_some(()))
        .await;
    // As the room was then: that it leaves meanwhile takes nothing away.
    caller
        .post(v3(["rooms", &room, "leave"]), json!({}))
        .await
        .unwrap();
    alice.send_text(&room, "unseen").await.unwrap();
    server.stop().await;
    server.restart().await;
    service.lose_answers(2);
    service.set_down(false);
    let left = |service: &Service| {
        let events = service.all("events");
        events
            .iter()
            .any(|event| event["content"]["membership"] == "leave")
            .then_some(events)
    };
    let events = service.wait_for(left).await;
    let expected: Vec<String> = (0..30).map(|n| n.to_string()).collect();
    assert_eq!(bodies(&events), expected);
}

#[tokio::test]
async fn state_comes_with_what_it_replaced() {
    let service = Service::start().await;
    let server = service.server(&json!({})).start().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_public_room().await;
    service
        .caller(&server)
        .post(v3(["join", &room]), json!({}))
        .await
        .unwrap();
    alice
        .set_state(&room, "m.room.topic", "", json!({ "topic": "one" }))
        .await
        .unwrap();
    let changed = alice
        .set_state(&room, "m.room.topic", "", json!({ "topic": "two" }))
        .await
        .unwrap();
    let event = service.wait_for_event(&changed).await;
    assert_eq!(event.text("/unsigned/prev_content/topic"), "one");
}
