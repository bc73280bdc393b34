//! What people of the directory are told of their accounts and passwords, and how they change these.

use std::collections::BTreeSet;

use echorift_tests::{ServerBuilder, TestDirectory, User, refused, v3};
use reqwest::Method;
use serde_json::json;

const CHANGE: &str = "/_echorift/v1/login/password";

/// A server for people who are in no group.
fn server_of(directory: &TestDirectory) -> ServerBuilder {
    directory
        .server()
        .set("directory.login_group", "")
        .set("directory.password_change", true)
}

#[tokio::test]
async fn the_right_password_is_told_the_truth_and_a_guess_nothing() {
    let directory = TestDirectory::with_troubles();
    let server = server_of(&directory).start().await;
    let anyone = server.anonymous();
    let mut guesses = BTreeSet::new();
    for (name, password, errcode, may_change) in [
        (
            "mats.olsen",
            "nordlicht-mats",
            "ORG.ECHORIFT.ACCOUNT_DISABLED",
            false,
        ),
        (
            "peter.alt",
            "nordlicht-peter",
            "ORG.ECHORIFT.ACCOUNT_EXPIRED",
            false,
        ),
        (
            "emil.alt",
            "nordlicht-emil",
            "ORG.ECHORIFT.PASSWORD_EXPIRED",
            false,
        ),
        (
            "nele.neu",
            "nordlicht-nele",
            "ORG.ECHORIFT.PASSWORD_MUST_CHANGE",
            true,
        ),
        // OpenLDAP does not say whether the password of a locked account was right.
        ("paula.lang", "nordlicht-paula", "M_FORBIDDEN", false),
    ] {
        let refusal = refused(anyone.log_in(name, password, json!({})).await, 403, errcode);
        assert_eq!(refusal.body["password_change"] == true, may_change, "{name}");
        let guess = refused(anyone.log_in(name, "guess", json!({})).await, 403, "M_FORBIDDEN");
        guesses.insert(guess.body.to_string());
    }
    assert_eq!(guesses.len(), 1, "{guesses:?}");
}

#[tokio::test]
async fn a_lock_is_told_where_the_operator_wants_that() {
    let directory = TestDirectory::with_troubles();
    let server = server_of(&directory)
        .set("directory.tell_locked", true)
        .start()
        .await;
    let answer = server
        .anonymous()
        .log_in("paula.lang", "nordlicht-paula", json!({}))
        .await;
    refused(answer, 401, "M_USER_LOCKED");
}

#[tokio::test]
async fn clients_hear_that_a_password_will_not_last() {
    let directory = TestDirectory::with_troubles();
    let server = server_of(&directory).start().await;
    let anyone = server.anonymous();
    let gero = anyone
        .log_in("gero.gnade", "nordlicht-gero", json!({}))
        .await
        .unwrap();
    assert_eq!(gero["org.echorift.password_grace_logins"], 1);
    let willa = anyone
        .log_in("willa.bald", "nordlicht-willa", json!({}))
        .await
        .unwrap();
    assert!(
        willa["org.echorift.password_expires_in_ms"]
            .as_u64()
            .is_some_and(|left| left > 1_000_000)
    );
}

#[tokio::test]
async fn whoever_must_change_the_password_does_so_before_the_first_login() {
    let directory = TestDirectory::with_troubles();
    let server = server_of(&directory).start().await;
    let anyone = server.anonymous();
    let change = async |old: &str, new: &str| {
        let body = json!({ "user": "nele.neu", "password": old, "new_password": new });
        anyone.post(CHANGE, body).await
    };
    refused(change("guess", "long enough now").await, 403, "M_FORBIDDEN");
    refused(change("nordlicht-nele", "short").await, 400, "M_WEAK_PASSWORD");
    change("nordlicht-nele", "long enough now").await.unwrap();
    User::logged_in(&server, "nele.neu", "long enough now")
        .await
        .unwrap();
}

#[tokio::test]
async fn a_person_of_the_directory_changes_the_password_and_other_sessions_end() {
    let directory = TestDirectory::start();
    let server = server_of(&directory).start().await;
    let anna = User::logged_in(&server, "anna.weber", "nordlicht-anna")
        .await
        .unwrap();
    let phone = anna.on_another_device().await;
    let capabilities = anna.get(v3(["capabilities"])).await.unwrap();
    assert_eq!(capabilities["capabilities"]["m.change_password"]["enabled"], true);
    let body = json!({ "new_password": "a better password" });
    anna.confirm(Method::POST, v3(["account", "password"]), body)
        .await
        .unwrap();
    anna.get(v3(["account", "whoami"])).await.unwrap();
    refused(phone.get(v3(["account", "whoami"])).await, 401, "M_UNKNOWN_TOKEN");
    let anyone = server.anonymous();
    let old = anyone.log_in("anna.weber", "nordlicht-anna", json!({}));
    refused(old.await, 403, "M_FORBIDDEN");
    User::logged_in(&server, "anna.weber", "a better password")
        .await
        .unwrap();
}

#[tokio::test]
async fn passwords_are_not_changed_where_that_is_off() {
    let directory = TestDirectory::start();
    let server = directory.server().start().await;
    let body =
        json!({ "user": "anna.weber", "password": "nordlicht-anna", "new_password": "a better password" });
    refused(server.anonymous().post(CHANGE, body).await, 404, "M_UNRECOGNIZED");
}

#[tokio::test]
async fn changing_is_no_second_place_to_guess() {
    let directory = TestDirectory::start();
    let server = server_of(&directory)
        .set("rate_limits.enabled", true)
        .set("rate_limits.login.per_second", 0.01)
        .set("rate_limits.login.burst", 4)
        .start()
        .await;
    let mut statuses = Vec::new();
    for _ in 0..8 {
        let body = json!({ "user": "anna.weber", "password": "guess", "new_password": "a better password" });
        statuses.push(server.anonymous().post(CHANGE, body).await.unwrap_err().status);
    }
    assert!(
        statuses.contains(&403) && statuses.last() == Some(&429),
        "{statuses:?}"
    );
}
