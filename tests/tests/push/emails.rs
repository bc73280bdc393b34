use echorift_tests::{Caller, Look as _, TestServer, User, fresh, refused, v3};
use reqwest::Method;
use serde_json::{Value, json};

use super::mail_server::MailServer;

/// Asks for a letter; the ID of the attempt.
pub(crate) async fn ask(caller: &Caller, what: &str, secret: &str, email: &str, attempt: u32) -> String {
    let body = json!({ "client_secret": secret, "email": email, "send_attempt": attempt });
    let answer = caller.post(request_path(what), body).await.unwrap();
    answer.text("/sid").to_owned()
}

pub(crate) fn request_path(what: &str) -> String {
    v3([]) + "/" + what + "/email/requestToken"
}

/// Sends the form on the page behind a letter's link; the page that follows, and whether it says that all is well.
pub(crate) async fn confirm(server: &TestServer, link: &str) -> (u16, String) {
    let (path, query) = link.split_once('?').unwrap();
    let response = server
        .anonymous()
        .request(Method::POST, path)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(query.to_owned())
        .send()
        .await
        .unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

async fn addresses(user: &User) -> Vec<String> {
    let answer = user.get(v3(["account", "3pid"])).await.unwrap();
    let addresses = answer.list("/threepids").iter();
    addresses.map(|one| one.text("/address").to_owned()).collect()
}

/// Adds an address to an account, letter and all.
pub(crate) async fn add(mail: &mut MailServer, user: &User, email: &str) {
    let secret = fresh("secret");
    let sid = ask(user, "account/3pid", &secret, email, 1).await;
    let letter = mail.next().await;
    assert_eq!(confirm(&user.server, &letter.link()).await.0, 200);
    let body = json!({ "client_secret": secret, "sid": sid });
    user.confirm(Method::POST, v3(["account", "3pid", "add"]), body)
        .await
        .unwrap();
}

#[tokio::test]
async fn an_address_is_added_after_its_owner_has_confirmed_it() {
    let mut mail = MailServer::start().await;
    let server = mail.server().start().await;
    let [alice] = server.register(["alice"]).await;
    let capabilities = alice.get(v3(["capabilities"])).await.unwrap();
    assert_eq!(capabilities["capabilities"]["m.3pid_changes"]["enabled"], true);

    let sid = ask(&alice, "account/3pid", "secret", "Alice@Example.org", 1).await;
    let letter = mail.next().await;
    assert_eq!(letter.to, "alice@example.org");
    let add = json!({ "client_secret": "secret", "sid": sid });
    let path = v3(["account", "3pid", "add"]);
    let early = alice.confirm(Method::POST, &path, add.clone()).await;
    refused(early, 403, "M_THREEPID_AUTH_FAILED");

    // Mail scanners open links: that alone confirms nothing.
    let page = server.anonymous().get(letter.link()).await.unwrap();
    assert!(page.as_str().unwrap().contains("alice@example.org"), "{page}");
    let early = alice.confirm(Method::POST, &path, add.clone()).await;
    refused(early, 403, "M_THREEPID_AUTH_FAILED");

    assert_eq!(confirm(&server, &letter.link()).await.0, 200);
    let wrong = json!({ "client_secret": "another", "sid": sid });
    let stolen = alice.confirm(Method::POST, &path, wrong).await;
    refused(stolen, 403, "M_THREEPID_AUTH_FAILED");
    alice.confirm(Method::POST, &path, add.clone()).await.unwrap();
    let answer = alice.get(v3(["account", "3pid"])).await.unwrap();
    let added = &answer["threepids"][0];
    assert_eq!(
        (added.text("/medium"), added.text("/address")),
        ("email", "alice@example.org")
    );
    assert!(added.number("/validated_at") > 0 && added.number("/added_at") > 0);
    let again = alice.confirm(Method::POST, &path, add).await;
    refused(again, 403, "M_THREEPID_AUTH_FAILED");

    // It is a name to log in with.
    let login = json!({
        "type": "m.login.password", "password": alice.password,
        "identifier": { "type": "m.id.thirdparty", "medium": "email", "address": "ALICE@example.org" },
    });
    let session = server.anonymous().post(v3(["login"]), login).await.unwrap();
    assert_eq!(session.text("/user_id"), alice.id);

    let delete = json!({ "medium": "email", "address": "alice@example.org" });
    let deleted = alice
        .post(v3(["account", "3pid", "delete"]), delete)
        .await
        .unwrap();
    assert_eq!(deleted.text("/id_server_unbind_result"), "no-support");
    assert!(addresses(&alice).await.is_empty());
}

#[tokio::test]
async fn a_letter_is_sent_again_only_when_asked_for_and_not_without_end() {
    let mut mail = MailServer::start().await;
    let server = mail.server().start().await;
    let anyone = server.anonymous();
    let sid = ask(&anyone, "account/3pid", "secret", "alice@example.org", 1).await;
    let first = mail.next().await;
    assert_eq!(
        ask(&anyone, "account/3pid", "secret", "alice@example.org", 1).await,
        sid
    );
    assert!(mail.try_next().is_none(), "the same request, repeated");
    assert_eq!(
        ask(&anyone, "account/3pid", "secret", "alice@example.org", 2).await,
        sid
    );
    let second = mail.next().await;
    assert_eq!(
        confirm(&server, &first.link()).await.0,
        400,
        "a newer letter has replaced it"
    );
    assert_eq!(confirm(&server, &second.link()).await.0, 200);

    let mut attempt = 3;
    let refusal = loop {
        let body =
            json!({ "client_secret": "secret", "email": "alice@example.org", "send_attempt": attempt });
        match anyone.post(request_path("account/3pid"), body).await {
            Ok(_) => attempt += 1,
            Err(refusal) => break refusal,
        }
        assert!(attempt < 30);
    };
    assert_eq!(
        (refusal.status, refusal.errcode.as_str()),
        (429, "M_LIMIT_EXCEEDED")
    );
}

#[tokio::test]
async fn a_letter_that_did_not_get_out_can_be_asked_for_again() {
    let mut mail = MailServer::start().await;
    let server = mail.server().start().await;
    mail.refuse(true);
    let body = json!({ "client_secret": "secret", "email": "alice@example.org", "send_attempt": 1 });
    let answer = server
        .anonymous()
        .post(request_path("account/3pid"), body.clone())
        .await;
    refused(answer, 503, "M_UNKNOWN");
    mail.refuse(false);
    server
        .anonymous()
        .post(request_path("account/3pid"), body)
        .await
        .unwrap();
    assert_eq!(mail.next().await.to, "alice@example.org");
}

#[tokio::test]
async fn an_address_belongs_to_one_account() {
    let mut mail = MailServer::start().await;
    let server = mail
        .server()
        .set("registration.enabled", true)
        .set("registration.by_email", true);
    let server = server.start().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    add(&mut mail, &alice, "alice@example.org").await;
    let body = json!({ "client_secret": "s", "email": "alice@example.org", "send_attempt": 1 });
    let taken = bob.post(request_path("account/3pid"), body).await;
    refused(taken, 400, "M_THREEPID_IN_USE");
    // Who is not logged in does not learn whether it is taken; its owner does.
    ask(&server.anonymous(), "register", "s", "alice@example.org", 1).await;
    let letter = mail.next().await;
    assert!(letter.text.contains(&alice.id), "{}", letter.text);
    assert!(!letter.text.contains("/confirm?"), "{}", letter.text);
}

#[tokio::test]
async fn people_register_with_a_confirmed_address() {
    let mut mail = MailServer::start().await;
    let server = mail
        .server()
        .set("registration.enabled", true)
        .set("registration.by_email", true);
    let server = server.start().await;
    let anyone = server.anonymous();
    let name = fresh("dora");
    let mut body = json!({ "username": name, "password": "a good password" });
    let refusal = anyone.post(v3(["register"]), body.clone()).await.unwrap_err();
    let flow = json!({ "stages": ["m.login.email.identity"] });
    assert!(refusal.body.list("/flows").contains(&flow), "{refusal}");
    let session = refusal.body.text("/session").to_owned();

    let sid = ask(&anyone, "register", "secret", "dora@example.org", 1).await;
    body["auth"] = json!({
        "type": "m.login.email.identity", "session": session,
        "threepid_creds": { "sid": sid, "client_secret": "secret" },
    });
    let early = anyone.post(v3(["register"]), body.clone()).await;
    refused(early, 401, "M_THREEPID_AUTH_FAILED");
    confirm(&server, &mail.next().await.link()).await;
    let dora = anyone.post(v3(["register"]), body).await.unwrap();
    let dora = server.with_token(dora.text("/access_token"));
    let answer = dora.get(v3(["account", "3pid"])).await.unwrap();
    assert_eq!(answer.text("/threepids/0/address"), "dora@example.org");
}

#[tokio::test]
async fn without_mail_nothing_is_confirmed() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let capabilities = alice.get(v3(["capabilities"])).await.unwrap();
    assert_eq!(capabilities["capabilities"]["m.3pid_changes"]["enabled"], false);
    let body = json!({ "client_secret": "s", "email": "a@example.org", "send_attempt": 1 });
    for what in ["account/3pid", "account/password", "register"] {
        let answer = alice.post(request_path(what), body.clone()).await;
        refused(answer, 403, "M_THREEPID_DENIED");
    }
    let phone = json!({ "client_secret": "s", "country": "DE", "phone_number": "1", "send_attempt": 1 });
    for what in ["account/3pid", "account/password", "register"] {
        let path = v3([]) + "/" + what + "/msisdn/requestToken";
        refused(alice.post(path, phone.clone()).await, 403, "M_THREEPID_DENIED");
    }
    let add = json!({ "client_secret": "s", "sid": "1" });
    refused(
        alice.post(v3(["account", "3pid", "add"]), add).await,
        403,
        "M_THREEPID_DENIED",
    );
    let bind = json!({ "client_secret": "s", "sid": "1", "id_server": "id.example", "id_access_token": "t" });
    for path in [v3(["account", "3pid", "bind"]), v3(["account", "3pid"])] {
        refused(alice.post(path, bind.clone()).await, 400, "M_SERVER_NOT_TRUSTED");
    }
    let unbind = json!({ "medium": "email", "address": "a@example.org" });
    let unbound = alice
        .post(v3(["account", "3pid", "unbind"]), unbind)
        .await
        .unwrap();
    assert_eq!(unbound, json!({ "id_server_unbind_result": "no-support" }));
}

#[tokio::test]
async fn what_is_no_address_or_no_link_is_refused() {
    let mut mail = MailServer::start().await;
    let server = mail.server().start().await;
    let anyone = server.anonymous();
    for email in [
        "",
        "alice",
        "alice@example.org\r\nBcc: all@example.org",
        "a@b.c, d@e.f",
    ] {
        let body = json!({ "client_secret": "s", "email": email, "send_attempt": 1 });
        refused(
            anyone.post(request_path("account/3pid"), body).await,
            400,
            "M_INVALID_PARAM",
        );
    }
    assert!(mail.try_next().is_none());
    for query in ["", "sid=1", "sid=1&token=2", "sid=%00&token=%FF"] {
        let link = format!("/_echorift/email/confirm?{query}");
        let page = anyone.get(&link).await.unwrap_err();
        assert_eq!(page.status, 400, "{query}");
        assert!(matches!(page.body, Value::String(_)), "a page for people");
        assert_eq!(confirm(&server, &link).await.0, 400, "{query}");
    }
}
