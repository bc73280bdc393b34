#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use echorift_events::{rules_for, supported_versions};
use ruma::{events::room::member::MembershipState, user_id};
use serde_json::{Value, json};

use crate::{JoinRequest, RoomError, testing::on_both_databases};

on_both_databases! {
    async fn an_invited_user_joins_with_their_profile_and_joining_again_changes_nothing(server: &TestRooms) {
        let (alice, bob) = (server.register("alice").await, server.register("bob").await);
        let room = server.create(&alice, json!({ "preset": "private_chat" })).await.unwrap();
        let refusal = server.join(&room, &bob).await.unwrap_err();
        assert!(matches!(refusal, RoomError::Refused(_)), "{refusal}");

        server.invite(&room, &alice, &bob).await.unwrap();
        server.join(&room, &bob).await.unwrap();
        let position = room.view().position;
        server.join(&room, &bob).await.unwrap();
        assert_eq!(room.view().position, position);
        let joined = server.rooms.joined_rooms(server.number(&bob).await).await.unwrap();
        assert_eq!(joined, std::slice::from_ref(&room.id));
    }

    async fn invites_are_refused_where_they_cannot_be(server: &TestRooms) {
        let (alice, bob) = (server.register("alice").await, server.register("bob").await);
        let carol = server.register("carol").await;
        let room = server.public_room(&alice).await;
        assert!(matches!(server.invite(&room, &bob, &carol).await, Err(RoomError::Refused(_))));
        assert!(matches!(server.invite(&room, &alice, &alice).await, Err(RoomError::Refused(_))));
        let remote = user_id!("@dora:two.example");
        assert!(matches!(server.invite(&room, &alice, remote).await, Err(RoomError::RemoteUser(_))));

        let number = server.number(&carol).await;
        let block = serde_json::value::to_raw_value(&json!({ "default_action": "block" })).unwrap();
        server.accounts.set_global_account_data(number, "m.invite_permission_config", block).await.unwrap();
        assert!(matches!(server.invite(&room, &alice, &carol).await, Err(RoomError::InviteBlocked(_))));
        server.rooms.ban(&room, (&alice, &bob), None).await.unwrap();
        assert!(matches!(server.invite(&room, &alice, &bob).await, Err(RoomError::Refused(_))));
    }

    async fn kicks_bans_and_their_lifting_need_someone_to_act_upon(server: &TestRooms) {
        let (alice, bob) = (server.register("alice").await, server.register("bob").await);
        let room = server.public_room(&alice).await;
        let rooms = &server.rooms;
        assert!(matches!(rooms.kick(&room, (&alice, &bob), None).await, Err(RoomError::Forbidden(_))));
        assert!(matches!(rooms.unban(&room, (&alice, &bob), None).await, Err(RoomError::Forbidden(_))));
        assert!(matches!(rooms.kick(&room, (&bob, &alice), None).await, Err(RoomError::NotJoined { .. })));

        server.join(&room, &bob).await.unwrap();
        assert!(matches!(rooms.kick(&room, (&bob, &alice), None).await, Err(RoomError::Refused(_))));
        rooms.kick(&room, (&alice, &bob), Some("noise".to_owned())).await.unwrap();
        let content = server.content(&room, "m.room.member", bob.as_str()).await;
        assert_eq!(content, json!({ "membership": "leave", "reason": "noise" }));

        rooms.ban(&room, (&alice, &bob), None).await.unwrap();
        assert!(server.join(&room, &bob).await.is_err());
        assert!(matches!(rooms.leave(&room, &bob, None).await, Err(RoomError::Forbidden(_))));
        rooms.unban(&room, (&alice, &bob), None).await.unwrap();
        server.join(&room, &bob).await.unwrap();
    }

    async fn leaving_is_for_those_who_came_and_may_be_repeated(server: &TestRooms) {
        let (alice, bob) = (server.register("alice").await, server.register("bob").await);
        let room = server.create(&alice, json!({ "invite": [bob] })).await.unwrap();
        let stranger = user_id!("@eve:one.example");
        assert!(matches!(server.rooms.leave(&room, stranger, None).await, Err(RoomError::NotJoined { .. })));
        server.rooms.leave(&room, &bob, None).await.unwrap();
        server.rooms.leave(&room, &bob, None).await.unwrap();
        assert_eq!(server.membership(&room, &bob).await, Some(MembershipState::Leave));
        assert!(server.join(&room, &bob).await.is_err());
    }

    async fn a_room_is_forgotten_only_after_it_was_left_and_comes_back_with_an_invite(server: &TestRooms) {
        let (alice, bob) = (server.register("alice").await, server.register("bob").await);
        let room = server.public_room(&alice).await;
        let number = server.number(&bob).await;
        server.rooms.forget(&room, number).await.unwrap();
        server.join(&room, &bob).await.unwrap();
        assert!(matches!(server.rooms.forget(&room, number).await, Err(RoomError::NotLeft(_))));
        server.rooms.leave(&room, &bob, None).await.unwrap();
        server.rooms.forget(&room, number).await.unwrap();
        let is_forgotten = async || server.rooms.rooms_of(number).await.unwrap()[&room.number].is_forgotten;
        assert!(is_forgotten().await);
        server.invite(&room, &alice, &bob).await.unwrap();
        assert!(!is_forgotten().await);
    }

    async fn a_knock_is_answered_by_an_invite(server: &TestRooms) {
        let (alice, bob) = (server.register("alice").await, server.register("bob").await);
        for version in supported_versions() {
            let rules = json!([{ "type": "m.room.join_rules", "content": { "join_rule": "knock" } }]);
            let room = server.create(&alice, json!({ "room_version": version, "initial_state": rules })).await.unwrap();
            let knocked = server.rooms.knock(&server.accounts, &room, &bob, Some("let me in".to_owned())).await;
            assert_eq!(knocked.is_ok(), rules_for(&version).unwrap().authorization.knocking, "version {version}");
            if knocked.is_ok() {
                assert_eq!(server.membership(&room, &bob).await, Some(MembershipState::Knock));
                assert!(server.join(&room, &bob).await.is_err());
                server.invite(&room, &alice, &bob).await.unwrap();
                server.join(&room, &bob).await.unwrap();
            }
        }
    }

    async fn a_restricted_room_lets_in_who_meets_a_condition(server: &TestRooms) {
        let (alice, bob) = (server.register("alice").await, server.register("bob").await);
        let carol = server.register("carol").await;
        let hall = server.public_room(&alice).await;
        server.join(&hall, &bob).await.unwrap();
        for rule in ["restricted", "knock_restricted"] {
            for version in supported_versions() {
                let rules = rules_for(&version).unwrap().authorization;
                let is_known = if rule == "restricted" { rules.restricted_join_rule } else { rules.knock_restricted_join_rule };
                if !is_known {
                    continue;
                }
                let allow = json!([
                    { "type": "m.room_membership", "room_id": "!unknown:one.example" },
                    { "type": "m.room_membership", "room_id": hall.id },
                ]);
                let content = json!({ "join_rule": rule, "allow": allow });
                let state = json!([{ "type": "m.room.join_rules", "content": content }]);
                let room = server.create(&alice, json!({ "room_version": version, "initial_state": state })).await.unwrap();
                server.join(&room, &bob).await.unwrap();
                let member = server.content(&room, "m.room.member", bob.as_str()).await;
                assert_eq!(member["join_authorised_via_users_server"], alice.as_str(), "{rule} in version {version}");
                let refusal = server.join(&room, &carol).await.unwrap_err();
                assert!(matches!(refusal, RoomError::Forbidden(_)), "{rule} in version {version}: {refusal}");
                server.invite(&room, &alice, &carol).await.unwrap();
                server.join(&room, &carol).await.unwrap();
                let member = server.content(&room, "m.room.member", carol.as_str()).await;
                assert_eq!(member["join_authorised_via_users_server"], Value::Null, "{rule} in version {version}");
            }
        }
    }

    async fn a_restricted_join_needs_somebody_who_may_invite(server: &TestRooms) {
        let (alice, bob) = (server.register("alice").await, server.register("bob").await);
        let carol = server.register("carol").await;
        let hall = server.public_room(&alice).await;
        for user in [&bob, &carol] {
            server.join(&hall, user).await.unwrap();
        }
        let allow = json!([{ "type": "m.room_membership", "room_id": hall.id }]);
        let content = json!({ "join_rule": "restricted", "allow": allow });
        let room = server
            .create(&alice, json!({
                "initial_state": [{ "type": "m.room.join_rules", "content": content }],
                "power_level_content_override": { "invite": 50 },
            }))
            .await
            .unwrap();
        server.join(&room, &bob).await.unwrap();
        server.rooms.leave(&room, &alice, None).await.unwrap();
        let refusal = server.join(&room, &carol).await.unwrap_err();
        assert!(matches!(refusal, RoomError::CannotAuthoriseJoin(_)), "{refusal}");
    }

    async fn a_token_of_somebody_else_opens_no_invite(server: &TestRooms) {
        let (alice, bob) = (server.register("alice").await, server.register("bob").await);
        let room = server.create(&alice, json!({})).await.unwrap();
        let pending = json!({ "display_name": "b…", "key_validity_url": "x", "public_key": "AAAA", "public_keys": [] });
        server.set(&room, &alice, ("m.room.third_party_invite", "token"), pending).await.unwrap();
        let signed = json!({ "sender": alice, "mxid": "@eve:one.example", "token": "token", "signatures": {} });
        let signed = serde_json::from_value(signed).unwrap();
        let request = JoinRequest { third_party_signed: Some(signed), reason: None };
        let refusal = server.rooms.join(&server.accounts, &room, &bob, request).await.unwrap_err();
        assert!(matches!(refusal, RoomError::Forbidden(_)), "{refusal}");
        let unsigned = json!({ "sender": alice, "mxid": bob, "token": "token", "signatures": {} });
        let unsigned = serde_json::from_value(unsigned).unwrap();
        let request = JoinRequest { third_party_signed: Some(unsigned), reason: None };
        let refusal = server.rooms.join(&server.accounts, &room, &bob, request).await.unwrap_err();
        assert!(matches!(refusal, RoomError::Refused(_)), "{refusal}");
    }

    async fn mutual_rooms_are_paged_and_counted(server: &TestRooms) {
        let (alice, bob) = (server.register("alice").await, server.register("bob").await);
        let mut shared = Vec::new();
        for index in 0..5 {
            let room = server.public_room(&alice).await;
            if index != 2 {
                server.join(&room, &bob).await.unwrap();
                shared.push(room.id.clone());
            }
        }
        let number = server.number(&alice).await;
        let first = server.rooms.mutual_rooms(number, &bob, echorift_storage::RoomNumber(0), 3).await.unwrap();
        assert_eq!((first.rooms.as_slice(), first.count), (&shared[..3], 4));
        let rest = server.rooms.mutual_rooms(number, &bob, first.next.unwrap(), 3).await.unwrap();
        assert_eq!((rest.rooms.as_slice(), rest.next), (&shared[3..], None));
    }
}

#[tokio::test]
async fn rooms_and_memberships_are_there_after_a_restart() {
    let server = crate::testing::TestRooms::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = server.public_room(&alice).await;
    server.join(&room, &bob).await.unwrap();
    let (id, before) = (room.id.clone(), room.view());
    drop(room);
    let server = server.restart().await;
    let room = server.rooms.room(&id).await.unwrap();
    assert!(before.state.changes_to(&room.view().state).is_empty());
    assert_eq!(room.view().members.joined, before.members.joined);
    server.send(&room, &bob, "still here").await.unwrap();
}
