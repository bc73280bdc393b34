#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use ruma::{UserId, server_name, user_id};
use serde_json::{Value, json};

use super::*;
use crate::testing::{TestRooms, on_both_databases};

async fn room(server: &TestRooms, creator: &UserId, name: &str, rule: &str) -> Arc<Room> {
    let rules = json!({ "type": "m.room.join_rules", "content": { "join_rule": rule } });
    let request = json!({ "name": name, "initial_state": [rules] });
    server.create(creator, request).await.unwrap()
}

async fn add(server: &TestRooms, parent: &Arc<Room>, user: &UserId, child: &RoomId, content: Value) {
    let mut content = content;
    content["via"] = json!(["one.example"]);
    server.clock.advance_ms(1);
    server
        .set(parent, user, ("m.space.child", child.as_str()), content)
        .await
        .unwrap();
}

on_both_databases! {
    async fn a_server_learns_of_the_rooms_that_its_users_could_enter(server: &TestRooms) {
        let alice = server.register("alice").await;
        let (two, bob) = (server_name!("two.example"), user_id!("@bob:two.example"));
        let request = json!({ "name": "root", "preset": "public_chat", "creation_content": { "type": "m.space" } });
        let root = server.create(&alice, request).await.unwrap();
        let open = room(server, &alice, "open", "public").await;
        let knock = room(server, &alice, "knock", "knock").await;
        let secret = room(server, &alice, "secret", "invite").await;
        let invited = room(server, &alice, "invited", "invite").await;
        let content = json!({ "membership": "invite" });
        server.set(&invited, &alice, ("m.room.member", bob.as_str()), content).await.unwrap();
        let elsewhere = RoomId::parse("!elsewhere:three.example").unwrap();
        for child in [&open.id, &knock.id, &secret.id, &invited.id, &elsewhere] {
            add(server, &root, &alice, child, json!({ "suggested": *child == open.id })).await;
        }
        let names = |found: &ServerHierarchy| {
            let names = found.children.iter().map(|child| child.name.clone().unwrap());
            names.collect::<Vec<_>>()
        };
        let found = server.rooms.hierarchy_for_server(&root.id, two, false).await.unwrap();
        assert_eq!(found.room.summary.name.as_deref(), Some("root"));
        assert_eq!(found.room.children.len(), 5);
        assert_eq!(names(&found), ["open", "knock", "invited"]);
        assert_eq!(found.inaccessible, std::slice::from_ref(&secret.id));
        let suggested = server.rooms.hierarchy_for_server(&root.id, two, true).await.unwrap();
        assert_eq!((names(&suggested), suggested.room.children.len()), (vec!["open".to_owned()], 1));

        for hidden in [&secret.id, &elsewhere] {
            let refusal = server.rooms.hierarchy_for_server(hidden, two, false).await.map(|_| ()).unwrap_err();
            assert!(matches!(refusal, RoomError::NotFound(_)), "{refusal}");
        }
        let acl = json!({ "allow": ["*"], "deny": ["two.example"] });
        server.set(&open, &alice, ("m.room.server_acl", ""), acl).await.unwrap();
        let found = server.rooms.hierarchy_for_server(&root.id, two, false).await.unwrap();
        assert_eq!(names(&found), ["knock", "invited"]);
    }

    async fn a_restricted_room_is_open_to_servers_in_the_rooms_that_it_names(server: &TestRooms) {
        let alice = server.register("alice").await;
        let (two, bob) = (server_name!("two.example"), user_id!("@bob:two.example"));
        let hall = server.public_room(&alice).await;
        let rules = json!({ "type": "m.room.join_rules", "content": {
            "join_rule": "restricted", "allow": [{ "type": "m.room_membership", "room_id": hall.id }],
        } });
        let inner = server.create(&alice, json!({ "initial_state": [rules] })).await.unwrap();
        assert!(server.rooms.hierarchy_for_server(&inner.id, two, false).await.is_err());
        let content = json!({ "membership": "join" });
        server.set(&hall, bob, ("m.room.member", bob.as_str()), content).await.unwrap();
        assert!(server.rooms.hierarchy_for_server(&inner.id, two, false).await.is_ok());
        assert!(server.rooms.is_server_in(&hall, two));
        assert_eq!(server.rooms.servers_in(&hall), [server_name!("one.example"), two]);
    }
}
