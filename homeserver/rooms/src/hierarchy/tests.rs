#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;

use ruma::UserId;
use serde_json::{Value, json};

use crate::{
    HierarchyQuery, Room, RoomError,
    testing::{TestRooms, on_both_databases},
};

const ALL: HierarchyQuery = HierarchyQuery {
    skip: 0,
    limit: 100,
    depth_max: None,
    is_suggested_only: false,
};

async fn space(server: &TestRooms, creator: &UserId, name: &str) -> Arc<Room> {
    let request = json!({ "name": name, "preset": "public_chat", "creation_content": { "type": "m.space" } });
    server.create(creator, request).await.unwrap()
}

async fn channel(server: &TestRooms, creator: &UserId, name: &str) -> Arc<Room> {
    server
        .create(creator, json!({ "name": name, "preset": "public_chat" }))
        .await
        .unwrap()
}

async fn add(server: &TestRooms, parent: &Arc<Room>, user: &UserId, child: &Room, mut content: Value) {
    content["via"] = json!(["one.example"]);
    server.clock.advance_ms(1);
    server
        .set(parent, user, ("m.space.child", child.id.as_str()), content)
        .await
        .unwrap();
}

async fn names(
    server: &TestRooms,
    root: &Arc<Room>,
    user: &UserId,
    query: HierarchyQuery,
) -> (Vec<String>, bool) {
    let user = server.number(user).await;
    let (rooms, has_more) = server.rooms.hierarchy(root, user, query).await.unwrap();
    (
        rooms
            .into_iter()
            .map(|room| room.summary.name.unwrap_or_default())
            .collect(),
        has_more,
    )
}

on_both_databases! {
    async fn children_stand_in_their_order_then_by_age_depth_first(server: &TestRooms) {
        let alice = server.register("alice").await;
        let root = space(server, &alice, "root").await;
        let inner = space(server, &alice, "inner").await;
        let [a, b, c, d] = [
            channel(server, &alice, "a").await,
            channel(server, &alice, "b").await,
            channel(server, &alice, "c").await,
            channel(server, &alice, "d").await,
        ];
        add(server, &root, &alice, &a, json!({})).await;
        add(server, &root, &alice, &b, json!({ "order": "2", "suggested": true })).await;
        add(server, &root, &alice, &inner, json!({ "order": "1" })).await;
        add(server, &root, &alice, &c, json!({ "order": "\u{1}bad" })).await;
        add(server, &inner, &alice, &d, json!({ "suggested": true })).await;
        // Circles end, and a room is shown once.
        add(server, &inner, &alice, &root, json!({})).await;
        add(server, &inner, &alice, &b, json!({})).await;

        assert_eq!(names(server, &root, &alice, ALL).await, (["root", "inner", "d", "b", "a", "c"].map(String::from).to_vec(), false));
        let depth = HierarchyQuery { depth_max: Some(1), ..ALL };
        assert_eq!(names(server, &root, &alice, depth).await.0, ["root", "inner", "b", "a", "c"]);
        let depth = HierarchyQuery { depth_max: Some(0), ..ALL };
        assert_eq!(names(server, &root, &alice, depth).await.0, ["root"]);
        let suggested = HierarchyQuery { is_suggested_only: true, ..ALL };
        assert_eq!(names(server, &root, &alice, suggested).await.0, ["root", "b"]);

        let mut paged = Vec::new();
        loop {
            let query = HierarchyQuery { skip: paged.len(), limit: 2, ..ALL };
            let (page, has_more) = names(server, &root, &alice, query).await;
            paged.extend(page);
            if !has_more {
                break;
            }
        }
        assert_eq!(paged, ["root", "inner", "d", "b", "a", "c"]);

        let user = server.number(&alice).await;
        let (rooms, _) = server.rooms.hierarchy(&root, user, ALL).await.unwrap();
        assert_eq!(rooms[0].children[0]["state_key"], inner.id.as_str());
        assert!(rooms[0].children[0]["origin_server_ts"].is_u64());
        assert!(rooms[2].children.is_empty());
    }

    async fn only_rooms_that_could_be_entered_are_shown(server: &TestRooms) {
        let (alice, bob) = (server.register("alice").await, server.register("bob").await);
        let root = space(server, &alice, "root").await;
        let rooms = [
            ("public", json!({ "preset": "public_chat" })),
            ("secret", json!({})),
            ("invited", json!({ "invite": [bob] })),
            ("knock", json!({ "initial_state": [{ "type": "m.room.join_rules", "content": { "join_rule": "knock" } }] })),
            ("open book", json!({ "initial_state": [
                { "type": "m.room.history_visibility", "content": { "history_visibility": "world_readable" } },
            ] })),
            ("for members", json!({ "initial_state": [{ "type": "m.room.join_rules", "content": {
                "join_rule": "restricted", "allow": [{ "type": "m.room_membership", "room_id": root.id }],
            } }] })),
        ];
        for (name, mut request) in rooms {
            request["name"] = json!(name);
            let room = server.create(&alice, request).await.unwrap();
            add(server, &root, &alice, &room, json!({})).await;
        }
        let (seen, _) = names(server, &root, &bob, ALL).await;
        assert_eq!(seen, ["root", "public", "invited", "knock", "open book"]);
        server.join(&root, &bob).await.unwrap();
        let (seen, _) = names(server, &root, &bob, ALL).await;
        assert_eq!(seen, ["root", "public", "invited", "knock", "open book", "for members"]);

        let secret = server.create(&alice, json!({})).await.unwrap();
        let refusal = server.rooms.hierarchy(&secret, server.number(&bob).await, ALL).await.map(|_| ()).unwrap_err();
        assert!(matches!(refusal, RoomError::Forbidden(_)), "{refusal}");
    }

    async fn a_summary_is_for_who_may_see_the_room(server: &TestRooms) {
        let (alice, bob) = (server.register("alice").await, server.register("bob").await);
        let hall = channel(server, &alice, "hall").await;
        let secret = server.create(&alice, json!({ "name": "secret" })).await.unwrap();
        let nobody = server.rooms.onlooker(None).await.unwrap();
        let bob = server.rooms.onlooker(Some(server.number(&bob).await)).await.unwrap();
        for onlooker in [&nobody, &bob] {
            let found = server.rooms.summary(&hall, onlooker).await.unwrap().summary;
            assert_eq!((found.name.as_deref(), u64::from(found.num_joined_members)), (Some("hall"), 1));
            assert!(matches!(server.rooms.summary(&secret, onlooker).await, Err(RoomError::NotFound(_))));
        }
        let alice = server.rooms.onlooker(Some(server.number(&alice).await)).await.unwrap();
        assert!(server.rooms.summary(&secret, &alice).await.is_ok());
    }
}
