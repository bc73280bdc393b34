//! Wanting no invites (CS API § Invite permission).

use echorift_tests::{TestServer, User, refused, v3};
use serde_json::{Value, json};

async fn is_invited(user: &User, room: &str) -> bool {
    user.sync_all().await["rooms"]["invite"].get(room).is_some()
}

#[tokio::test]
async fn who_blocks_invites_is_not_invited_and_sees_none_of_before() {
    let server = TestServer::shared().await;
    for kind in [
        "m.invite_permission_config",
        "org.matrix.msc4380.invite_permission_config",
    ] {
        let [alice, bob] = server.register(["alice", "bob"]).await;
        let before = alice.create_room(json!({ "invite": [bob.id] })).await.unwrap();
        assert!(is_invited(&bob, &before).await);
        let blocking = json!({ "default_action": "block" });
        bob.set_account_data(kind, blocking).await.unwrap();
        assert!(!is_invited(&bob, &before).await);
        assert_eq!(bob.membership_seen_by(&alice, &before).await, "invite");

        let room = alice.create_room_with(&[]).await;
        refused(alice.invite(&room, &bob).await, 403, "M_INVITE_BLOCKED");
        let invite = json!({ "membership": "invite" });
        let state = alice.set_state(&room, "m.room.member", &bob.id, invite).await;
        refused(state.map(Value::from), 403, "M_INVITE_BLOCKED");
        let created = alice.create_room(json!({ "invite": [bob.id] })).await;
        refused(created.map(Value::from), 403, "M_INVITE_BLOCKED");

        bob.set_account_data(kind, json!({})).await.unwrap();
        alice.invite(&room, &bob).await.unwrap();
        assert!(is_invited(&bob, &room).await && is_invited(&bob, &before).await);
        bob.post(v3(["rooms", &room, "leave"]), json!({})).await.unwrap();
    }
}
