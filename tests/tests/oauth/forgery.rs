//! Requests that clients and people have not made.

use echorift_tests::{TestServer, refused};
use reqwest::Method;

use crate::browser::Browser;
use crate::client::{CHALLENGE, Client, REDIRECT, parameter, post_form};

#[tokio::test]
async fn the_browser_is_never_sent_to_an_address_that_is_not_the_client_s() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let client = Client::register(&server).await;
    let browser = Browser::signed_in(&server, &alice).await;
    for uri in [
        "https://evil.org/callback",
        "https://app.example.com.evil.org/callback",
        "https://app.example.com@evil.org/callback",
        "https://app.example.com/callback/../evil",
        "https://app.example.com/callback?x=y",
        "https://app.example.com/callback#x",
        "https://APP.example.com/callback",
        "https://app.example.com:8443/callback",
        "http://app.example.com/callback",
        "http://127.0.0.1:4000/callback",
        "javascript:alert(1)",
        "",
    ] {
        let page = browser.get(&client.request(&[("redirect_uri", uri)])).await;
        assert_eq!(page.status, 400, "{uri}");
        assert!(!page.headers.contains_key("location"), "{uri}");
        assert!(!page.html.contains("evil"), "{uri}");
    }
    for id in ["unknown", ""] {
        let page = browser.get(&client.request(&[("client_id", id)])).await;
        assert_eq!(page.status, 400);
    }
    let twice = format!("{}&redirect_uri=https://evil.org/", client.request(&[]));
    assert_eq!(browser.get(&twice).await.status, 400);
}

#[tokio::test]
async fn requests_without_proof_go_back_to_the_client() {
    let server = TestServer::shared().await;
    let client = Client::register(&server).await;
    let browser = Browser::new(&server);
    let two_devices = format!("{} urn:matrix:client:device:B", client.scope());
    for (name, value, error) in [
        ("code_challenge", "", "invalid_request"),
        ("code_challenge", "short", "invalid_request"),
        ("code_challenge_method", "", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("response_type", "token", "unsupported_response_type"),
        ("response_type", "", "invalid_request"),
        ("response_mode", "form_post", "invalid_request"),
        ("scope", "openid", "invalid_scope"),
        ("scope", "urn:matrix:client:api:*", "invalid_scope"),
        ("scope", two_devices.as_str(), "invalid_scope"),
        ("prompt", "none login", "invalid_request"),
    ] {
        let location = browser.get(&client.request(&[(name, value)])).await.location();
        assert!(location.starts_with(REDIRECT), "{name}={value}: {location}");
        assert_eq!(
            parameter(&location, "error").as_deref(),
            Some(error),
            "{name}={value}"
        );
        assert_eq!(parameter(&location, "state").as_deref(), Some("the state & more"));
        assert_eq!(parameter(&location, "code"), None);
    }
    assert_eq!(CHALLENGE.len(), 43);
}

#[tokio::test]
async fn forms_of_other_sites_do_nothing() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let client = Client::register(&server).await;
    let browser = Browser::signed_in(&server, &alice).await;
    let page = browser.get(&client.request(&[])).await;
    let (csrf, request) = (page.field("csrf"), page.field("request"));
    let fields = |csrf: &'static str| [("csrf", csrf), ("decision", "allow")];
    for csrf in ["", "forged"] {
        let mut fields = fields(csrf).to_vec();
        fields.push(("request", &request));
        let answer = browser.post("/oauth2/auth", &fields).await;
        assert_eq!(answer.status, 403);
        assert!(!answer.headers.contains_key("location"));
    }
    // The form of one browser is worth nothing in another.
    let mallory = Browser::new(&server).get("/oauth2/login").await.field("csrf");
    let whole = [
        ("csrf", mallory.as_str()),
        ("decision", "allow"),
        ("request", &request),
    ];
    assert_eq!(browser.post("/oauth2/auth", &whole).await.status, 403);
    // Whatever it holds, if the browser says that another site sent it.
    let whole = [
        ("csrf", csrf.as_str()),
        ("decision", "allow"),
        ("request", &request),
    ];
    let elsewhere = [("sec-fetch-site", "cross-site")];
    let answer = browser
        .send(Method::POST, "/oauth2/auth", Some(&whole), &elsewhere)
        .await;
    assert_eq!(answer.status, 403);
    for (path, more) in [
        ("/account", ("do", "deactivate")),
        ("/oauth2/logout", ("x", "y")),
        ("/oauth2/link", ("decision", "allow")),
    ] {
        assert_eq!(browser.post(path, &[more]).await.status, 403, "{path}");
    }
    let own = browser.send(
        Method::POST,
        "/oauth2/auth",
        Some(&whole),
        &[("sec-fetch-site", "same-origin")],
    );
    assert!(own.await.location().starts_with(REDIRECT));
}

