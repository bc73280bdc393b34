#![allow(clippy::unwrap_used, reason = "tests")]

use ruma::room_alias_id;
use serde_json::json;

use crate::{RoomError, testing::on_both_databases};

on_both_databases! {
    async fn an_alias_stands_for_its_room_until_someone_entitled_deletes_it(server: &TestRooms) {
        let (alice, bob) = (server.register("alice").await, server.register("bob").await);
        let room = server.public_room(&alice).await;
        let (rooms, alias) = (&server.rooms, room_alias_id!("#hall:one.example"));
        assert!(matches!(rooms.create_alias(alias, &room, &bob).await, Err(RoomError::NotJoined { .. })));
        rooms.create_alias(alias, &room, &alice).await.unwrap();
        assert!(matches!(rooms.create_alias(alias, &room, &alice).await, Err(RoomError::AliasTaken(_))));
        assert_eq!(rooms.room_by_alias(alias).await.unwrap().number, room.number);
        assert_eq!(rooms.aliases_seen_by(&room, &alice).await.unwrap(), [alias.to_owned()]);
        assert!(matches!(rooms.aliases_seen_by(&room, &bob).await, Err(RoomError::NotJoined { .. })));

        server.join(&room, &bob).await.unwrap();
        assert!(matches!(rooms.delete_alias(alias, &bob, false).await, Err(RoomError::Forbidden(_))));
        let canonical = json!({ "alias": alias, "alt_aliases": [alias] });
        server.set(&room, &alice, ("m.room.canonical_alias", ""), canonical).await.unwrap();
        rooms.delete_alias(alias, &alice, false).await.unwrap();
        assert!(matches!(rooms.room_by_alias(alias).await, Err(RoomError::NotFound(_))));
        assert_eq!(server.content(&room, "m.room.canonical_alias", "").await, json!({}));
        assert!(matches!(rooms.delete_alias(alias, &alice, false).await, Err(RoomError::NotFound(_))));
    }

    async fn of_many_who_want_an_alias_at_once_one_gets_it(server: &TestRooms) {
        let alice = server.register("alice").await;
        let room = server.public_room(&alice).await;
        let alias = room_alias_id!("#hall:one.example");
        let wishes = (0..8).map(|_| server.rooms.create_alias(alias, &room, &alice));
        let granted = futures_util::future::join_all(wishes).await.into_iter().filter(Result::is_ok).count();
        assert_eq!(granted, 1);
    }

    async fn only_aliases_of_the_room_can_be_advertised(server: &TestRooms) {
        let alice = server.register("alice").await;
        let room = server.create(&alice, json!({ "room_alias_name": "here" })).await.unwrap();
        server.create(&alice, json!({ "room_alias_name": "there" })).await.unwrap();
        let check = async |content: serde_json::Value| {
            server.rooms.check_canonical_alias(&room, &content.to_string()).await
        };
        check(json!({ "alias": "#here:one.example", "alt_aliases": [] })).await.unwrap();
        check(json!({ "alias": null })).await.unwrap();
        check(json!({})).await.unwrap();
        for bad in ["#there:one.example", "#nowhere:one.example", "#far:two.example"] {
            let refusal = check(json!({ "alt_aliases": [bad] })).await.unwrap_err();
            assert!(matches!(refusal, RoomError::BadAlias(_)), "{bad}: {refusal}");
        }
        for bad in [json!({ "alias": "here" }), json!({ "alt_aliases": [7] }), json!({ "alt_aliases": "#here:one.example" })] {
            let refusal = check(bad).await.unwrap_err();
            assert!(matches!(refusal, RoomError::BadRequest(_)), "{refusal}");
        }
    }
}
