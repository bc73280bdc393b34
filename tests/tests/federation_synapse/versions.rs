use echorift_tests::{Look as _, TestServer, assert_agreement};
use serde_json::json;

crate::both_ways!(rooms_of_all_versions_work);

/// Those that both makes can create and that are in use.
const VERSIONS: std::ops::RangeInclusive<u32> = 6..=12;

async fn rooms_of_all_versions_work(near: &TestServer, far: &TestServer) {
    let [alice] = near.register(["alice"]).await;
    let [bob, carol] = far.register(["bob", "carol"]).await;
    for version in VERSIONS {
        let request = json!({ "preset": "public_chat", "room_version": version.to_string() });
        let room = alice.create_room(request).await.unwrap();
        bob.join_via(&room, near)
            .await
            .unwrap_or_else(|refusal| panic!("version {version}: {refusal}"));
        alice.sees_membership(&room, &bob, "join").await;
        let create = bob.state(&room, "m.room.create", "").await.unwrap();
        assert_eq!(create.text("/room_version"), version.to_string());

        let one = alice.send_text(&room, "from here").await.unwrap();
        bob.sees(&room, &one).await;
        let two = bob.send_text(&room, "from there").await.unwrap();
        alice.sees(&room, &two).await;
        alice
            .set_state(&room, "m.room.topic", "", json!({ "topic": "state" }))
            .await
            .unwrap();
        bob.sees_state(&room, "m.room.topic", "", "/topic", "state").await;
        let gone = bob.redact(&room, &two).await.unwrap();
        alice.sees(&room, &gone).await;
        alice.invite(&room, &carol).await.unwrap();
        carol.is_invited(&room).await;
        carol.join(&room).await.unwrap();
        alice.sees_membership(&room, &carol, "join").await;
        alice.ban(&room, &carol).await.unwrap();
        bob.sees_membership(&room, &carol, "ban").await;
        assert_agreement(&room, &[&alice, &bob]).await;
    }
}
