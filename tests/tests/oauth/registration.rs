use echorift_tests::{Look as _, TestServer, refused};
use reqwest::Method;
use serde_json::json;

use crate::browser::Browser;
use crate::client::{Client, VERIFIER, metadata, parameter, post_form};

#[tokio::test]
async fn the_same_app_is_the_same_client() {
    let server = TestServer::shared().await;
    let first = Client::register(&server).await;
    let again = Client::register(&server).await;
    assert_eq!(first.id, again.id);
    let mut other = metadata();
    other["client_name"] = json!("Another");
    assert_ne!(Client::register_as(&server, other).await.id, first.id);
}

#[tokio::test]
async fn clients_that_could_lead_people_astray_are_refused() {
    let server = TestServer::shared().await;
    for (field, value, error) in [
        (
            "redirect_uris",
            json!(["https://evil.org/"]),
            "invalid_redirect_uri",
        ),
        (
            "redirect_uris",
            json!(["http://app.example.com/"]),
            "invalid_redirect_uri",
        ),
        (
            "redirect_uris",
            json!(["https://app.example.com/#"]),
            "invalid_redirect_uri",
        ),
        (
            "redirect_uris",
            json!(["javascript:alert(1)"]),
            "invalid_redirect_uri",
        ),
        ("redirect_uris", json!([]), "invalid_redirect_uri"),
        (
            "client_uri",
            json!("http://example.com/"),
            "invalid_client_metadata",
        ),
        ("client_uri", json!(7), "invalid_client_metadata"),
        (
            "tos_uri",
            json!("https://evil.org/terms"),
            "invalid_client_metadata",
        ),
        (
            "token_endpoint_auth_method",
            json!("private_key_jwt"),
            "invalid_client_metadata",
        ),
    ] {
        let mut wrong = metadata();
        wrong[field] = value.clone();
        let refusal = server
            .anonymous()
            .post("/oauth2/clients", wrong)
            .await
            .unwrap_err();
        assert_eq!(
            (refusal.status, refusal.body.text("/error")),
            (400, error),
            "{value}"
        );
    }
}

#[tokio::test]
async fn a_client_with_a_secret_has_to_show_it() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let mut confidential = metadata();
    confidential["token_endpoint_auth_method"] = json!("client_secret_basic");
    let answer = server
        .anonymous()
        .post("/oauth2/clients", confidential)
        .await
        .unwrap();
    let (id, secret) = (answer.text("/client_id"), answer.text("/client_secret"));
    let mut client = Client::register(&server).await;
    client.id = id.to_owned();
    let browser = Browser::signed_in(&server, &alice).await;
    let code = client.code(&browser).await;
    refused(client.redeem(&code).await, 401, "invalid_client");
    refused(
        client.redeem_with(&code, &[("client_secret", secret)]).await,
        401,
        "invalid_client",
    );
    let redeem = async |secret: &str| {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", crate::client::REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        let request = server.anonymous().request(Method::POST, "/oauth2/token");
        let response = request
            .basic_auth(id, Some(secret))
            .form(&fields)
            .send()
            .await
            .unwrap();
        response.status().as_u16()
    };
    assert_eq!(redeem("wrong").await, 401);
    assert_eq!(redeem(secret).await, 200);
}

#[tokio::test]
async fn a_native_app_is_answered_on_any_port_of_its_machine() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let mut native = metadata();
    native["application_type"] = json!("native");
    native["redirect_uris"] = json!(["http://127.0.0.1/cb", "com.example.app:/cb"]);
    let client = Client::register_as(&server, native).await;
    let browser = Browser::signed_in(&server, &alice).await;
    for uri in ["http://127.0.0.1:49152/cb", "com.example.app:/cb"] {
        let page = browser.get(&client.request(&[("redirect_uri", uri)])).await;
        let policy = page.headers["content-security-policy"]
            .to_str()
            .unwrap()
            .to_owned();
        let allowed = if uri.starts_with("http") {
            "http://127.0.0.1:49152"
        } else {
            "com.example.app:"
        };
        assert!(
            policy.contains(&format!("form-action 'self' {allowed};")),
            "{policy}"
        );
        let answer = crate::client::decide(&browser, &page, "allow").await;
        let location = answer.location();
        assert!(location.starts_with(uri), "{location}");
        let code = parameter(&location, "code").unwrap();
        client.redeem_with(&code, &[("redirect_uri", uri)]).await.unwrap();
    }
}

#[tokio::test]
async fn whoever_is_no_client_gets_nothing() {
    let server = TestServer::shared().await;
    for (fields, error, status) in [
        (&[("grant_type", "refresh_token")][..], "invalid_request", 400),
        (
            &[("grant_type", "refresh_token"), ("client_id", "nobody")],
            "invalid_client",
            401,
        ),
        (&[("client_id", "x"), ("client_id", "x")], "invalid_request", 400),
    ] {
        refused(post_form(&server, "/oauth2/token", fields).await, status, error);
    }
    let client = Client::register(&server).await;
    let fields = [("grant_type", "password"), ("client_id", client.id.as_str())];
    refused(client.token(&fields).await, 400, "unsupported_grant_type");
}
