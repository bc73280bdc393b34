use echorift_tests::{Look as _, TestServer, User, refused, v3};
use serde_json::json;

use crate::browser::{Browser, Page};
use crate::client::Client;

async fn act(browser: &Browser, page: &Page, fields: &[(&str, &str)]) -> Page {
    let csrf = page.field("csrf");
    let mut fields = fields.to_vec();
    fields.push(("csrf", &csrf));
    browser.post("/account", &fields).await
}

#[tokio::test]
async fn people_change_their_name_and_see_their_devices() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let browser = Browser::signed_in(&server, &alice).await;
    let page = browser.get("/account").await;
    assert!(
        page.html.contains(&alice.id) && page.html.contains(&alice.device_id),
        "{}",
        page.html
    );
    act(&browser, &page, &[("do", "profile"), ("name", "Alice <Ä>")])
        .await
        .location();
    let profile = alice.get(v3(["profile", &alice.id])).await.unwrap();
    assert_eq!(profile.text("/displayname"), "Alice <Ä>");
    let german = browser
        .send(
            reqwest::Method::GET,
            "/account",
            None,
            &[("accept-language", "de-DE,de;q=0.9,en;q=0.8")],
        )
        .await;
    assert!(
        german.html.contains("lang=\"de\"") && german.html.contains("Ihr Konto"),
        "{}",
        german.html
    );
}

#[tokio::test]
async fn a_device_is_logged_out_on_the_page_that_clients_link_to() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let phone = alice.on_another_device().await;
    let browser = Browser::signed_in(&server, &alice).await;
    let view = format!(
        "/account?action=org.matrix.device_view&device_id={}",
        phone.device_id
    );
    assert!(browser.get(&view).await.html.contains(&phone.device_id));
    for action in ["org.matrix.device_delete", "session_end"] {
        let path = format!("/account?action={action}&device_id={}", phone.device_id);
        let page = browser.get(&path).await;
        assert_eq!(page.field("device_id"), phone.device_id);
        phone.get(v3(["account", "whoami"])).await.unwrap();
    }
    let path = format!(
        "/account?action=org.matrix.device_delete&device_id={}",
        phone.device_id
    );
    let page = browser.get(&path).await;
    act(
        &browser,
        &page,
        &[("do", "device_delete"), ("device_id", &phone.device_id)],
    )
    .await
    .location();
    refused(phone.get(v3(["account", "whoami"])).await, 401, "M_UNKNOWN_TOKEN");
    alice.get(v3(["account", "whoami"])).await.unwrap();
    assert_eq!(browser.get(&path).await.status, 404);
}

#[tokio::test]
async fn a_new_password_signs_other_browsers_out() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let other = Browser::signed_in(&server, &alice).await;
    let browser = Browser::signed_in(&server, &alice).await;
    let page = browser.get("/account?action=password").await;
    let change = async |password, repeated| {
        act(
            &browser,
            &page,
            &[("do", "password"), ("password", password), ("repeated", repeated)],
        )
        .await
    };
    assert_eq!(change("one password", "another").await.status, 400);
    assert_eq!(change("", "").await.status, 400);
    change("a new password", "a new password").await.location();
    assert_eq!(browser.get("/account").await.status, 200);
    assert!(
        other
            .get("/account")
            .await
            .location()
            .starts_with("/oauth2/login")
    );
    User::logged_in(&server, &alice.localpart, "a new password")
        .await
        .unwrap();
    let old = server
        .anonymous()
        .log_in(&alice.localpart, &alice.password, json!({}))
        .await;
    refused(old, 403, "M_FORBIDDEN");
}

#[tokio::test]
async fn an_account_ends_only_for_who_understands_it() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let browser = Browser::signed_in(&server, &alice).await;
    let page = browser.get("/account?action=org.matrix.account_deactivate").await;
    assert_eq!(act(&browser, &page, &[("do", "deactivate")]).await.status, 400);
    alice.get(v3(["account", "whoami"])).await.unwrap();
    let done = act(&browser, &page, &[("do", "deactivate"), ("understood", "yes")]).await;
    assert_eq!(done.status, 200);
    refused(alice.get(v3(["account", "whoami"])).await, 401, "M_UNKNOWN_TOKEN");
    assert!(
        browser
            .get("/account")
            .await
            .location()
            .starts_with("/oauth2/login")
    );
}

#[tokio::test]
async fn apps_that_signed_in_by_the_browser_ask_for_no_password() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let client = Client::register(&server).await;
    let browser = Browser::signed_in(&server, &alice).await;
    let tokens = client.log_in(&browser).await;
    let app = server.with_token(tokens.text("/access_token"));
    let devices = json!({ "devices": [alice.device_id], "auth": alice.password_stage("x") });
    refused(
        app.post(v3(["delete_devices"]), devices).await,
        403,
        "M_FORBIDDEN",
    );
    alice.get(v3(["account", "whoami"])).await.unwrap();

    let keys = |key: &str| {
        json!({ "master_key": {
            "user_id": alice.id, "usage": ["master"], "keys": { format!("ed25519:{key}"): key },
        }})
    };
    let upload = v3(["keys", "device_signing", "upload"]);
    let (first, second) = ("A".repeat(43), "B".repeat(42) + "A");
    app.post(&upload, keys(&first)).await.unwrap();
    // Who replaces them confirms it on the server's pages.
    let challenge = app.post(&upload, keys(&second)).await.unwrap_err();
    assert_eq!(challenge.status, 401);
    assert_eq!(challenge.body["flows"][0]["stages"], json!(["m.oauth"]));
    let url = challenge.body["params"]["m.oauth"]["url"].as_str().unwrap();
    let (_, path) = url.split_once("/account").unwrap();
    let mut retry = keys(&second);
    retry["auth"] = json!({ "session": challenge.body["session"] });
    assert_eq!(app.post(&upload, retry.clone()).await.unwrap_err().status, 401);
    let page = browser.get(&format!("/account{path}")).await;
    assert_eq!(act(&browser, &page, &[("do", "reset")]).await.status, 200);
    app.post(&upload, retry).await.unwrap();
}
