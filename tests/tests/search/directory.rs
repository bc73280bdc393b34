use echorift_tests::{Look as _, TestServer, User, fresh, v3};
use serde_json::{Value, json};

async fn people(user: &User, term: &str, limit: usize) -> Value {
    let body = json!({ "search_term": term, "limit": limit });
    user.post(v3(["user_directory", "search"]), body)
        .await
        .expect("a search")
}

async fn ids(user: &User, term: &str) -> Vec<String> {
    let answer = people(user, term, 50).await;
    let results = answer.list("/results").iter();
    results.map(|person| person.text("/user_id").to_owned()).collect()
}

/// A word for names that only this test gives on the shared server.
fn word() -> String {
    fresh("zyx").replace('-', "q")
}

/// Asks until the people are those that are wanted: who came into a room is found a moment later.
async fn ids_until(user: &User, term: &str, wanted: &[&str]) {
    let search = async {
        while ids(user, term).await != wanted {
            tokio::task::yield_now().await;
        }
    };
    let in_time = tokio::time::timeout(echorift_tests::PATIENCE, search)
        .await
        .is_ok();
    assert!(in_time, "expected {wanted:?}, found {:?}", ids(user, term).await);
}

#[tokio::test]
async fn those_who_share_a_room_find_each_other_by_any_name() {
    let server = TestServer::shared().await;
    let word = word();
    let [alice, bob, eve] = server.register(["alice", &word, "eve"]).await;
    bob.set_display_name("Bóris Ångström").await.unwrap();
    let avatar = json!({ "avatar_url": "mxc://test.example/face" });
    bob.put(v3(["profile", &bob.id, "avatar_url"]), avatar)
        .await
        .unwrap();
    assert!(ids(&alice, &word).await.is_empty(), "strangers are not found");
    alice.create_room_with(&[&bob]).await;
    ids_until(&alice, &word, &[&bob.id]).await;
    for term in [
        bob.id.as_str(),
        &bob.id[1..],
        &bob.localpart.to_uppercase(),
        &word[2..],
    ] {
        assert_eq!(ids(&alice, term).await, [bob.id.as_str()], "{term}");
    }
    for term in ["boris angstrom", "bori", "angst", "ngstr"] {
        assert!(ids(&alice, term).await.contains(&bob.id), "{term}");
    }
    assert!(ids(&eve, &word).await.is_empty());
    let found = people(&alice, &word, 10).await;
    let expected = json!({ "user_id": bob.id, "display_name": "Bóris Ångström", "avatar_url": "mxc://test.example/face" });
    assert_eq!(found, json!({ "results": [expected], "limited": false }));
}

#[tokio::test]
async fn members_of_open_rooms_are_found_by_everyone() {
    let server = TestServer::shared().await;
    let (joinable, readable) = (word(), word());
    let [anna, ben, eve] = server.register([&joinable, &readable, "eve"]).await;
    let public = anna.create_public_room().await;
    let private = ben.create_room_with(&[]).await;
    ids_until(&eve, &joinable, &[&anna.id]).await;
    assert!(ids(&eve, &readable).await.is_empty());
    let open = json!({ "history_visibility": "world_readable" });
    ben.set_state(&private, "m.room.history_visibility", "", open)
        .await
        .unwrap();
    ids_until(&eve, &readable, &[&ben.id]).await;
    let closed = json!({ "join_rule": "invite" });
    anna.set_state(&public, "m.room.join_rules", "", closed)
        .await
        .unwrap();
    ids_until(&eve, &joinable, &[]).await;
    ben.leave(&private).await.unwrap();
    ids_until(&eve, &readable, &[]).await;
}

#[tokio::test]
async fn names_are_those_of_now_and_of_everyone() {
    let server = TestServer::shared().await;
    let (before, after, secret) = (word(), word(), word());
    let [alice, bob] = server.register(["alice", "bob"]).await;
    bob.set_display_name(&before).await.unwrap();
    let room = alice.create_room_with(&[&bob]).await;
    ids_until(&alice, &before, &[&bob.id]).await;
    // A name for one room is no name for the directory.
    let member = json!({ "membership": "join", "displayname": secret });
    bob.set_state(&room, "m.room.member", &bob.id, member)
        .await
        .unwrap();
    bob.set_display_name(&after).await.unwrap();
    assert_eq!(ids(&alice, &after).await, [bob.id.as_str()], "at once");
    assert!(ids(&alice, &before).await.is_empty());
    assert!(ids(&alice, &secret).await.is_empty());
}

#[tokio::test]
async fn the_best_come_first_and_the_rest_is_cut() {
    let server = TestServer::shared().await;
    let word = word();
    let [alice, whole, beginning, second, part] = server
        .register(["alice", "whole", "beginning", "second", "part"])
        .await;
    for (user, name) in [
        (&part, format!("xx{word}xx")),
        (&second, format!("Second {word}s")),
        (&beginning, format!("{word}s Beginning")),
        (&whole, word.clone()),
    ] {
        user.set_display_name(&name).await.unwrap();
    }
    alice
        .create_room_with(&[&part, &second, &beginning, &whole])
        .await;
    let expected = [&whole, &beginning, &second, &part].map(|user| user.id.as_str());
    ids_until(&alice, &word, &expected).await;
    let first = people(&alice, &word, 2).await;
    assert_eq!(first["limited"], true);
    let first: Vec<&str> = first
        .list("/results")
        .iter()
        .map(|person| person.text("/user_id"))
        .collect();
    assert_eq!(first, expected[..2]);

    let ignored = json!({ "ignored_users": { whole.id.as_str(): {} } });
    alice
        .set_account_data("m.ignored_user_list", ignored)
        .await
        .unwrap();
    assert_eq!(ids(&alice, &word).await, expected[1..]);
}

#[tokio::test]
async fn where_everyone_is_visible_all_accounts_are_found_while_they_last() {
    let server = TestServer::builder()
        .set("user_directory.visible", "everyone")
        .start()
        .await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    assert_eq!(
        ids(&alice, "bob").await,
        [bob.id.as_str()],
        "at once, without a room"
    );
    bob.set_display_name("Robert").await.unwrap();
    assert_eq!(ids(&alice, "rob").await, [bob.id.as_str()]);
    let path = v3(["account", "deactivate"]);
    bob.confirm(reqwest::Method::POST, path, json!({})).await.unwrap();
    assert!(ids(&alice, "rob").await.is_empty());
    assert!(ids(&alice, "").await.is_empty());
}
