use echorift_tests::{Look as _, TestServer, User, refused, v3};
use serde_json::{Value, json};

use crate::admin;

async fn named_room(owner: &User, name: &str) -> String {
    owner
        .create_room(json!({ "name": name, "preset": "public_chat" }))
        .await
        .unwrap()
}

async fn listed(root: &User, query: &str) -> Vec<String> {
    let page = root.get(format!("{}?{query}", admin(["rooms"]))).await.unwrap();
    let ids = page
        .list("/items")
        .iter()
        .map(|room| room.text("/room_id").to_owned());
    ids.collect()
}

#[tokio::test]
async fn rooms_are_listed_in_three_orders_and_found() {
    let server = TestServer::start().await;
    let root = server.register_admin().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let lobby = named_room(&alice, "Lobby").await;
    let kitchen = named_room(&alice, "ärztliche Küche 100%").await;
    let nameless = alice.create_room(json!({})).await.unwrap();
    bob.join(&kitchen).await.unwrap();
    alice
        .set_state(&lobby, "m.room.name", "", json!({ "name": "Attic" }))
        .await
        .unwrap();

    let attic = lobby;
    let by_name = [attic.clone(), kitchen.clone(), nameless.clone()];
    assert_eq!(listed(&root, "").await, by_name);
    assert_eq!(listed(&root, "order=members").await[0], kitchen);
    assert_eq!(
        listed(&root, "order=newest").await,
        [nameless.clone(), kitchen.clone(), attic.clone()]
    );
    assert_eq!(listed(&root, "search=ATTIC").await, [&*attic]);
    assert_eq!(listed(&root, "search=Lobby").await, Vec::<String>::new());
    assert_eq!(listed(&root, "search=%C3%84RZT").await, [&*kitchen]);
    assert_eq!(listed(&root, "search=100%25").await, [&*kitchen]);

    for order in ["name", "members", "newest"] {
        let (mut from, mut seen) = (String::new(), Vec::new());
        loop {
            let path = format!("{}?order={order}&limit=1{from}", admin(["rooms"]));
            let page = root.get(path).await.unwrap();
            seen.extend(
                page.list("/items")
                    .iter()
                    .map(|room| room.text("/room_id").to_owned()),
            );
            let Some(next) = page["next"].as_str() else { break };
            from = format!("&from={next}");
        }
        assert_eq!(seen, listed(&root, &format!("order={order}")).await, "{order}");
    }
    let first = root.get(admin(["rooms"])).await.unwrap();
    assert_eq!(first.number("/total"), 3);
}

#[tokio::test]
async fn a_name_that_is_no_text_hinders_nobody() {
    let server = TestServer::start().await;
    let root = server.register_admin().await;
    let [alice] = server.register(["alice"]).await;
    let room = named_room(&alice, "before").await;
    for name in [
        json!({ "a": 1 }),
        json!(7),
        json!("x\u{0}y"),
        json!(null),
        json!(""),
    ] {
        let state = json!({ "name": name });
        let _ = alice.set_state(&room, "m.room.name", "", state).await;
        for order in ["name", "members", "newest"] {
            assert_eq!(listed(&root, &format!("order={order}")).await, [&*room]);
        }
    }
}

