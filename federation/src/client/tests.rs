#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::{
    Json, Router,
    extract::{Request as AxumRequest, State},
    response::{IntoResponse as _, Redirect},
    routing::{get, put},
};
use ruma::{
    api::federation::{
        discovery::get_server_version::v1 as version, query::get_profile_information::v1 as profile,
    },
    owned_user_id, server_name,
};
use serde_json::json;

use super::*;
use crate::testing::{Network, Node, signing_key};

/// The head of each request that arrived.
type Seen = Arc<parking_lot::Mutex<Vec<http::request::Parts>>>;

async fn record(State(seen): State<Seen>, request: AxumRequest) -> Json<serde_json::Value> {
    let (head, _) = request.into_parts();
    seen.lock().push(head);
    Json(json!({ "displayname": "Ann" }))
}

async fn peer(router: Router) -> (Network, Node) {
    let mut network = Network::new();
    network.serve("peer.example", "peer.example", router).await;
    let node = network.node("us.example", &[]).await;
    (network, node)
}

fn ask_profile() -> profile::Request {
    profile::Request {
        user_id: owned_user_id!("@ann:peer.example"),
        field: None,
    }
}

async fn raw(node: &Node, path: &str, options: SendOptions) -> Result<Bytes, FederationError> {
    let peer = server_name!("peer.example");
    let mut answer = node
        .client
        .send_raw(peer, Method::GET, path, None, options)
        .await?;
    answer.bytes().await
}

#[tokio::test]
async fn a_request_is_signed_for_its_receiver_and_its_answer_read() {
    let seen = Seen::default();
    let router = Router::new()
        .route("/_matrix/federation/v1/query/profile", get(record))
        .with_state(Arc::clone(&seen));
    let (_network, node) = peer(router).await;
    let peer = server_name!("peer.example");
    let answer = node.client.send(peer, ask_profile()).await.unwrap();
    assert_eq!(
        answer.get("displayname").and_then(|name| name.as_str()),
        Some("Ann")
    );
    let head = seen.lock().pop().unwrap();
    assert_eq!(head.version, http::Version::HTTP_2);
    assert_eq!(
        head.uri.authority().map(http::uri::Authority::as_str),
        Some("peer.example")
    );
    let (origin, signatures) = signatures_of(&head.headers).unwrap();
    assert_eq!(origin, "us.example");
    let to_check = RequestToSign {
        method: "GET",
        uri: head.uri.path_and_query().unwrap().as_str(),
        origin: server_name!("us.example"),
        destination: peer,
        content: None,
    };
    let public = ruma::serde::Base64::parse(signing_key("us.example").public_key()).unwrap();
    let keys = [("ed25519:1".to_owned(), public)].into();
    assert!(to_check.is_signed(&signatures, &keys));
    assert!(
        !RequestToSign {
            method: "PUT",
            ..to_check
        }
        .is_signed(&signatures, &keys)
    );
}

#[tokio::test]
async fn a_transaction_carries_its_shared_body() {
    async fn take(request: AxumRequest) -> Json<serde_json::Value> {
        let path = request.uri().path().to_owned();
        let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap();
        Json(json!({ "path": path, "body": String::from_utf8(body.to_vec()).unwrap() }))
    }
    let (_network, node) = peer(Router::new().route("/_matrix/federation/v1/send/{id}", put(take))).await;
    let body = CanonicalBody::new(&json!({ "pdus": [], "origin": "us.example" })).unwrap();
    let answer = node
        .client
        .send_transaction(server_name!("peer.example"), "a/b", &body)
        .await
        .unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
    let expected = json!({
        "path": "/_matrix/federation/v1/send/a%2Fb",
        "body": "{\"origin\":\"us.example\",\"pdus\":[]}",
    });
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn a_certificate_must_be_for_the_server_s_name() {
    let mut network = Network::new();
    network
        .serve("peer.example", "other.example", Router::new())
        .await;
    let node = network.node("us.example", &[]).await;
    let error = node
        .client
        .send(server_name!("peer.example"), ask_profile())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, FederationError::Unreachable { reason, .. } if reason.contains("certificate")),
        "{error}"
    );
}

