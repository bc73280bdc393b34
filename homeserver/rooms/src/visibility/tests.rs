#![allow(clippy::unwrap_used, reason = "tests")]

use ruma::UserId;
use serde_json::json;

use super::*;
use crate::testing::{TestRooms, on_both_databases};

async fn set_visibility(
    server: &TestRooms,
    room: &Arc<Room>,
    sender: &UserId,
    visibility: &str,
) -> Arc<Event> {
    let key = ("m.room.history_visibility", "");
    server
        .set(room, sender, key, json!({ "history_visibility": visibility }))
        .await
        .unwrap()
}

async fn leave(server: &TestRooms, room: &Arc<Room>, user: &UserId) {
    server.rooms.leave(room, user, None).await.unwrap();
}

/// Somebody is invited, joins and leaves between the messages; what they see while they are there, and afterwards.
async fn check_memberships(server: &TestRooms, visibility: &str, joined: &[&str], left: &[&str]) {
    let alice = server.register(&format!("alice.{visibility}")).await;
    let bob = server.register(&format!("bob.{visibility}")).await;
    let room = server.public_room(&alice).await;
    set_visibility(server, &room, &alice, visibility).await;
    server.send(&room, &alice, "before").await.unwrap();
    server.invite(&room, &alice, &bob).await.unwrap();
    server.send(&room, &alice, "invited").await.unwrap();
    let is_open = visibility == "world_readable";
    assert_eq!(
        server.texts_seen_by(&room, &bob).await.is_empty(),
        !is_open,
        "{visibility}: only invited"
    );
    server.join(&room, &bob).await.unwrap();
    server.send(&room, &alice, "joined").await.unwrap();
    assert_eq!(
        server.texts_seen_by(&room, &bob).await,
        joined,
        "{visibility}: joined"
    );
    leave(server, &room, &bob).await;
    server.send(&room, &alice, "left").await.unwrap();
    assert_eq!(
        server.texts_seen_by(&room, &bob).await,
        left,
        "{visibility}: left"
    );
    // An invite that is not followed changes nothing.
    server.invite(&room, &alice, &bob).await.unwrap();
    leave(server, &room, &bob).await;
    server.send(&room, &alice, "declined").await.unwrap();
    let seen = server.texts_seen_by(&room, &bob).await;
    assert_eq!(
        seen.len(),
        left.len() + usize::from(is_open),
        "{visibility}: declined"
    );
    let stranger = server.register(&format!("carol.{visibility}")).await;
    assert_eq!(
        server.texts_seen_by(&room, &stranger).await.len(),
        if is_open { 5 } else { 0 },
        "{visibility}"
    );
}

on_both_databases! {
    async fn world_readable_history_is_open_to_everyone(server: &TestRooms) {
        let all = ["before", "invited", "joined", "left"];
        check_memberships(server, "world_readable", &all[..3], &all).await;
    }

    async fn shared_history_is_open_to_members_from_its_beginning_until_they_leave(server: &TestRooms) {
        let seen = ["before", "invited", "joined"];
        check_memberships(server, "shared", &seen, &seen).await;
    }

    async fn invited_history_opens_with_the_invitation(server: &TestRooms) {
        let seen = ["invited", "joined"];
        check_memberships(server, "invited", &seen, &seen).await;
    }

    async fn joined_history_opens_with_the_join(server: &TestRooms) {
        check_memberships(server, "joined", &["joined"], &["joined"]).await;
    }

    async fn each_event_keeps_the_visibility_of_its_time(server: &TestRooms) {
        let alice = server.register("alice").await;
        let bob = server.register("bob").await;
        let room = server.public_room(&alice).await;
        server.send(&room, &alice, "shared").await.unwrap();
        set_visibility(server, &room, &alice, "joined").await;
        server.send(&room, &alice, "closed").await.unwrap();
        set_visibility(server, &room, &alice, "shared").await;
        server.send(&room, &alice, "shared again").await.unwrap();
        server.join(&room, &bob).await.unwrap();
        server.send(&room, &alice, "together").await.unwrap();
        assert_eq!(server.texts_seen_by(&room, &bob).await, ["shared", "shared again", "together"]);
    }

    async fn who_comes_back_sees_both_stays(server: &TestRooms) {
        let alice = server.register("alice").await;
        let bob = server.register("bob").await;
        let room = server.public_room(&alice).await;
        set_visibility(server, &room, &alice, "joined").await;
        server.join(&room, &bob).await.unwrap();
        server.send(&room, &alice, "first").await.unwrap();
        leave(server, &room, &bob).await;
        server.send(&room, &alice, "away").await.unwrap();
        server.join(&room, &bob).await.unwrap();
        server.send(&room, &alice, "second").await.unwrap();
        assert_eq!(server.texts_seen_by(&room, &bob).await, ["first", "second"]);
    }

    async fn changes_of_visibility_and_of_ones_own_membership_are_seen_from_either_side(server: &TestRooms) {
        let alice = server.register("alice").await;
        let bob = server.register("bob").await;
        let stranger = server.register("carol").await;
        let room = server.public_room(&alice).await;
        let opened = set_visibility(server, &room, &alice, "world_readable").await;
        let closed = set_visibility(server, &room, &alice, "joined").await;
        let reopened = set_visibility(server, &room, &alice, "world_readable").await;
        let reader = server.reader(&stranger).await;
        let changes = vec![opened, closed, reopened];
        assert_eq!(server.rooms.visible(&room, &reader, changes).await.unwrap().len(), 3);

        set_visibility(server, &room, &alice, "joined").await;
        server.join(&room, &bob).await.unwrap();
        leave(server, &room, &bob).await;
        let reader = server.reader(&bob).await;
        let history = server.rooms.rooms_of(reader.user).await.unwrap();
        let last = server.rooms.event(history.get(&room.number).unwrap().event).await.unwrap();
        let join = server.rooms.event(last.replaces.unwrap()).await.unwrap();
        assert_eq!(server.rooms.visible(&room, &reader, vec![join, last]).await.unwrap().len(), 2);
    }

    async fn a_room_that_was_left_is_read_as_it_was_then_and_a_forgotten_one_not_at_all(server: &TestRooms) {
        let alice = server.register("alice").await;
        let bob = server.register("bob").await;
        let room = server.public_room(&alice).await;
        server.join(&room, &bob).await.unwrap();
        server.set(&room, &alice, ("m.room.topic", ""), json!({ "topic": "old" })).await.unwrap();
        server.rooms.kick(&room, (&alice, &bob), None).await.unwrap();
        server.set(&room, &alice, ("m.room.topic", ""), json!({ "topic": "new" })).await.unwrap();
        let reader = server.reader(&bob).await;
        let access = server.rooms.access(&room, &reader).await.unwrap();
        let state = server.rooms.state_for(&room, access).await.unwrap();
        let topic = server.rooms.state_event(&state, "m.room.topic", "").await.unwrap().unwrap();
        assert_eq!(topic.pdu.content.get(), r#"{"topic":"old"}"#);
        let kicked = server.rooms.membership(&state, &bob).await.unwrap().unwrap().0;
        assert_eq!(kicked, MembershipState::Leave);

        server.rooms.forget(&room, reader.user).await.unwrap();
        assert!(matches!(server.rooms.access(&room, &reader).await, Err(RoomError::NotJoined { .. })));
    }
}