#[tokio::test]
async fn a_room_is_shown_with_all_that_is_known() {
    let server = TestServer::shared().await;
    let root = server.register_admin().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let alias = alice.fresh_alias("hall");
    let localpart = alias.trim_start_matches('#').split(':').next().unwrap();
    let room = alice
        .create_room(json!({
            "name": "Hall", "topic": "All of us", "preset": "public_chat", "visibility": "public",
            "room_alias_name": localpart,
        }))
        .await
        .unwrap();
    bob.join(&room).await.unwrap();
    bob.set_display_name("Bob").await.unwrap();
    let shown = root.get(admin(["rooms", &room])).await.unwrap();
    for (field, value) in [
        ("name", json!("Hall")),
        ("topic", json!("All of us")),
        ("canonical_alias", json!(alias)),
        ("aliases", json!([alias])),
        ("creator", json!(alice.id)),
        ("is_public", json!(true)),
        ("is_encrypted", json!(false)),
        ("is_space", json!(false)),
        ("is_blocked", json!(false)),
        ("join_rule", json!("public")),
        ("joined_members", json!(2)),
        ("joined_local_members", json!(2)),
        ("servers", json!([{ "name": server.name(), "members": 2 }])),
    ] {
        assert_eq!(shown[field], value, "{field}");
    }
    assert!(shown.number("/events") >= shown.number("/state_events"));
    let members = root.get(admin(["rooms", &room, "members"])).await.unwrap();
    assert_eq!(
        members["items"][1],
        json!({ "user_id": bob.id, "membership": "join", "displayname": "Bob", "avatar_url": null, "is_local": true })
    );
    refused(root.get(admin(["rooms", "!nowhere:x"])).await, 404, "M_NOT_FOUND");
}

#[tokio::test]
async fn nobody_of_ours_enters_a_blocked_room() {
    let server = TestServer::shared().await;
    let root = server.register_admin().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = named_room(&alice, "dubious").await;
    let blocked = root
        .post(admin(["rooms", &room, "block"]), json!({}))
        .await
        .unwrap();
    assert_eq!(blocked["is_blocked"], true);

    refused(bob.join(&room).await, 403, "M_FORBIDDEN");
    refused(alice.invite(&room, &bob).await, 403, "M_FORBIDDEN");
    refused(bob.knock(&room).await, 403, "M_FORBIDDEN");
    let content = json!({ "membership": "join" });
    refused(
        bob.set_state(&room, "m.room.member", &bob.id, content)
            .await
            .map(Value::from),
        403,
        "M_FORBIDDEN",
    );
    alice.send_text(&room, "who is in stays").await.unwrap();
    // Rooms elsewhere are refused before anybody is asked.
    root.post(admin(["rooms", "!far:elsewhere.example", "block"]), json!({}))
        .await
        .unwrap();
    refused(bob.join("!far:elsewhere.example").await, 403, "M_FORBIDDEN");

    root.post(admin(["rooms", &room, "unblock"]), json!({}))
        .await
        .unwrap();
    bob.join(&room).await.unwrap();
}

#[tokio::test]
async fn a_deleted_room_is_left_by_all_and_found_by_nobody() {
    let server = TestServer::shared().await;
    let root = server.register_admin().await;
    let [alice, bob, cleo] = server.register(["alice", "bob", "cleo"]).await;
    let alias = alice.fresh_alias("gone");
    let localpart = alias.trim_start_matches('#').split(':').next().unwrap();
    let room = alice
        .create_room(json!({
            "preset": "public_chat", "visibility": "public", "room_alias_name": localpart, "invite": [cleo.id],
        }))
        .await
        .unwrap();
    bob.join(&room).await.unwrap();
    let mut members = vec![alice.id.clone(), bob.id.clone(), cleo.id.clone()];
    members.sort_unstable();

    let path = admin(["rooms", &room, "delete"]);
    let told = root.post(&path, json!({ "dry_run": true })).await.unwrap();
    assert_eq!((told.number("/removed"), &told["members"]), (3, &json!(members)));
    bob.send_text(&room, "still here").await.unwrap();

    let done = root
        .post(&path, json!({ "block": true, "reason": "moved elsewhere" }))
        .await
        .unwrap();
    assert_eq!((done.number("/removed"), &done["stayed"]), (3, &json!([])));
    assert_eq!(done["aliases"], json!([alias]));
    let shown = root.get(admin(["rooms", &room])).await.unwrap();
    assert_eq!(
        (
            shown.number("/joined_members"),
            &shown["is_public"],
            &shown["is_blocked"]
        ),
        (0, &json!(false), &json!(true))
    );
    refused(
        bob.get(v3(["directory", "room", &alias])).await,
        404,
        "M_NOT_FOUND",
    );
    refused(bob.join(&room).await, 403, "M_FORBIDDEN");
}
