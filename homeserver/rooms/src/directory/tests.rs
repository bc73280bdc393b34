#![allow(clippy::unwrap_used, reason = "tests")]

use ruma::{
    directory::{Filter, RoomNetwork},
    user_id,
};
use serde_json::json;

use crate::{DirectoryPage, DirectoryToken, RoomError, testing::on_both_databases};

fn names(page: &DirectoryPage) -> Vec<&str> {
    page.rooms
        .iter()
        .map(|room| room.summary.name.as_deref().unwrap_or_default())
        .collect()
}

on_both_databases! {
    async fn the_directory_is_paged_both_ways_largest_rooms_first(server: &TestRooms) {
        let (alice, bob) = (server.register("alice").await, server.register("bob").await);
        for name in ["one", "two", "three", "four", "five"] {
            let request = json!({ "name": name, "visibility": "public" });
            let room = server.create(&alice, request).await.unwrap();
            if name == "three" {
                server.join(&room, &bob).await.unwrap();
            }
        }
        server.create(&alice, json!({ "name": "hidden", "preset": "public_chat" })).await.unwrap();
        let filter = Filter::new();
        let first = server.rooms.directory(&RoomNetwork::Matrix, &filter, DirectoryToken::START, 2).await.unwrap();
        assert_eq!((names(&first), first.total), (vec!["three", "one"], 5));
        assert!(first.previous.is_none());
        let second = server.rooms.directory(&RoomNetwork::Matrix, &filter, first.next.unwrap(), 2).await.unwrap();
        assert_eq!(names(&second), ["two", "four"]);
        let third = server.rooms.directory(&RoomNetwork::Matrix, &filter, second.next.unwrap(), 2).await.unwrap();
        assert_eq!((names(&third), third.next), (vec!["five"], None));
        let back = server.rooms.directory(&RoomNetwork::Matrix, &filter, third.previous.unwrap(), 2).await.unwrap();
        assert_eq!(names(&back), ["two", "four"]);
        let start = server.rooms.directory(&RoomNetwork::Matrix, &filter, back.previous.unwrap(), 2).await.unwrap();
        assert_eq!((names(&start), start.previous), (vec!["three", "one"], None));
    }

    async fn a_search_looks_at_names_topics_aliases_and_types(server: &TestRooms) {
        let alice = server.register("alice").await;
        let rooms = [
            json!({ "name": "Coffee" }),
            json!({ "name": "Kitchen", "topic": "who makes COFFEE today" }),
            json!({ "name": "Break", "room_alias_name": "coffee-break" }),
            json!({ "name": "Coffee space", "creation_content": { "type": "m.space" } }),
            json!({ "name": "Tea" }),
        ];
        for mut room in rooms {
            room["visibility"] = json!("public");
            server.create(&alice, room).await.unwrap();
        }
        let search = async |filter: serde_json::Value| {
            let filter: Filter = serde_json::from_value(filter).unwrap();
            let page = server.rooms.directory(&RoomNetwork::Matrix, &filter, DirectoryToken::START, 10).await.unwrap();
            names(&page).into_iter().map(ToOwned::to_owned).collect::<Vec<_>>()
        };
        let term = json!({ "generic_search_term": "coffee" });
        assert_eq!(search(term).await, ["Coffee", "Kitchen", "Break", "Coffee space"]);
        let spaces = json!({ "generic_search_term": "coffee", "room_types": ["m.space"] });
        assert_eq!(search(spaces).await, ["Coffee space"]);
        assert_eq!(search(json!({ "room_types": [null] })).await, ["Coffee", "Kitchen", "Break", "Tea"]);
    }

    async fn a_rooms_place_is_changed_by_who_speaks_for_the_room(server: &TestRooms) {
        let (alice, bob) = (server.register("alice").await, server.register("bob").await);
        let room = server.public_room(&alice).await;
        let set = async |user: &ruma::UserId, value| server.rooms.set_published(&server.accounts, &room, user, value).await;
        assert!(!server.rooms.is_published(&room).await.unwrap());
        assert!(matches!(set(&bob, true).await, Err(RoomError::NotJoined { .. })));
        server.join(&room, &bob).await.unwrap();
        assert!(matches!(set(&bob, true).await, Err(RoomError::Forbidden(_))));
        set(&alice, true).await.unwrap();
        assert!(server.rooms.is_published(&room).await.unwrap());
        let admin = server.accounts.create_local_user("root", "correct horse battery staple", true).await.unwrap();
        set(&admin, false).await.unwrap();
        assert!(!server.rooms.is_published(&room).await.unwrap());
    }

    async fn reports_are_kept_about_what_exists(server: &TestRooms) {
        let (alice, bob) = (server.register("alice").await, server.register("bob").await);
        let room = server.public_room(&alice).await;
        let event = server.send(&room, &alice, "rude").await.unwrap();
        let place = (&*room.id, &*event.pdu.event_id);
        let (rooms, number) = (&server.rooms, server.number(&bob).await);
        assert!(matches!(rooms.report_event((&bob, number), place, "rude").await, Err(RoomError::NotFound(_))));
        server.join(&room, &bob).await.unwrap();
        rooms.report_event((&bob, number), place, "rude").await.unwrap();
        rooms.report_room(number, &room.id, "").await.unwrap();
        rooms.report_user(&server.accounts, number, &alice, "rude").await.unwrap();
        let stranger = user_id!("@nobody:one.example");
        assert!(matches!(rooms.report_user(&server.accounts, number, stranger, "").await, Err(RoomError::NotFound(_))));
        let unknown = ruma::room_id!("!unknown:one.example");
        assert!(matches!(rooms.report_room(number, unknown, "").await, Err(RoomError::NotFound(_))));
        let row = rooms.database().fetch_optional("SELECT COUNT(*) FROM reports", &[]).await.unwrap();
        assert_eq!(row.unwrap().int(0).unwrap(), 3);
    }
}
