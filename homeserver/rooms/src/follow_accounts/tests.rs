#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use echorift_accounts::{AccountObserver as _, Profile, ProfileObserver as _};
use ruma::events::room::member::MembershipState;
use serde_json::json;

use crate::testing::on_both_databases;

on_both_databases! {
    async fn a_new_name_is_written_into_the_joined_rooms(server: &TestRooms) {
        let (alice, bob) = (server.register("alice").await, server.register("bob").await);
        let joined = server.public_room(&alice).await;
        let left = server.public_room(&alice).await;
        for room in [&joined, &left] {
            server.join(room, &bob).await.unwrap();
        }
        server.rooms.leave(&left, &bob, None).await.unwrap();
        let profile = Profile { display_name: Some("Robert".to_owned()), ..Profile::default() };
        server.rooms.profile_changed(&bob, &profile).await;
        let content = server.content(&joined, "m.room.member", bob.as_str()).await;
        assert_eq!(content, json!({ "membership": "join", "displayname": "Robert" }));
        assert_eq!(server.membership(&left, &bob).await, Some(MembershipState::Leave));
    }

    async fn an_ended_account_leaves_declines_and_takes_knocks_back(server: &TestRooms) {
        let (alice, bob) = (server.register("alice").await, server.register("bob").await);
        let joined = server.public_room(&alice).await;
        server.join(&joined, &bob).await.unwrap();
        let invited = server.create(&alice, json!({ "invite": [bob] })).await.unwrap();
        let banned = server.public_room(&alice).await;
        server.rooms.ban(&banned, (&alice, &bob), None).await.unwrap();
        server.rooms.deactivated(&bob, false).await;
        for room in [&joined, &invited] {
            assert_eq!(server.membership(room, &bob).await, Some(MembershipState::Leave));
        }
        assert_eq!(server.membership(&banned, &bob).await, Some(MembershipState::Ban));
        assert_eq!(server.membership(&joined, &alice).await, Some(MembershipState::Join));
    }
}
