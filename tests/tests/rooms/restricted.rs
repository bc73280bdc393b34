use echorift_tests::{TestServer, User, refused};
use serde_json::json;

async fn restricted_room(owner: &User, rule: &str, allowed: &[&str]) -> String {
    let allow: Vec<_> = allowed
        .iter()
        .map(|room| json!({ "type": "m.room_membership", "room_id": room }))
        .collect();
    let rules = json!({ "type": "m.room.join_rules", "content": { "join_rule": rule, "allow": allow } });
    owner
        .create_room(json!({ "preset": "private_chat", "initial_state": [rules] }))
        .await
        .unwrap()
}

#[tokio::test]
async fn members_of_an_allowed_room_come_in_without_invitation() {
    let server = TestServer::shared().await;
    let [alice, bob, eve] = server.register(["alice", "bob", "eve"]).await;
    let lobby = alice.create_public_room().await;
    let room = restricted_room(&alice, "restricted", &[&lobby]).await;
    refused(bob.join(&room).await, 403, "M_FORBIDDEN");
    bob.join(&lobby).await.unwrap();
    bob.join(&room).await.unwrap();
    let member = alice.state(&room, "m.room.member", &bob.id).await.unwrap();
    assert_eq!(member["join_authorised_via_users_server"], alice.id.as_str());

    // An invitation still does, and knocking does not.
    refused(eve.knock(&room).await, 403, "M_FORBIDDEN");
    alice.invite(&room, &eve).await.unwrap();
    eve.join(&room).await.unwrap();

    // Who has left the lobby has lost the way in, but not the room.
    bob.leave(&lobby).await.unwrap();
    bob.send_text(&room, "still a member").await.unwrap();
    bob.leave(&room).await.unwrap();
    refused(bob.join(&room).await, 403, "M_FORBIDDEN");
}

#[tokio::test]
async fn a_knock_restricted_room_takes_both() {
    let server = TestServer::shared().await;
    let [alice, bob, carol] = server.register(["alice", "bob", "carol"]).await;
    let lobby = alice.create_public_room().await;
    let room = restricted_room(&alice, "knock_restricted", &[&lobby]).await;
    bob.join(&lobby).await.unwrap();
    bob.join(&room).await.unwrap();
    refused(carol.join(&room).await, 403, "M_FORBIDDEN");
    carol.knock(&room).await.unwrap();
    alice.invite(&room, &carol).await.unwrap();
    carol.join(&room).await.unwrap();
}

#[tokio::test]
async fn a_banned_person_does_not_come_in_by_the_lobby() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let lobby = alice.create_public_room().await;
    let room = restricted_room(&alice, "restricted", &[&lobby]).await;
    bob.join(&lobby).await.unwrap();
    alice.ban(&room, &bob).await.unwrap();
    refused(bob.join(&room).await, 403, "M_FORBIDDEN");
}

#[tokio::test]
async fn without_anybody_to_authorise_it_a_restricted_join_fails() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let lobby = alice.create_public_room().await;
    bob.join(&lobby).await.unwrap();
    let room = restricted_room(&alice, "restricted", &[&lobby]).await;
    alice.leave(&room).await.unwrap();
    let refusal = bob.join(&room).await.unwrap_err();
    assert!(
        [
            "M_UNABLE_TO_AUTHORISE_JOIN",
            "M_FORBIDDEN",
            "M_UNABLE_TO_GRANT_JOIN"
        ]
        .contains(&refusal.errcode.as_str()),
        "{refusal}"
    );
}
