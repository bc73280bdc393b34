use echorift_tests::{Look as _, TestServer, refused, v3};
use serde_json::{Value, json};

#[tokio::test]
async fn an_invited_person_joins_and_others_do_not() {
    let server = TestServer::shared().await;
    let [alice, bob, eve] = server.register(["alice", "bob", "eve"]).await;
    let room = alice
        .create_room(json!({ "preset": "private_chat" }))
        .await
        .unwrap();
    refused(bob.join(&room).await, 403, "M_FORBIDDEN");
    alice.invite(&room, &bob).await.unwrap();
    bob.join(&room).await.unwrap();
    bob.join(&room).await.expect("joining twice changes nothing");
    refused(eve.join(&room).await, 403, "M_FORBIDDEN");
    refused(eve.invite(&room, &eve).await, 403, "M_FORBIDDEN");
    refused(alice.invite(&room, &bob).await, 403, "M_FORBIDDEN");
    let members = bob.get(v3(["rooms", &room, "joined_members"])).await.unwrap();
    assert_eq!(members["joined"].as_object().unwrap().len(), 2);
    assert!(
        members["joined"][&alice.id].get("display_name").is_some(),
        "{members}"
    );
    assert_eq!(members["joined"][&alice.id].get("avatar_url"), Some(&Value::Null));
}

#[tokio::test]
async fn an_invitation_can_be_declined_and_taken_back() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room(json!({ "invite": [bob.id] })).await.unwrap();
    bob.leave(&room).await.unwrap();
    refused(bob.join(&room).await, 403, "M_FORBIDDEN");
    alice.invite(&room, &bob).await.unwrap();
    alice.kick(&room, &bob).await.unwrap();
    refused(bob.join(&room).await, 403, "M_FORBIDDEN");
}

#[tokio::test]
async fn people_are_invited_by_their_id_alone() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    let letter = json!({
        "id_server": "id.example", "id_access_token": "t",
        "medium": "email", "address": "bob@example.org",
    });
    refused(
        alice.post(v3(["rooms", &room, "invite"]), letter.clone()).await,
        403,
        "M_FORBIDDEN",
    );
    let request = json!({ "invite_3pid": [letter] });
    refused(alice.post(v3(["createRoom"]), request).await, 403, "M_FORBIDDEN");
}

#[tokio::test]
async fn kicking_takes_power_and_leaves_a_reason() {
    let server = TestServer::shared().await;
    let [alice, bob, carol] = server.register(["alice", "bob", "carol"]).await;
    let room = alice.create_room_with(&[&bob, &carol]).await;
    refused(bob.kick(&room, &carol).await, 403, "M_FORBIDDEN");
    refused(bob.kick(&room, &alice).await, 403, "M_FORBIDDEN");
    let body = json!({ "user_id": carol.id, "reason": "off topic" });
    alice.post(v3(["rooms", &room, "kick"]), body).await.unwrap();
    let member = alice.state(&room, "m.room.member", &carol.id).await.unwrap();
    assert_eq!(
        (member.text("/membership"), member.text("/reason")),
        ("leave", "off topic")
    );
    refused(
        carol.send_text(&room, "but").await.map(Into::into),
        403,
        "M_FORBIDDEN",
    );
    refused(alice.kick(&room, &carol).await, 403, "M_FORBIDDEN");
}

#[tokio::test]
async fn a_banned_member_cannot_send_or_return() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_public_room().await;
    bob.join(&room).await.unwrap();
    alice.ban(&room, &bob).await.unwrap();
    refused(
        bob.send_text(&room, "still here").await.map(Into::into),
        403,
        "M_FORBIDDEN",
    );
    refused(bob.join(&room).await, 403, "M_FORBIDDEN");
    refused(alice.invite(&room, &bob).await, 403, "M_FORBIDDEN");
    refused(bob.unban(&room, &bob).await, 403, "M_FORBIDDEN");
    alice.unban(&room, &bob).await.unwrap();
    assert_eq!(bob.membership_seen_by(&alice, &room).await, "leave");
    bob.join(&room).await.unwrap();
}

