//! Signing in at an OpenID Connect provider, played by a small one on this machine.

use std::sync::{Arc, Mutex};

use axum::{Form, Json, Router, extract::State, routing};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use echorift_storage::{Clock, Timestamp};
use echorift_web::{
    RateLimits,
    outbound::{AddressPolicy, Outbound, OutboundOptions},
};
use ed25519_dalek::{SigningKey, pkcs8::EncodePrivateKey as _};
use http::{Method, StatusCode};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use url::Url;

use super::{databases::TestDatabase, server::TestServer};
use crate::{UpstreamOptions, oauth::pkce, store};

/// The provider: what it puts into its ID tokens, and what it was asked with at its token endpoint.
#[derive(Clone)]
struct Provider {
    issuer: String,
    claims: Arc<Mutex<Value>>,
    asked: Arc<Mutex<Vec<(String, String)>>>,
}

impl Provider {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let provider = Self {
            issuer: format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port()),
            claims: Arc::default(),
            asked: Arc::default(),
        };
        let router = Router::new()
            .route("/.well-known/openid-configuration", routing::get(Self::metadata))
            .route("/keys", routing::get(Self::keys))
            .route("/token", routing::post(Self::token))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    fn key() -> SigningKey {
        SigningKey::from_bytes(&[7; 32])
    }

    async fn metadata(State(provider): State<Self>) -> Json<Value> {
        let at = |path: &str| format!("{}{path}", provider.issuer);
        Json(json!({
            "issuer": provider.issuer, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
            "jwks_uri": at("/keys"),
        }))
    }

    async fn keys() -> Json<Value> {
        let public = URL_SAFE_NO_PAD.encode(Self::key().verifying_key().as_bytes());
        Json(json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": public, "kid": "k" }] }))
    }

    async fn token(State(provider): State<Self>, Form(fields): Form<Vec<(String, String)>>) -> Json<Value> {
        *provider.asked.lock().unwrap() = fields;
        let der = Self::key().to_pkcs8_der().unwrap();
        let header = Header {
            kid: Some("k".to_owned()),
            ..Header::new(Algorithm::EdDSA)
        };
        let claims = provider.claims.lock().unwrap().clone();
        let token =
            jsonwebtoken::encode(&header, &claims, &EncodingKey::from_ed_der(der.as_bytes())).unwrap();
        Json(json!({ "id_token": token, "access_token": "a", "token_type": "Bearer" }))
    }
}

const NOW_MS: i64 = 1_800_000_000_000;

async fn server_for(provider: &Provider) -> TestServer {
    let outbound = Outbound::new(&OutboundOptions {
        extra_ca_files: Vec::new(),
        addresses: AddressPolicy {
            denied: Vec::new(),
            allowed: Vec::new(),
        },
        connect_timeout: std::time::Duration::from_secs(5),
        request_timeout: std::time::Duration::from_secs(10),
    });
    let upstream = UpstreamOptions {
        issuer: provider.issuer.clone(),
        name: "Example ID".to_owned(),
        client_id: "echorift".to_owned(),
        client_secret: None,
        scopes: vec!["openid".to_owned(), "profile".to_owned()],
        claim_localpart: "preferred_username".to_owned(),
        claim_name: "name".to_owned(),
        directory: None,
    };
    TestServer::start_with(
        TestDatabase::sqlite().await,
        Clock::manual(Timestamp(NOW_MS)),
        RateLimits::off(),
        vec![],
        |options| {
            options.oauth.upstreams = vec![upstream];
            options.oauth.outbound = Some(outbound.unwrap());
        },
    )
    .await
}

/// A browser on its way to the provider: its cookie, and the query that the provider is asked with.
async fn leave(server: &TestServer) -> (String, Vec<(String, String)>) {
    let page = server.page(Method::GET, "/oauth2/login", None).await;
    assert!(page.html.contains("Example ID"), "{}", page.html);
    let cookie = page.cookie.unwrap();
    let sent = server
        .page(
            Method::GET,
            "/oauth2/upstream?place=0&continue=%2Faccount",
            Some(&cookie),
        )
        .await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.html);
    let url = Url::parse(&sent.location.unwrap()).unwrap();
    (cookie, url.query_pairs().into_owned().collect())
}

