#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use ::http::{Request, StatusCode};
use axum::body::Body;
use serde_json::Value;
use tower::ServiceExt as _;

use super::*;

const CONFORMANCE: &str = include_str!("../../../../docs/conformance.json");

struct Server {
    router: Router,
    _folder: tempfile::TempDir,
    _stopping: watch::Sender<bool>,
}

impl Server {
    async fn start() -> Self {
        // The process-wide provider that `main` installs; it only fails if another test was first.
        let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
        let folder = tempfile::tempdir().unwrap();
        let config = format!(
            "[server]\ndata_dir = {:?}\n[calls.livekit]\nmode = \"off\"",
            folder.path()
        );
        let config = Config::parse(&config).unwrap();
        let (stopping, polls) = watch::channel(false);
        let app = App::start(&config, polls, None).await.unwrap();
        Self {
            router: app.router,
            _folder: folder,
            _stopping: stopping,
        }
    }

    async fn ask(&self, method: &str, path: &str) -> (StatusCode, Value) {
        let body = if method == "GET" {
            Body::empty()
        } else {
            Body::from("{}")
        };
        let request = Request::builder().method(method).uri(path).body(body).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }
}

/// The rows of docs/conformance.json.
fn rows() -> Vec<Value> {
    let document: Value = serde_json::from_str(CONFORMANCE).unwrap();
    document
        .as_object()
        .unwrap()
        .values()
        .flat_map(|rows| rows.as_array().unwrap().clone())
        .collect()
}

/// A path of the specification with something plausible in the place of each parameter.
fn fill(path: &str) -> String {
    let mut filled = String::new();
    for part in path.split_inclusive('/') {
        let (name, slash) = part.strip_suffix('/').map_or((part, ""), |name| (name, "/"));
        filled.push_str(match name {
            "{userId}" => "@nobody:localhost",
            "{roomId}" | "{roomIdOrAlias}" => "!nowhere:localhost",
            "{roomAlias}" => "%23nowhere:localhost",
            "{eventId}" => "$nothing",
            "{eventType}" => "m.room.message",
            "{receiptType}" => "m.read",
            "{relType}" => "m.thread",
            "{keyName}" => "displayname",
            "{serverName}" => "localhost",
            name if name.starts_with('{') => "something",
            name => name,
        });
        filled.push_str(slash);
    }
    filled
}

#[tokio::test]
async fn the_conformance_page_tells_which_endpoints_there_are() {
    let server = Server::start().await;
    let mut wrong = Vec::new();
    for row in rows() {
        let (method, path) = (row["method"].as_str().unwrap(), row["path"].as_str().unwrap());
        let (status, body) = server.ask(method, &fill(path)).await;
        let is_there = body["errcode"] != "M_UNRECOGNIZED";
        if is_there == (row["status"] == "not yet") {
            wrong.push(format!(
                "{method} {path}: {status} {}, but the page says {}",
                body["errcode"], row["status"]
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} rows of docs/conformance.json are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[tokio::test]
async fn every_working_endpoint_names_its_test() {
    let unproved: Vec<String> = rows()
        .into_iter()
        .filter(|row| row["status"] == "works" && row["test"].as_str().unwrap().is_empty())
        .map(|row| format!("{} {}", row["method"], row["path"]))
        .collect();
    assert!(unproved.is_empty(), "{}", unproved.join("\n"));
}
