use echorift_tests::{Look as _, TestServer, User, refused, v3};
use serde_json::{Value, json};

use super::{
    emails::{add, ask, confirm},
    mail_server::MailServer,
};

fn reset(session: &str, sid: &str, password: &str) -> Value {
    json!({
        "new_password": password,
        "auth": {
            "type": "m.login.email.identity", "session": session,
            "threepid_creds": { "sid": sid, "client_secret": "secret" },
        },
    })
}

/// What the server wants of somebody who has forgotten the password.
async fn session(server: &TestServer) -> String {
    let body = json!({ "new_password": "x" });
    let refusal = server
        .anonymous()
        .post(v3(["account", "password"]), body)
        .await
        .unwrap_err();
    assert_eq!(refusal.status, 401);
    assert_eq!(
        refusal.body["flows"],
        json!([{ "stages": ["m.login.email.identity"] }])
    );
    refusal.body.text("/session").to_owned()
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_by_letter() {
    let mut mail = MailServer::start().await;
    let server = mail.server().start().await;
    let [alice] = server.register(["alice"]).await;
    add(&mut mail, &alice, "alice@example.org").await;

    let anyone = server.anonymous();
    let sid = ask(&anyone, "account/password", "secret", "alice@example.org", 1).await;
    let session = session(&server).await;
    let path = v3(["account", "password"]);
    let early = anyone.post(&path, reset(&session, &sid, "the new one")).await;
    refused(early, 401, "M_THREEPID_AUTH_FAILED");
    let letter = mail.next().await;
    assert!(letter.text.contains(&alice.id), "{}", letter.text);
    assert_eq!(confirm(&server, &letter.link()).await.0, 200);
    anyone
        .post(&path, reset(&session, &sid, "the new one"))
        .await
        .unwrap();

    assert!(
        User::logged_in(&server, &alice.localpart, &alice.password)
            .await
            .is_err()
    );
    let again = User::logged_in(&server, &alice.localpart, "the new one")
        .await
        .unwrap();
    refused(alice.get(v3(["account", "whoami"])).await, 401, "M_UNKNOWN_TOKEN");
    again.get(v3(["account", "whoami"])).await.unwrap();
    let used = self::session(&server).await;
    let twice = anyone.post(&path, reset(&used, &sid, "yet another")).await;
    refused(twice, 401, "M_THREEPID_AUTH_FAILED");
}

#[tokio::test]
async fn nobody_learns_whether_an_address_has_an_account_but_its_owner() {
    let mut mail = MailServer::start().await;
    let server = mail.server().start().await;
    let anyone = server.anonymous();
    ask(&anyone, "account/password", "secret", "nobody@example.org", 1).await;
    let letter = mail.next().await;
    assert!(letter.subject().contains("No account"), "{}", letter.text);
    assert!(!letter.text.contains("/confirm?"), "{}", letter.text);
}

#[tokio::test]
async fn what_was_confirmed_for_one_thing_is_good_for_nothing_else() {
    let mut mail = MailServer::start().await;
    let server = mail.server().start().await;
    let [alice] = server.register(["alice"]).await;
    let sid = ask(&alice, "account/3pid", "secret", "alice@example.org", 1).await;
    confirm(&server, &mail.next().await.link()).await;
    let session = session(&server).await;
    let answer = server
        .anonymous()
        .post(v3(["account", "password"]), reset(&session, &sid, "mine now"))
        .await;
    refused(answer, 401, "M_THREEPID_AUTH_FAILED");
}

#[tokio::test]
async fn without_mail_a_token_is_needed() {
    let server = TestServer::shared().await;
    let body = json!({ "new_password": "x" });
    let answer = server.anonymous().post(v3(["account", "password"]), body).await;
    refused(answer, 401, "M_MISSING_TOKEN");
}