fn text<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
    let found = fields.iter().find(|(known, _)| known == name);
    &found.unwrap_or_else(|| panic!("no {name} in {fields:?}")).1
}

/// Comes back from the provider as `subject`, with changes to what the provider says.
async fn come_back(
    server: &TestServer,
    provider: &Provider,
    (cookie, asked): &(String, Vec<(String, String)>),
    change: Value,
) -> super::server::Page {
    let mut claims = json!({
        "iss": provider.issuer, "aud": "echorift", "sub": "subject-1", "exp": NOW_MS / 1000 + 60,
        "nonce": text(asked, "nonce"), "preferred_username": "Anna.Weber@example.org", "name": "Anna Weber",
    });
    for (name, value) in change.as_object().unwrap() {
        claims[name] = value.clone();
    }
    *provider.claims.lock().unwrap() = claims;
    let path = format!("/oauth2/callback?code=c&state={}", text(asked, "state"));
    server.page(Method::GET, &path, Some(cookie)).await
}

#[tokio::test]
async fn the_first_sign_in_makes_the_account_and_the_next_finds_it() {
    let provider = Provider::start().await;
    let server = server_for(&provider).await;
    let leaving = leave(&server).await;
    let back = come_back(&server, &provider, &leaving, json!({})).await;
    assert_eq!(back.location.as_deref(), Some("/account"), "{}", back.html);
    // The verifier is the one of the challenge.
    let asked = provider.asked.lock().unwrap().clone();
    assert_eq!(
        pkce::challenge(text(&asked, "code_verifier")),
        text(&leaving.1, "code_challenge")
    );
    assert_eq!(
        text(&asked, "redirect_uri"),
        "https://chat.example.org/oauth2/callback"
    );
    let account = server.page(Method::GET, "/account", back.cookie.as_deref()).await;
    assert!(
        account.html.contains("@anna.weber:example.org"),
        "{}",
        account.html
    );
    assert!(account.html.contains("Anna Weber"), "{}", account.html);

    // Another name there is no other account here.
    let leaving = leave(&server).await;
    let change = json!({ "preferred_username": "anna.smith" });
    let back = come_back(&server, &provider, &leaving, change).await;
    let account = server.page(Method::GET, "/account", back.cookie.as_deref()).await;
    assert!(
        account.html.contains("@anna.weber:example.org"),
        "{}",
        account.html
    );
    server.drop().await;
}

#[tokio::test]
async fn a_name_that_is_taken_is_not_shared() {
    let provider = Provider::start().await;
    let server = server_for(&provider).await;
    server.register("anna.weber").await;
    let leaving = leave(&server).await;
    let back = come_back(&server, &provider, &leaving, json!({})).await;
    assert_eq!((back.status, back.location), (StatusCode::FORBIDDEN, None));
    let database = &server.accounts.0.database;
    let account = store::accounts::find_by_localpart(database, "anna.weber")
        .await
        .unwrap();
    assert_eq!(account.unwrap().provider, None);
    server.drop().await;
}

#[tokio::test]
async fn answers_that_are_not_to_our_question_let_nobody_in() {
    let provider = Provider::start().await;
    let server = server_for(&provider).await;
    for change in [
        json!({ "nonce": "another" }),
        json!({ "aud": "another" }),
        json!({ "iss": "https://evil.org" }),
        json!({ "exp": NOW_MS / 1000 - 3600 }),
    ] {
        let leaving = leave(&server).await;
        let back = come_back(&server, &provider, &leaving, change.clone()).await;
        assert_eq!(
            (back.status, back.location),
            (StatusCode::FORBIDDEN, None),
            "{change}"
        );
    }
    // A state is good once, and for its own browser.
    let leaving = leave(&server).await;
    let (other, _) = leave(&server).await;
    let stolen = (other, leaving.1.clone());
    let back = come_back(&server, &provider, &stolen, json!({})).await;
    assert_eq!(back.status, StatusCode::BAD_REQUEST);
    let back = come_back(&server, &provider, &leaving, json!({})).await;
    assert_eq!(back.status, StatusCode::SEE_OTHER);
    let again = come_back(&server, &provider, &leaving, json!({})).await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST);
    server.drop().await;
}
