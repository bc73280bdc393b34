use echorift_tests::{Look as _, TestServer, assert_agreement, fresh, refused, until, v3};
use serde_json::json;

crate::both_ways!(
    rooms_are_joined_by_alias,
    the_public_rooms_of_the_other_server_are_listed,
    profiles_are_asked_for_across,
);

async fn rooms_are_joined_by_alias(near: &TestServer, far: &TestServer) {
    let ([alice], [bob]) = (near.register(["alice"]).await, far.register(["bob"]).await);
    let alias = alice.fresh_alias("meeting");
    let (localpart, _) = alias.trim_start_matches('#').split_once(':').unwrap();
    let request = json!({ "preset": "public_chat", "room_alias_name": localpart });
    let room = alice.create_room(request).await.unwrap();
    let found = bob.get(v3(["directory", "room", &alias])).await.unwrap();
    assert_eq!(found.text("/room_id"), room);
    assert!(found.list("/servers").contains(&json!(near.name())), "{found:#}");
    assert_eq!(bob.join(&alias).await.unwrap().text("/room_id"), room);
    alice.sees_membership(&room, &bob, "join").await;
    assert_agreement(&room, &[&alice, &bob]).await;

    let nowhere = alice.fresh_alias("nowhere");
    refused(
        bob.get(v3(["directory", "room", &nowhere])).await,
        404,
        "M_NOT_FOUND",
    );
    assert!(bob.join(&nowhere).await.is_err());
}

async fn the_public_rooms_of_the_other_server_are_listed(near: &TestServer, far: &TestServer) {
    let ([alice], [bob]) = (near.register(["alice"]).await, far.register(["bob"]).await);
    let word = fresh("zebra");
    let request =
        json!({ "preset": "public_chat", "visibility": "public", "name": word, "topic": "stripes" });
    let room = alice.create_room(request).await.unwrap();
    let request = json!({ "preset": "private_chat", "name": format!("hidden {word}") });
    let hidden = alice.create_room(request).await.unwrap();
    let server = near.name().replace(':', "%3A");
    let path = format!("/_matrix/client/v3/publicRooms?server={server}");
    let entry = until("the room is listed", async || {
        let page = bob
            .post(
                &path,
                json!({ "filter": { "generic_search_term": word }, "limit": 10 }),
            )
            .await
            .ok()?;
        let rooms = page.events("/chunk");
        assert!(rooms.iter().all(|entry| entry["room_id"] != hidden.as_str()));
        rooms.into_iter().find(|entry| entry["room_id"] == room.as_str())
    })
    .await;
    assert_eq!(entry.text("/name"), word);
    assert_eq!(entry.text("/topic"), "stripes");
    assert_eq!(entry.number("/num_joined_members"), 1);
    let page = bob.get(format!("{path}&limit=1")).await.unwrap();
    assert_eq!(page.list("/chunk").len(), 1);
}

async fn profiles_are_asked_for_across(near: &TestServer, far: &TestServer) {
    let ([alice], [bob]) = (near.register(["alice"]).await, far.register(["bob"]).await);
    alice.set_display_name("Alice of the other side").await.unwrap();
    let avatar = format!("mxc://{}/picture", near.name());
    alice
        .put(
            v3(["profile", &alice.id, "avatar_url"]),
            json!({ "avatar_url": avatar }),
        )
        .await
        .unwrap();
    let profile = bob.get(v3(["profile", &alice.id])).await.unwrap();
    assert_eq!(profile.text("/displayname"), "Alice of the other side");
    assert_eq!(profile.text("/avatar_url"), avatar);
    let name = bob.get(v3(["profile", &alice.id, "displayname"])).await.unwrap();
    assert_eq!(name, json!({ "displayname": "Alice of the other side" }));
    let nobody = format!("@nobody:{}", near.name());
    refused(bob.get(v3(["profile", &nobody])).await, 404, "M_NOT_FOUND");
}
