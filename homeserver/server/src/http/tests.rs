#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use axum::body::Body;
use axum::routing::{get, post};
use http::{Request, Response, StatusCode};
use serde_json::Value;
use tower::ServiceExt as _;

use super::*;

async fn panics() {
    panic!("as ordered");
}

fn server() -> Router {
    let config = Config::default_settings().unwrap();
    let features = Router::new()
        .route(
            "/_matrix/client/v3/thing",
            post(async |body: axum::body::Bytes| body.len().to_string()),
        )
        .route("/_matrix/client/v3/panic", get(panics));
    let health = Arc::new(Health::new(None, Vec::new(), Vec::new()));
    assemble_with(features, &config, health)
}

fn assemble_with(features: Router, config: &Config, health: Arc<Health>) -> Router {
    let own = OwnRoutes {
        calls: &CallsDiscovery::default(),
        health,
        metrics: None,
        traffic: Arc::default(),
        first_account: FirstAccount::exists(),
    };
    assemble(features, config, own)
}

async fn ask(method: &str, path: &str, body: Body) -> (Response<()>, Value) {
    let request = Request::builder().method(method).uri(path).body(body).unwrap();
    let (parts, body) = server().oneshot(request).await.unwrap().into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    (
        Response::from_parts(parts, ()),
        serde_json::from_slice(&body).unwrap_or(Value::Null),
    )
}

#[tokio::test]
async fn unknown_paths_and_methods_are_unrecognized() {
    let (response, body) = ask("GET", "/_matrix/client/v3/nothing", Body::empty()).await;
    assert_eq!(
        (response.status(), &body["errcode"]),
        (StatusCode::NOT_FOUND, &Value::from("M_UNRECOGNIZED"))
    );
    let (response, body) = ask("DELETE", "/_matrix/client/v3/thing", Body::empty()).await;
    assert_eq!(
        (response.status(), &body["errcode"]),
        (StatusCode::METHOD_NOT_ALLOWED, &Value::from("M_UNRECOGNIZED"))
    );
    let (response, _) = ask("POST", "/_matrix/client/versions", Body::empty()).await;
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_panic_is_an_unknown_error() {
    let (response, body) = ask("GET", "/_matrix/client/v3/panic", Body::empty()).await;
    assert_eq!(
        (response.status(), &body["errcode"]),
        (StatusCode::INTERNAL_SERVER_ERROR, &Value::from("M_UNKNOWN"))
    );
    assert!(!body.to_string().contains("as ordered"));
}

#[tokio::test]
async fn every_response_may_be_read_by_a_web_client() {
    for (method, path) in [
        ("GET", "/_matrix/client/versions"),
        ("GET", "/nothing"),
        ("OPTIONS", "/_matrix/client/v3/thing"),
        ("OPTIONS", "/nothing"),
        ("GET", "/_matrix/client/v3/panic"),
    ] {
        let (response, _) = ask(method, path, Body::empty()).await;
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("access-control-allow-origin"), "*", "{method} {path}");
        assert!(header("access-control-allow-methods").contains("DELETE"));
        assert!(header("access-control-allow-headers").contains("Authorization"));
        assert!(!header("x-request-id").is_empty());
        assert_eq!(method == "OPTIONS", response.status() == StatusCode::NO_CONTENT);
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let (response, _) = ask(
        "POST",
        "/_matrix/client/v3/thing",
        Body::from(vec![b'x'; 1024 * 1024]),
    )
    .await;
    assert_eq!(response.status(), StatusCode::OK);
    let (response, _) = ask(
        "POST",
        "/_matrix/client/v3/thing",
        Body::from(vec![b'x'; 1024 * 1024 + 1]),
    )
    .await;
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn the_discovery_documents_follow_the_configuration() {
    let (_, body) = ask("GET", "/.well-known/matrix/client", Body::empty()).await;
    assert_eq!(body["m.homeserver"]["base_url"], "http://localhost:8008");
    let (_, body) = ask("GET", "/.well-known/matrix/server", Body::empty()).await;
    // Without TLS no other server could come in there.
    assert_eq!(body["errcode"], "M_NOT_FOUND");
    let (response, body) = ask("GET", "/.well-known/matrix/support", Body::empty()).await;
    assert_eq!(
        (response.status(), &body["errcode"]),
        (StatusCode::NOT_FOUND, &Value::from("M_NOT_FOUND"))
    );
    let (_, body) = ask("GET", "/_matrix/client/versions", Body::empty()).await;
    assert!(
        body["versions"]
            .as_array()
            .unwrap()
            .contains(&Value::from("v1.1"))
    );
}

#[tokio::test]
async fn a_stopping_server_lives_but_is_not_ready() {
    let config = Config::default_settings().unwrap();
    let health = Arc::new(Health::new(None, Vec::new(), Vec::new()));
    let server = assemble_with(Router::new(), &config, Arc::clone(&health));
    let status = async |path: &str| {
        let request = Request::get(path).body(Body::empty()).unwrap();
        server.clone().oneshot(request).await.unwrap().status()
    };
    assert_eq!(status("/health/ready").await, StatusCode::OK);
    health.stop();
    assert_eq!(status("/health/ready").await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(status("/health/live").await, StatusCode::OK);
}

#[test]
fn every_path_belongs_to_its_services() {
    use Service::{Client, Web};
    for path in ["/", "/room/!a:example.org", "/assets/a.js", "/config.json"] {
        assert_eq!(services_of(path), [Client, Web], "{path}");
    }
    for (path, service) in [
        ("/_matrix/client/v3/sync", Service::Client),
        ("/_echorift/client/v1/rtc/policy", Service::Client),
        ("/livekit/sfu/rtc", Service::Client),
        ("/_matrix/client/v1/media/download/a/b", Service::Media),
        ("/_matrix/media/v3/upload", Service::Media),
        ("/_matrix/federation/v1/version", Service::Federation),
        ("/_matrix/key/v2/server", Service::Federation),
        ("/_synapse/admin/v1/register", Service::Admin),
        ("/health/live", Service::Health),
        ("/metrics", Service::Metrics),
        ("/.well-known/matrix/client", Service::Web),
        ("/oauth2/auth", Service::Web),
        ("/account", Service::Web),
    ] {
        assert_eq!(services_of(path), [service], "{path}");
    }
}
