use echorift_tests::{Look as _, TestServer, User, assert_agreement, refused, until, v1};
use serde_json::json;

crate::both_ways!(
    members_of_a_space_join_its_restricted_rooms,
    the_rooms_of_a_space_are_listed_across_servers,
);

/// A space that anybody may join, with a room that its members may join.
async fn space_with_room(alice: &User, near: &TestServer) -> (String, String) {
    let request =
        json!({ "preset": "public_chat", "creation_content": { "type": "m.space" }, "name": "Space" });
    let space = alice.create_room(request).await.unwrap();
    let request = json!({
        "preset": "private_chat", "name": "Room of the space",
        "initial_state": [{
            "type": "m.room.join_rules",
            "content": {
                "join_rule": "restricted", "allow": [{ "type": "m.room_membership", "room_id": space }],
            },
        }],
    });
    let room = alice.create_room(request).await.unwrap();
    alice
        .set_state(&space, "m.space.child", &room, json!({ "via": [near.name()] }))
        .await
        .unwrap();
    (space, room)
}

async fn members_of_a_space_join_its_restricted_rooms(near: &TestServer, far: &TestServer) {
    let [alice] = near.register(["alice"]).await;
    let [bob, carol] = far.register(["bob", "carol"]).await;
    let (space, room) = space_with_room(&alice, near).await;
    refused(bob.join_via(&room, near).await, 403, "M_FORBIDDEN");
    bob.join_via(&space, near).await.unwrap();
    alice.sees_membership(&space, &bob, "join").await;
    bob.join_via(&room, near).await.unwrap();
    alice.sees_membership(&room, &bob, "join").await;
    let member = alice.state(&room, "m.room.member", &bob.id).await.unwrap();
    assert_eq!(member.text("/join_authorised_via_users_server"), alice.id);
    // The room is known to the far server now; only the near one has somebody who can let people in.
    refused(carol.join_via(&room, near).await, 403, "M_FORBIDDEN");
    carol.join_via(&space, near).await.unwrap();
    alice.sees_membership(&space, &carol, "join").await;
    carol.join_via(&room, near).await.unwrap();
    alice.sees_membership(&room, &carol, "join").await;
    let event = carol.send_text(&room, "in").await.unwrap();
    alice.sees(&room, &event).await;
    assert_agreement(&room, &[&alice, &bob]).await;
}

async fn the_rooms_of_a_space_are_listed_across_servers(near: &TestServer, far: &TestServer) {
    let [alice] = near.register(["alice"]).await;
    let [bob] = far.register(["bob"]).await;
    let (space, room) = space_with_room(&alice, near).await;
    let open = alice
        .create_room(json!({ "preset": "public_chat", "name": "Open room" }))
        .await
        .unwrap();
    let hidden = alice
        .create_room(json!({ "preset": "private_chat", "name": "Hidden room" }))
        .await
        .unwrap();
    for child in [&open, &hidden] {
        alice
            .set_state(&space, "m.space.child", child, json!({ "via": [near.name()] }))
            .await
            .unwrap();
    }
    bob.join_via(&space, near).await.unwrap();
    let names = until("the rooms are listed", async || {
        let page = bob.get(v1(["rooms", &space, "hierarchy"])).await.ok()?;
        let rooms = page.events("/rooms");
        let ids: Vec<&str> = rooms.iter().map(|entry| entry.text("/room_id")).collect();
        let is_there = ids.contains(&open.as_str()) && ids.contains(&room.as_str());
        assert!(!ids.contains(&hidden.as_str()), "a room that bob may not know of");
        is_there.then(|| {
            rooms
                .iter()
                .map(|entry| entry.text("/name").to_owned())
                .collect::<Vec<_>>()
        })
    })
    .await;
    assert!(names.contains(&"Open room".to_owned()), "{names:?}");
}
