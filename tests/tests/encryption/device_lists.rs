//! Whose devices a client is told to look at again.

use echorift_tests::{Look as _, TestServer, v3};
use serde_json::{Value, json};

use crate::identity::publish_device;

fn names(lists: &Value, list: &str) -> Vec<String> {
    let names = lists[list].as_array().into_iter().flatten();
    let mut names: Vec<String> = names.filter_map(|name| Some(name.as_str()?.to_owned())).collect();
    names.sort();
    names
}

#[tokio::test]
async fn who_shares_a_room_hears_of_new_keys_and_nobody_else_does() {
    let server = TestServer::shared().await;
    let [alice, bob, carol] = server.register(["alice", "bob", "carol"]).await;
    alice.create_room_with(&[&bob]).await;
    let (for_alice, for_bob, for_carol) = (alice.now().await, bob.now().await, carol.now().await);
    publish_device(&alice).await;
    for (user, since) in [(&alice, &for_alice), (&bob, &for_bob)] {
        let told = user
            .sync_until(since, |answer| answer["device_lists"].is_object())
            .await;
        assert_eq!(
            names(&told["device_lists"], "changed"),
            std::slice::from_ref(&alice.id)
        );
        assert_eq!(names(&told["device_lists"], "left"), [""; 0]);
        let after = user.sync_from(told.text("/next_batch")).await;
        assert!(after.get("device_lists").is_none(), "{after}");
    }
    assert!(carol.sync_from(&for_carol).await.get("device_lists").is_none());
    // The same keys once more are no news.
    let since = bob.now().await;
    publish_device(&alice).await;
    assert!(bob.sync_from(&since).await.get("device_lists").is_none());
}

#[tokio::test]
async fn coming_and_going_changes_whom_one_follows() {
    let server = TestServer::shared().await;
    let [alice, bob, carol] = server.register(["alice", "bob", "carol"]).await;
    let room = alice.create_public_room().await;
    carol.join(&room).await.unwrap();
    let (for_alice, for_bob) = (alice.now().await, bob.now().await);
    bob.join(&room).await.unwrap();
    let told = bob.sync_from(&for_bob).await;
    assert_eq!(
        names(&told["device_lists"], "changed"),
        [alice.id.clone(), carol.id.clone()]
    );
    let told = alice.sync_from(&for_alice).await;
    assert_eq!(
        names(&told["device_lists"], "changed"),
        std::slice::from_ref(&bob.id)
    );

    // A second room in common changes nothing, and neither does leaving one of two.
    let since = alice.now().await;
    let second = alice.create_room_with(&[&bob]).await;
    let told = alice.sync_from(&since).await;
    assert!(told.get("device_lists").is_none(), "{told}");
    bob.leave(&second).await.unwrap();
    bob.set_display_name("Robert").await.unwrap();
    let told = alice.sync_from(told.text("/next_batch")).await;
    assert!(told.get("device_lists").is_none(), "{told}");

    let (for_alice, for_bob) = (alice.now().await, bob.now().await);
    bob.leave(&room).await.unwrap();
    let told = alice.sync_from(&for_alice).await;
    assert_eq!(
        names(&told["device_lists"], "left"),
        std::slice::from_ref(&bob.id)
    );
    let told = bob.sync_from(&for_bob).await;
    assert_eq!(
        names(&told["device_lists"], "left"),
        [alice.id.clone(), carol.id.clone()]
    );
}

#[tokio::test]
async fn changes_are_known_for_old_tokens_after_a_restart_too() {
    let server = TestServer::start().await;
    let [alice, bob, carol, dave] = server.register(["alice", "bob", "carol", "dave"]).await;
    let room = alice.create_public_room().await;
    for user in [&bob, &carol] {
        user.join(&room).await.unwrap();
    }
    let from = alice.now().await;
    publish_device(&bob).await;
    publish_device(&dave).await;
    carol.leave(&room).await.unwrap();
    let late = alice.create_room_with(&[&dave]).await;
    bob.set_display_name("Robert").await.unwrap();
    assert!(!late.is_empty());
    let to = alice.now().await;
    for round in 0..2 {
        if round == 1 {
            server.kill();
            server.restart().await;
        }
        let path = format!("{}?from={from}&to={to}", v3(["keys", "changes"]));
        let changes = alice.get(path).await.unwrap();
        assert_eq!(names(&changes, "changed"), [bob.id.clone(), dave.id.clone()]);
        assert_eq!(names(&changes, "left"), std::slice::from_ref(&carol.id));
        let lists = &alice.sync_from(&from).await["device_lists"];
        assert_eq!(names(lists, "changed"), [bob.id.clone(), dave.id.clone()]);
    }
    let nothing = alice
        .get(format!("{}?from={to}&to={to}", v3(["keys", "changes"])))
        .await;
    assert_eq!(nothing.unwrap(), json!({ "changed": [], "left": [] }));
}