#[tokio::test]
async fn nobody_leads_us_to_a_denied_address() {
    let mut network = Network::new();
    let address = network.serve("peer.example", "127.0.0.1", Router::new()).await;
    let node = network.node("us.example", &[]).await;
    let literal = ServerName::parse(address.to_string()).unwrap();
    let error = node.client.send(&literal, ask_profile()).await.unwrap_err();
    assert!(
        matches!(&error, FederationError::Unreachable { reason, .. } if reason.contains("may connect")),
        "{error}"
    );
}

#[tokio::test]
async fn answers_are_bounded_in_size_and_time() {
    async fn endless() -> axum::response::Response {
        let chunks =
            futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b' '; 1000])));
        axum::body::Body::from_stream(chunks).into_response()
    }
    async fn never() -> Json<()> {
        std::future::pending().await
    }
    let router = Router::new()
        .route("/endless", get(endless))
        .route("/large", get(async || vec![b' '; 5000]))
        .route("/never", get(never));
    let (_network, node) = peer(router).await;
    let options = SendOptions {
        answer_bytes_max: 4096,
        timeout: Some(Duration::from_millis(500)),
        even_backing_off: true,
    };
    for path in ["/endless", "/large"] {
        let error = raw(&node, path, options).await.unwrap_err();
        assert!(matches!(error, FederationError::BadAnswer { .. }), "{error}");
    }
    let error = raw(&node, "/never", options).await.unwrap_err();
    assert!(matches!(error, FederationError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let router = Router::new().route(
        "/away",
        get(async || Redirect::temporary("https://elsewhere.example/")),
    );
    let (_network, node) = peer(router).await;
    let error = raw(&node, "/away", SendOptions::default()).await.unwrap_err();
    assert!(matches!(error, FederationError::BadAnswer { .. }), "{error}");
}

#[tokio::test]
async fn a_server_that_fails_is_not_asked_until_it_is_due_and_a_refusal_is_no_failure() {
    let (asked, fails) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(1)));
    let handler = {
        let (asked, fails) = (Arc::clone(&asked), Arc::clone(&fails));
        async move || {
            asked.fetch_add(1, Ordering::SeqCst);
            match fails.load(Ordering::SeqCst) {
                0 => (
                    StatusCode::FORBIDDEN,
                    Json(json!({ "errcode": "M_FORBIDDEN", "error": "No.", "more": 1 })),
                ),
                _ => (StatusCode::BAD_GATEWAY, Json(json!({}))),
            }
        }
    };
    let (network, node) = peer(Router::new().route("/thing", get(handler))).await;
    let ask = async || raw(&node, "/thing", SendOptions::default()).await.unwrap_err();
    assert!(
        matches!(ask().await, FederationError::Refused { status, .. } if status == StatusCode::BAD_GATEWAY)
    );
    assert!(matches!(ask().await, FederationError::BackingOff(_)));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let urgent = SendOptions {
        even_backing_off: true,
        ..SendOptions::default()
    };
    raw(&node, "/thing", urgent).await.unwrap_err();
    assert_eq!(asked.load(Ordering::SeqCst), 2);

    fails.store(0, Ordering::SeqCst);
    network.clock.advance_ms(60_000);
    for _ in 0..2 {
        match ask().await {
            FederationError::Refused {
                errcode,
                message,
                body,
                ..
            } => {
                assert_eq!((errcode.as_str(), message.as_str()), ("M_FORBIDDEN", "No."));
                assert_eq!(body.get("more"), Some(&json!(1)));
            }
            error => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn the_policy_is_asked_before_anything_else() {
    let mut network = Network::new();
    network.serve("peer.example", "peer.example", Router::new()).await;
    let closed = crate::PolicyOptions {
        mode: crate::FederationMode::Closed,
        ..crate::PolicyOptions::default()
    };
    let node = network.node_with("us.example", &[], closed).await;
    let peer = server_name!("peer.example");
    let asked = node
        .client
        .send_unsigned(peer, version::Request {}, SendOptions::default())
        .await;
    assert!(matches!(asked, Err(FederationError::Denied(_))));
    assert!(node.destinations.is_due(peer));
}
