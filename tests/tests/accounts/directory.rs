use std::collections::BTreeSet;

use echorift_tests::{Look as _, SHARED_SECRET, TestDirectory, User, refused, register_by_secret, v3};
use serde_json::json;

#[tokio::test]
async fn people_of_the_directory_log_in_and_get_their_names() {
    let directory = TestDirectory::start();
    let server = directory.server().start().await;
    let jonas = User::logged_in(&server, "jonas.meyer", "nordlicht-jonas")
        .await
        .unwrap();
    assert_eq!(jonas.id, "@jonas.meyer:test.example");
    let profile = jonas.get(v3(["profile", &jonas.id])).await.unwrap();
    assert_eq!(profile.text("/displayname"), "Jonas Meyer");

    // Nested groups count: platform is part of engineering, which is part of everyone.
    let sinead = User::logged_in(&server, "o'neil", "nordlicht-sinead").await;
    assert!(sinead.is_ok(), "{sinead:?}");
    let room = jonas.create_room_with(&[&sinead.unwrap()]).await;
    jonas.send_text(&room, "good morning").await.unwrap();

    // The same person comes back to the same account.
    let again = User::logged_in(&server, "jonas.meyer", "nordlicht-jonas")
        .await
        .unwrap();
    assert_eq!(again.id, jonas.id);
    assert_eq!(
        again
            .get(v3(["joined_rooms"]))
            .await
            .unwrap()
            .list("/joined_rooms"),
        [json!(room)]
    );

    // The password is the directory's to change.
    let capabilities = jonas.get(v3(["capabilities"])).await.unwrap();
    assert_eq!(
        capabilities["capabilities"]["m.change_password"]["enabled"],
        false
    );
}

#[tokio::test]
async fn every_refusal_looks_alike_and_the_log_tells_why() {
    let directory = TestDirectory::start();
    let server = directory.server().start().await;
    let anyone = server.anonymous();
    let mut bodies = BTreeSet::new();
    for (name, password) in [
        ("jonas.meyer", "wrong"),
        ("nobody.there", "nordlicht-jonas"),
        ("ines.gast", "nordlicht-ines"), // In no group that may log in.
        ("jonas.*", "nordlicht-jonas"),
        ("*)(uid=jonas.meyer", "nordlicht-jonas"),
        ("jonas.meyer", ""),
    ] {
        let refusal = refused(anyone.log_in(name, password, json!({})).await, 403, "M_FORBIDDEN");
        bodies.insert(refusal.body.to_string());
    }
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    let logs = server.logs().join("\n");
    assert!(logs.contains("group"), "{logs}");
    assert!(!logs.contains("nordlicht-"), "a password is in the log");
}

#[tokio::test]
async fn the_admin_group_administers() {
    let directory = TestDirectory::start();
    let server = directory.server().start().await;
    let anna = User::logged_in(&server, "anna.weber", "nordlicht-anna")
        .await
        .unwrap();
    let jonas = User::logged_in(&server, "jonas.meyer", "nordlicht-jonas")
        .await
        .unwrap();
    // Looking at other people's sessions is for administrators.
    anna.get(v3(["admin", "whois", &jonas.id])).await.unwrap();
    refused(
        jonas.get(v3(["admin", "whois", &anna.id])).await,
        403,
        "M_FORBIDDEN",
    );
}

#[tokio::test]
async fn without_the_directory_sessions_and_local_accounts_go_on() {
    let mut directory = TestDirectory::start();
    let server = directory.server().start().await;
    let jonas = User::logged_in(&server, "jonas.meyer", "nordlicht-jonas")
        .await
        .unwrap();
    register_by_secret(&server, SHARED_SECRET, "warden", "a long password", true)
        .await
        .unwrap();
    directory.stop();

    let room = jonas.create_room_with(&[]).await;
    jonas.send_text(&room, "still here").await.unwrap();
    User::logged_in(&server, "warden", "a long password")
        .await
        .unwrap();
    let refusal = server
        .anonymous()
        .log_in("sofia.rossi", "nordlicht-sofia", json!({}))
        .await
        .unwrap_err();
    assert_eq!(refusal.status, 503, "{refusal}");
    assert!(!refusal.body.text("/error").is_empty());

    directory.start_again();
    User::logged_in(&server, "sofia.rossi", "nordlicht-sofia")
        .await
        .unwrap();
}

#[tokio::test]
async fn a_local_account_is_never_taken_over() {
    let directory = TestDirectory::start();
    let server = directory.server().start().await;
    let local = register_by_secret(&server, SHARED_SECRET, "sofia.rossi", "a local password", false)
        .await
        .unwrap();
    let owner = server.with_token(local.text("/access_token"));
    refused(
        server
            .anonymous()
            .log_in("sofia.rossi", "nordlicht-sofia", json!({}))
            .await,
        403,
        "M_FORBIDDEN",
    );
    owner.get(v3(["account", "whoami"])).await.unwrap();
    User::logged_in(&server, "sofia.rossi", "a local password")
        .await
        .unwrap();
}

#[tokio::test]
async fn guessing_a_directory_password_is_slowed() {
    let directory = TestDirectory::start();
    let server = directory
        .server()
        .set("rate_limits.enabled", true)
        .set("rate_limits.login.per_second", 0.01)
        .set("rate_limits.login.burst", 4)
        .start()
        .await;
    let mut statuses = Vec::new();
    for _ in 0..8 {
        statuses.push(
            server
                .anonymous()
                .log_in("jonas.meyer", "guess", json!({}))
                .await
                .unwrap_err()
                .status,
        );
    }
    assert!(
        statuses.contains(&403) && statuses.last() == Some(&429),
        "{statuses:?}"
    );
}
