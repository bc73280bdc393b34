//! A company of several domains.

use echorift_tests::{Look as _, ServerBuilder, TestDirectory, User, refused};
use serde_json::json;

/// Adds a domain of the settings.
fn with_domain(server: ServerBuilder, name: &str, directory: &TestDirectory) -> ServerBuilder {
    let key = |key: &str| format!("directory.domains.{name}.{key}");
    server
        .set(&key("urls"), json!([directory.facts.text("/ldaps")]))
        .set(&key("ca_file"), directory.facts.text("/ca_file"))
        .set(&key("bind_dn"), directory.facts.text("/bind_dn"))
        .set(&key("bind_password"), directory.facts.text("/bind_password"))
        .set(&key("base_dn"), directory.facts.text("/people_dn"))
}

#[tokio::test]
async fn people_of_two_domains_meet_by_whatever_names_they_type() {
    let (main, windows) = (
        TestDirectory::start(),
        TestDirectory::start_with(&["--shape", "active-directory", "--people", "20"]),
    );
    let server = with_domain(main.server(), "corp", &windows)
        .set("directory.domains.corp.netbios_name", "CORP")
        .set(
            "directory.domains.corp.upn_suffixes",
            json!(["corp.nordlicht.example"]),
        )
        .set(
            "directory.domains.corp.user_filter",
            "(&(objectClass=user)(sAMAccountName={username}))",
        )
        .set("directory.domains.corp.attribute_uid", "sAMAccountName")
        .set("directory.domains.corp.attribute_id", "objectGUID")
        .set("directory.domains.corp.uid_suffix", ".corp")
        .start()
        .await;
    let jonas = User::logged_in(&server, "jonas.meyer", "nordlicht-jonas")
        .await
        .unwrap();
    for name in [
        "p00003",
        "CORP\\p00003",
        "p00003@corp.nordlicht.example",
        "p00003.corp",
    ] {
        let guest = User::logged_in(&server, name, "nordlicht-00003").await.unwrap();
        assert_eq!(guest.id, "@p00003.corp:test.example", "{name}");
    }
    let guest = User::logged_in(&server, "p00003", "nordlicht-00003")
        .await
        .unwrap();
    let room = jonas.create_room_with(&[&guest]).await;
    guest.send_text(&room, "good morning").await.unwrap();
    let health = server.anonymous().get("/health/ready").await.unwrap();
    assert_eq!(health["directories"], json!({ "default": "up", "corp": "up" }));
}

#[tokio::test]
async fn nobody_gets_the_account_of_a_namesake_of_another_domain() {
    let (main, mut other) = (TestDirectory::start(), TestDirectory::start());
    let server = with_domain(main.server(), "other", &other)
        .set("directory.domains.other.netbios_name", "OTHER")
        .start()
        .await;
    User::logged_in(&server, "anna.weber", "nordlicht-anna")
        .await
        .unwrap();
    let anyone = server.anonymous();
    let namesake = anyone.log_in("OTHER\\anna.weber", "nordlicht-anna", json!({}));
    refused(namesake.await, 403, "M_FORBIDDEN");
    let logs = server.logs().join("\n");
    assert!(
        logs.contains("an account that is not the directory's has it") && logs.contains("ldap:other"),
        "{logs}"
    );

    // A domain that is away keeps nobody of another one out.
    other.stop();
    User::logged_in(&server, "jonas.meyer", "nordlicht-jonas")
        .await
        .unwrap();
    let away = anyone.log_in("OTHER\\sofia.rossi", "nordlicht-sofia", json!({}));
    assert_eq!(away.await.unwrap_err().status, 503);
    let health = anyone.get("/health/ready").await.unwrap();
    assert_eq!(health["directories"], json!({ "default": "up", "other": "down" }));
}