#[tokio::test]
async fn knocking_asks_for_an_invitation() {
    let server = TestServer::shared().await;
    let [alice, bob, carol] = server.register(["alice", "bob", "carol"]).await;
    let rule = json!({ "type": "m.room.join_rules", "content": { "join_rule": "knock" } });
    let room = alice
        .create_room(json!({ "initial_state": [rule] }))
        .await
        .unwrap();
    refused(bob.join(&room).await, 403, "M_FORBIDDEN");
    bob.knock(&room).await.unwrap();
    let member = alice.state(&room, "m.room.member", &bob.id).await.unwrap();
    assert_eq!(
        (member.text("/membership"), member.text("/reason")),
        ("knock", "let me in")
    );
    refused(bob.join(&room).await, 403, "M_FORBIDDEN");
    alice.invite(&room, &bob).await.unwrap();
    bob.join(&room).await.unwrap();

    carol.knock(&room).await.unwrap();
    carol.leave(&room).await.expect("a knock can be taken back");
    let closed = alice
        .create_room(json!({ "preset": "private_chat" }))
        .await
        .unwrap();
    refused(carol.knock(&closed).await, 403, "M_FORBIDDEN");
}

#[tokio::test]
async fn a_room_can_be_forgotten_once_it_was_left() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    refused(bob.forget(&room).await, 400, "M_UNKNOWN");
    bob.leave(&room).await.unwrap();
    bob.messages(&room, "dir=b")
        .await
        .expect("who was there may read what was said until then");
    bob.forget(&room).await.unwrap();
    refused(bob.messages(&room, "dir=b").await, 403, "M_FORBIDDEN");

    // An invitation brings it back.
    alice.invite(&room, &bob).await.unwrap();
    bob.join(&room).await.unwrap();
    bob.messages(&room, "dir=b").await.unwrap();
}

#[tokio::test]
async fn members_can_be_asked_for_by_membership_and_moment() {
    let server = TestServer::shared().await;
    let [alice, bob, carol] = server.register(["alice", "bob", "carol"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let before = alice.now().await;
    bob.leave(&room).await.unwrap();
    alice.invite(&room, &carol).await.unwrap();

    let members = |query: String| {
        let alice = alice.clone();
        let path = format!("{}?{query}", v3(["rooms", &room, "members"]));
        async move {
            let answer = alice.get(path).await.unwrap();
            let mut keys: Vec<String> = answer
                .list("/chunk")
                .iter()
                .map(|event| event.text("/state_key").to_owned())
                .collect();
            keys.sort();
            keys
        }
    };
    let sorted = |users: &[&str]| {
        let mut ids: Vec<String> = users.iter().map(|id| (*id).to_owned()).collect();
        ids.sort();
        ids
    };
    assert_eq!(
        members(String::new()).await,
        sorted(&[&alice.id, &bob.id, &carol.id])
    );
    assert_eq!(members("membership=join".to_owned()).await, sorted(&[&alice.id]));
    assert_eq!(
        members("not_membership=leave".to_owned()).await,
        sorted(&[&alice.id, &carol.id])
    );
    assert_eq!(
        members(format!("at={before}&membership=join")).await,
        sorted(&[&alice.id, &bob.id])
    );
}

#[tokio::test]
async fn strangers_learn_nothing_of_a_private_room() {
    let server = TestServer::shared().await;
    let [alice, eve] = server.register(["alice", "eve"]).await;
    let room = alice
        .create_room(json!({ "preset": "private_chat" }))
        .await
        .unwrap();
    let event = alice.send_text(&room, "secret").await.unwrap();
    for path in [
        v3(["rooms", &room, "state"]),
        v3(["rooms", &room, "state", "m.room.name", ""]),
        v3(["rooms", &room, "members"]),
        v3(["rooms", &room, "joined_members"]),
        v3(["rooms", &room, "messages"]) + "?dir=b",
        v3(["rooms", &room, "aliases"]),
    ] {
        refused(eve.get(path).await, 403, "M_FORBIDDEN");
    }
    refused(eve.event(&room, &event).await, 404, "M_NOT_FOUND");
    refused(
        eve.send_text(&room, "hi").await.map(Into::into),
        403,
        "M_FORBIDDEN",
    );
    refused(eve.join("!made-up:test.example").await, 404, "M_NOT_FOUND");
}
