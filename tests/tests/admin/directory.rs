use echorift_tests::{Look as _, SHARED_SECRET, TestDirectory, TestServer, User, register_by_secret};
use serde_json::json;

use crate::admin;

#[tokio::test]
async fn the_directory_is_shown_with_how_it_answers() {
    let directory = TestDirectory::start();
    let server = directory.server().start().await;
    let made = register_by_secret(&server, SHARED_SECRET, "root", "a good password", true).await;
    let root = server.with_token(made.unwrap().text("/access_token"));
    let before = root.get(admin(["directory"])).await.unwrap();
    assert_eq!(
        (&before["enabled"], &before["last_answer_ts"]),
        (&json!(true), &json!(null))
    );
    assert!(!before.to_string().contains("assword"), "{before}");

    User::logged_in(&server, "jonas.meyer", "nordlicht-jonas")
        .await
        .unwrap();
    let after = root.get(admin(["directory"])).await.unwrap();
    assert!(after.number("/last_answer_ts") > 0, "{after}");
    let people = root.get(admin(["users"]) + "?search=jonas").await.unwrap();
    assert_eq!(people.text("/items/0/source"), "directory");
}

#[tokio::test]
async fn a_server_without_a_directory_says_so() {
    let server = TestServer::shared().await;
    let root = server.register_admin().await;
    assert_eq!(
        root.get(admin(["directory"])).await.unwrap(),
        json!({ "enabled": false })
    );
}