#[tokio::test]
async fn pages_cannot_be_framed_kept_or_scripted() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let client = Client::register(&server).await;
    let browser = Browser::signed_in(&server, &alice).await;
    for path in [
        "/oauth2/login",
        "/account",
        "/oauth2/link",
        client.request(&[]).as_str(),
    ] {
        let page = browser.get(path).await;
        let header = |name: &str| page.headers[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        for part in [
            "default-src 'none'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert_eq!(header("x-frame-options"), "DENY");
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("referrer-policy"), "same-origin");
        assert!(!page.html.contains("<script"), "{path}");
    }
}

#[tokio::test]
async fn the_cookie_changes_with_the_log_in_and_ends_with_the_log_out() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let browser = Browser::new(&server);
    let page = browser.get("/oauth2/login").await;
    let cookie = page.headers["set-cookie"].to_str().unwrap().to_owned();
    assert!(
        cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Lax"),
        "{cookie}"
    );
    let before = browser.cookie.lock().unwrap().clone().unwrap();
    browser
        .log_in(&page, &alice.localpart, &alice.password)
        .await
        .location();
    let after = browser.cookie.lock().unwrap().clone().unwrap();
    assert_ne!(before, after);
    let fixed = Browser::new(&server);
    *fixed.cookie.lock().unwrap() = Some(before);
    assert!(
        fixed
            .get("/account")
            .await
            .location()
            .starts_with("/oauth2/login")
    );

    let csrf = browser.get("/account").await.field("csrf");
    browser
        .post("/oauth2/logout", &[("csrf", &csrf)])
        .await
        .location();
    let stolen = Browser::new(&server);
    *stolen.cookie.lock().unwrap() = Some(after);
    assert!(
        stolen
            .get("/account")
            .await
            .location()
            .starts_with("/oauth2/login")
    );
}

#[tokio::test]
async fn the_log_in_leads_nowhere_but_here() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    for onward in [
        "https://evil.org/",
        "//evil.org/",
        "/\\evil.org",
        "/oauth2/auth.evil.org",
        "javascript:alert(1)",
    ] {
        let browser = Browser::new(&server);
        let path = reqwest::Url::parse_with_params("http://x/oauth2/login", [("continue", onward)]).unwrap();
        let page = browser
            .get(&format!("{}?{}", path.path(), path.query().unwrap()))
            .await;
        let answer = browser.log_in(&page, &alice.localpart, &alice.password).await;
        assert_eq!(answer.location(), "/account", "{onward}");
        let page = browser.get("/oauth2/login").await;
        let csrf = page.field("csrf");
        let fields = [
            ("csrf", csrf.as_str()),
            ("continue", onward),
            ("name", &alice.localpart),
            ("password", &alice.password),
        ];
        assert_eq!(
            browser.post("/oauth2/login", &fields).await.location(),
            "/account",
            "{onward}"
        );
    }
}

#[tokio::test]
async fn guesses_at_passwords_are_limited_as_everywhere() {
    let server = TestServer::builder()
        .set("rate_limits.enabled", true)
        .set("rate_limits.login.burst", 3)
        .set("rate_limits.login.per_second", 0.001)
        .start()
        .await;
    let browser = Browser::new(&server);
    let page = browser.get("/oauth2/login").await;
    let mut last = 0;
    for _ in 0..4 {
        last = browser.log_in(&page, "alice", "guess").await.status;
    }
    assert_eq!(last, 429);
    let limited = server
        .anonymous()
        .log_in("alice", "guess", serde_json::json!({}))
        .await;
    refused(limited, 429, "M_LIMIT_EXCEEDED");
}

#[tokio::test]
async fn nothing_but_a_form_is_read_as_one() {
    let server = TestServer::shared().await;
    let json = server
        .anonymous()
        .post("/oauth2/token", serde_json::json!({ "client_id": "x" }))
        .await;
    assert_eq!(json.unwrap_err().body["error"], "invalid_request");
    refused(
        post_form(&server, "/oauth2/revoke", &[]).await,
        400,
        "invalid_request",
    );
}
