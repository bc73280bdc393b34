//! An OpenID Connect provider that says of people what the test wants.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Form, Json, Router, routing};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};

use crate::now_ms;

const CLIENT_ID: &str = "echorift";
/// What it gives for a code, and takes at its userinfo endpoint.
const ACCESS_TOKEN: &str = "at-the-provider";

/// A provider; it ends with the test. Its codes are the nonces that it was asked with.
#[derive(Clone)]
pub struct OpenIdProvider {
    issuer: String,
    said: Arc<Mutex<Said>>,
}

/// The claims about whoever signs in.
#[derive(Default)]
struct Said {
    id_token: Value,
    userinfo: Value,
}

impl OpenIdProvider {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let provider = Self {
            issuer: format!("http://{}", listener.local_addr().unwrap()),
            said: Arc::default(),
        };
        let router = Router::new()
            .route("/.well-known/openid-configuration", routing::get(metadata))
            .route("/keys", routing::get(keys))
            .route("/token", routing::post(token))
            .route("/userinfo", routing::get(userinfo))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    /// One `[[oauth.upstream]]` for it, with these settings besides.
    pub fn settings(&self, more: &Value) -> Value {
        let mut settings = json!({ "issuer": self.issuer, "name": "The company", "client_id": CLIENT_ID });
        merge(&mut settings, more);
        json!([settings])
    }

    /// Who signs in next: the claims of the ID token beside `iss`, `aud`, `exp` and `nonce`, and what its userinfo
    /// endpoint says.
    pub fn says(&self, id_token: Value, userinfo: Value) {
        *self.said.lock().unwrap() = Said { id_token, userinfo };
    }
}

fn merge(into: &mut Value, more: &Value) {
    for (name, value) in more.as_object().unwrap() {
        into[name] = value.clone();
    }
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

async fn metadata(State(provider): State<OpenIdProvider>) -> Json<Value> {
    let at = |path: &str| format!("{}/{path}", provider.issuer);
    Json(json!({
        "issuer": provider.issuer, "authorization_endpoint": at("authorize"), "token_endpoint": at("token"),
        "jwks_uri": at("keys"), "userinfo_endpoint": at("userinfo"),
        "token_endpoint_auth_methods_supported": ["none"],
    }))
}

async fn keys() -> Json<Value> {
    let x = URL_SAFE_NO_PAD.encode(key().verifying_key().as_bytes());
    Json(json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": "k" }] }))
}

async fn token(
    State(provider): State<OpenIdProvider>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Json<Value> {
    let nonce = &fields.iter().find(|(name, _)| name == "code").unwrap().1;
    let mut claims = json!({
        "iss": provider.issuer, "aud": CLIENT_ID, "exp": now_ms() / 1000 + 60, "nonce": nonce,
    });
    merge(&mut claims, &provider.said.lock().unwrap().id_token);
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(json!({ "alg": "EdDSA", "kid": "k" })), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(key().sign(signed.as_bytes()).to_bytes());
    Json(json!({
        "id_token": format!("{signed}.{signature}"), "access_token": ACCESS_TOKEN, "token_type": "Bearer",
    }))
}

async fn userinfo(State(provider): State<OpenIdProvider>, headers: HeaderMap) -> Json<Value> {
    assert_eq!(headers["authorization"], format!("Bearer {ACCESS_TOKEN}"));
    Json(provider.said.lock().unwrap().userinfo.clone())
}
