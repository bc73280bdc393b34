use echorift_tests::{Answer, Look as _, TestServer, refused, v3};

use crate::browser::{Browser, Page};
use crate::client::{Client, DEVICE_GRANT, post_form};

async fn begin(client: &Client) -> serde_json::Value {
    let scope = client.scope();
    let fields = [("client_id", client.id.as_str()), ("scope", &scope)];
    post_form(&client.server, "/oauth2/device", &fields)
        .await
        .unwrap()
}

async fn poll(client: &Client, code: &str) -> Answer {
    let fields = [
        ("grant_type", DEVICE_GRANT),
        ("device_code", code),
        ("client_id", &client.id),
    ];
    client.token(&fields).await
}

async fn decide(browser: &Browser, page: &Page, decision: &str) -> Page {
    let (csrf, code) = (page.field("csrf"), page.field("user_code"));
    let fields = [
        ("csrf", csrf.as_str()),
        ("user_code", &code),
        ("decision", decision),
    ];
    browser.post("/oauth2/link", &fields).await
}

fn path_of(url: &str) -> String {
    let url = reqwest::Url::parse(url).unwrap();
    format!("{}?{}", url.path(), url.query().unwrap_or_default())
}

#[tokio::test]
async fn a_device_without_a_browser_is_let_in_elsewhere() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let client = Client::register(&server).await;
    let begun = begin(&client).await;
    let code = begun.text("/device_code");
    assert!(begun.number("/expires_in") > 0 && begun.number("/interval") > 0);
    refused(poll(&client, code).await, 400, "authorization_pending");
    // Sooner than it was told.
    refused(poll(&client, code).await, 400, "slow_down");

    let browser = Browser::new(&server);
    let login = browser
        .get(&path_of(begun.text("/verification_uri_complete")))
        .await
        .location();
    let page = browser.get(&login).await;
    let onward = browser
        .log_in(&page, &alice.localpart, &alice.password)
        .await
        .location();
    let page = browser.get(&onward).await;
    assert!(page.html.contains(begun.text("/user_code")), "{}", page.html);
    assert_eq!(decide(&browser, &page, "allow").await.status, 200);

    let answer = poll(&client, code).await.unwrap();
    let app = server.with_token(answer.text("/access_token"));
    let whoami = app.get(v3(["account", "whoami"])).await.unwrap();
    assert_eq!(
        (whoami.text("/user_id"), whoami.text("/device_id")),
        (alice.id.as_str(), client.device_id.as_str())
    );
    client.refresh(answer.text("/refresh_token")).await.unwrap();
    // The code is used up.
    refused(poll(&client, code).await, 400, "invalid_grant");
    assert_eq!(browser.get(&onward).await.status, 404);
}

#[tokio::test]
async fn a_device_that_is_refused_learns_it() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let client = Client::register(&server).await;
    let begun = begin(&client).await;
    let browser = Browser::signed_in(&server, &alice).await;
    let typed = begun.text("/user_code").to_lowercase().replace('-', "+");
    let page = browser.get(&format!("/oauth2/link?user_code={typed}")).await;
    assert_eq!(decide(&browser, &page, "deny").await.status, 200);
    refused(
        poll(&client, begun.text("/device_code")).await,
        400,
        "access_denied",
    );
    // Too late to change one's mind.
    let late = decide(&browser, &page, "allow").await;
    assert!(late.html.contains("Too late"), "{}", late.html);
    refused(
        poll(&client, begun.text("/device_code")).await,
        400,
        "access_denied",
    );
}

#[tokio::test]
async fn codes_are_not_to_be_guessed() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let client = Client::register(&server).await;
    let mut other = crate::client::metadata();
    other["client_name"] = "Another".into();
    let other = Client::register_as(&server, other).await;
    let begun = begin(&client).await;
    refused(poll(&client, "made-up").await, 400, "invalid_grant");
    refused(
        poll(&other, begun.text("/device_code")).await,
        400,
        "invalid_grant",
    );
    let browser = Browser::signed_in(&server, &alice).await;
    for code in ["BBBB-BBBB", "x", "%00"] {
        assert_eq!(
            browser
                .get(&format!("/oauth2/link?user_code={code}"))
                .await
                .status,
            404,
            "{code}"
        );
    }
    let scope = post_form(
        &server,
        "/oauth2/device",
        &[("client_id", &client.id), ("scope", "openid")],
    )
    .await;
    refused(scope, 400, "invalid_scope");
}
