use echorift_tests::{TestServer, User, fresh};
use serde_json::json;

use crate::{all_indexed, found, search, search_until};

async fn finds(user: &User, word: &str) -> Vec<String> {
    let criteria = json!({ "search_term": word, "order_by": "recent", "filter": { "limit": 50 } });
    let results = search(user, criteria).await;
    let texts = found(&results);
    assert_eq!(
        results["count"],
        texts.len(),
        "what cannot be seen is not counted"
    );
    texts
}

#[tokio::test]
async fn nobody_finds_what_was_said_where_they_are_not() {
    let server = TestServer::shared().await;
    let [alice, eve] = server.register(["alice", "eve"]).await;
    let word = fresh("secret").replace('-', "");
    let (private, public) = (
        alice.create_room_with(&[]).await,
        alice.create_public_room().await,
    );
    alice.send_text(&private, &word).await.unwrap();
    alice.send_text(&public, &word).await.unwrap();
    all_indexed(&alice, &public).await;
    assert_eq!(finds(&alice, &word).await.len(), 2);
    assert!(finds(&eve, &word).await.is_empty());
    // An invitation opens nothing yet.
    alice.invite(&private, &eve).await.unwrap();
    assert!(finds(&eve, &word).await.is_empty());
}

#[tokio::test]
async fn those_who_left_find_what_was_said_until_then() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let word = fresh("leaving").replace('-', "");
    alice.send_text(&room, &format!("{word} before")).await.unwrap();
    bob.leave(&room).await.unwrap();
    alice.send_text(&room, &format!("{word} after")).await.unwrap();
    all_indexed(&alice, &room).await;
    assert_eq!(finds(&bob, &word).await, [format!("{word} before")]);
    bob.forget(&room).await.unwrap();
    assert!(finds(&bob, &word).await.is_empty());
}

#[tokio::test]
async fn history_from_before_one_came_is_found_only_where_it_is_shared() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    for (visibility, sees_before) in [
        ("shared", true),
        ("invited", false),
        ("joined", false),
        ("world_readable", true),
    ] {
        let content = json!({ "history_visibility": visibility });
        let state = json!([{ "type": "m.room.history_visibility", "content": content }]);
        let request = json!({ "preset": "public_chat", "initial_state": state });
        let room = alice.create_room(request).await.unwrap();
        let word = fresh("history").replace('-', "");
        alice.send_text(&room, &format!("{word} before")).await.unwrap();
        bob.join(&room).await.unwrap();
        alice.send_text(&room, &format!("{word} after")).await.unwrap();
        all_indexed(&alice, &room).await;
        let mut expected = vec![format!("{word} after")];
        if sees_before {
            expected.push(format!("{word} before"));
        }
        assert_eq!(finds(&bob, &word).await, expected, "{visibility}");
    }
}

#[tokio::test]
async fn ignored_users_and_encrypted_rooms_are_left_out() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let word = fresh("ignored").replace('-', "");
    alice.send_text(&room, &format!("{word} alice")).await.unwrap();
    bob.send_text(&room, &format!("{word} bob")).await.unwrap();
    all_indexed(&bob, &room).await;
    let ignored = json!({ "ignored_users": { bob.id.as_str(): {} } });
    alice
        .set_account_data("m.ignored_user_list", ignored)
        .await
        .unwrap();
    assert_eq!(finds(&alice, &word).await, [format!("{word} alice")]);
    assert_eq!(finds(&bob, &word).await.len(), 2);

    let algorithm = json!({ "algorithm": "m.megolm.v1.aes-sha2" });
    alice
        .set_state(&room, "m.room.encryption", "", algorithm)
        .await
        .unwrap();
    assert!(finds(&bob, &word).await.is_empty());
}

#[tokio::test]
async fn an_upgraded_room_is_searched_with_its_past() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let old = alice.create_room_with(&[&bob]).await;
    let word = fresh("upgrade").replace('-', "");
    alice.send_text(&old, &format!("{word} old")).await.unwrap();
    let path = echorift_tests::v3(["rooms", &old, "upgrade"]);
    let answer = alice.post(path, json!({ "new_version": "12" })).await.unwrap();
    let new = answer["replacement_room"].as_str().unwrap().to_owned();
    alice.send_text(&new, &format!("{word} new")).await.unwrap();
    let criteria =
        |room: &str| json!({ "search_term": word, "order_by": "recent", "filter": { "rooms": [room] } });
    let both = [format!("{word} new"), format!("{word} old")];
    search_until(&alice, criteria(&new), |results| found(results) == both).await;
    assert_eq!(
        found(&search(&alice, criteria(&old)).await),
        [format!("{word} old")]
    );
    // Who has not come along searches only what they know.
    assert_eq!(
        found(&search(&bob, criteria(&old)).await),
        [format!("{word} old")]
    );
    assert!(found(&search(&bob, criteria(&new)).await).is_empty());
}
