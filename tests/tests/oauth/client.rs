use echorift_tests::{Answer, Look as _, TestServer, fresh};
use reqwest::Method;
use serde_json::{Value, json};

use crate::browser::{Browser, Page};

pub(crate) const REDIRECT: &str = "https://app.example.com/callback";
/// The example of RFC 7636.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// An app that has registered.
pub(crate) struct Client {
    pub(crate) server: TestServer,
    pub(crate) id: String,
    pub(crate) device_id: String,
}

pub(crate) fn metadata() -> Value {
    json!({
        "client_name": "My <App>",
        "client_uri": "https://example.com/",
        "redirect_uris": [REDIRECT],
        "token_endpoint_auth_method": "none",
        "response_types": ["code"],
        "grant_types": ["authorization_code", "refresh_token", DEVICE_GRANT],
        "application_type": "web",
    })
}

impl Client {
    pub(crate) async fn register(server: &TestServer) -> Self {
        Self::register_as(server, metadata()).await
    }

    pub(crate) async fn register_as(server: &TestServer, metadata: Value) -> Self {
        let answer = server
            .anonymous()
            .post("/oauth2/clients", metadata)
            .await
            .unwrap();
        Self {
            server: server.clone(),
            id: answer.text("/client_id").to_owned(),
            device_id: fresh("DEVICE"),
        }
    }

    pub(crate) fn scope(&self) -> String {
        format!(
            "openid urn:matrix:client:api:* urn:matrix:client:device:{}",
            self.device_id
        )
    }

    /// The path of a request for authorisation; `change` replaces parameters, and empty ones leave them out.
    pub(crate) fn request(&self, change: &[(&str, &str)]) -> String {
        let scope = self.scope();
        let mut fields = vec![
            ("response_type", "code"),
            ("response_mode", "query"),
            ("client_id", self.id.as_str()),
            ("redirect_uri", REDIRECT),
            ("scope", &scope),
            ("state", "the state & more"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        for (name, value) in change {
            fields.retain(|(known, _)| known != name);
            fields.push((name, value));
        }
        let url = reqwest::Url::parse_with_params(
            "http://x/oauth2/auth",
            fields.iter().filter(|(_, v)| !v.is_empty()),
        );
        format!("/oauth2/auth?{}", url.unwrap().query().unwrap())
    }

    /// Has the person in `browser` allow it; the code.
    pub(crate) async fn code(&self, browser: &Browser) -> String {
        let page = browser.get(&self.request(&[])).await;
        let answer = decide(browser, &page, "allow").await;
        parameter(&answer.location(), "code").expect("a code")
    }

    pub(crate) async fn token(&self, fields: &[(&str, &str)]) -> Answer {
        post_form(&self.server, "/oauth2/token", fields).await
    }

    pub(crate) async fn redeem(&self, code: &str) -> Answer {
        self.redeem_with(code, &[]).await
    }

    pub(crate) async fn redeem_with(&self, code: &str, change: &[(&str, &str)]) -> Answer {
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("client_id", self.id.as_str()),
            ("code_verifier", VERIFIER),
        ];
        for (name, value) in change {
            fields.retain(|(known, _)| known != name);
            fields.push((name, value));
        }
        self.token(&fields).await
    }

    pub(crate) async fn refresh(&self, token: &str) -> Answer {
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("client_id", &self.id),
        ];
        self.token(&fields).await
    }

    /// Logs somebody in; the answer of the token endpoint.
    pub(crate) async fn log_in(&self, browser: &Browser) -> Value {
        let code = self.code(browser).await;
        self.redeem(&code).await.unwrap()
    }
}

/// Answers the question of a consent page.
pub(crate) async fn decide(browser: &Browser, page: &Page, decision: &str) -> Page {
    let (csrf, request) = (page.field("csrf"), page.field("request"));
    let fields = [
        ("csrf", csrf.as_str()),
        ("request", &request),
        ("decision", decision),
    ];
    browser.post("/oauth2/auth", &fields).await
}

pub(crate) async fn post_form(server: &TestServer, path: &str, fields: &[(&str, &str)]) -> Answer {
    let request = server.anonymous().request(Method::POST, path).form(fields);
    let response = request.send().await.unwrap();
    let status = response.status();
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
    let text = response.text().await.unwrap();
    let body: Value = serde_json::from_str(&text).unwrap_or(Value::from(text));
    if status.is_success() {
        return Ok(body);
    }
    let errcode = body["error"].as_str().unwrap_or_default().to_owned();
    Err(echorift_tests::Refusal {
        status: status.as_u16(),
        errcode,
        body,
    })
}

/// A parameter of the address that a browser is sent to, in its query or its fragment.
pub(crate) fn parameter(location: &str, name: &str) -> Option<String> {
    let mut url = reqwest::Url::parse(location).unwrap();
    if let Some(fragment) = url.fragment().map(ToOwned::to_owned) {
        url.set_query(Some(&fragment));
    }
    let found = url.query_pairs().find(|(known, _)| known == name);
    found.map(|(_, value)| value.into_owned())
}
