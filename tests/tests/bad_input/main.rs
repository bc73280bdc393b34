//! Whatever clients send that they should not: each endpoint refuses it with the specification's errcode.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests say what they expect by failing"
)]

mod connections;
mod endpoints;
mod wrong_ids;

use echorift_tests::{Answer, Caller, Look as _, PATIENCE, TestServer, User, path, v3};
use endpoints::{ENDPOINTS, Endpoint};
use reqwest::Method;
use serde_json::json;

/// The largest body that a server takes unless configured otherwise.
const BODY_BYTES_MAX: usize = 1024 * 1024;
const PREFIX: &str = "/_matrix/client";

/// A server with one person, a room, and an event in it, so that every path of the table can be filled in.
struct Setup {
    server: TestServer,
    alice: User,
    fill: Vec<(&'static str, String)>,
}

impl Setup {
    async fn new(server: TestServer) -> Self {
        let [alice] = server.register(["alice"]).await;
        let room = alice.create_public_room().await;
        let event = alice.send_text(&room, "x").await.unwrap();
        let filter = alice.post(alice.own_path(&["filter"]), json!({})).await.unwrap();
        let encoded = |text: &str| path("", &[text]).trim_start_matches('/').to_owned();
        let fill = vec![
            ("{room}", encoded(&room)),
            ("{event}", encoded(&event)),
            ("{user}", encoded(&alice.id)),
            ("{device}", encoded(&alice.device_id)),
            ("{alias}", encoded(&alice.fresh_alias("probe"))),
            ("{filter}", filter.text("/filter_id").to_owned()),
        ];
        Self { server, alice, fill }
    }

    fn path_of(&self, endpoint: &Endpoint) -> String {
        let path = match endpoint.path.strip_prefix('/') {
            Some(whole) => format!("{PREFIX}/{whole}"),
            None => format!("{PREFIX}/v3/{}", endpoint.path),
        };
        self.fill
            .iter()
            .fold(path, |path, (name, value)| path.replace(name, value))
    }

    /// Calls an endpoint with these bytes, if it reads any.
    async fn call(&self, who: &Caller, endpoint: &Endpoint, body: impl Into<reqwest::Body>) -> Answer {
        let method = Method::from_bytes(endpoint.method.as_bytes()).unwrap();
        match endpoint.wrong {
            Some(_) => who.send_bytes(method, self.path_of(endpoint), body).await,
            None => who.call(method, self.path_of(endpoint), None).await,
        }
    }
}

/// Collects what differs from the expectation, so that one run shows the whole picture.
#[derive(Default)]
struct Findings(Vec<String>);

impl Findings {
    fn expect(&mut self, what: &str, endpoint: &Endpoint, answer: &Answer, status: u16, errcodes: &[&str]) {
        let is_as_expected = matches!(answer, Err(refusal) if refusal.status == status && errcodes.contains(&refusal.errcode.as_str()));
        if !is_as_expected {
            let Endpoint { method, path, .. } = endpoint;
            let answer = match answer {
                Ok(body) => format!("it was done: {body:.200}"),
                Err(refusal) => refusal.to_string(),
            };
            self.0.push(format!(
                "{method} {path}: {what}: expected {status} {errcodes:?}, {answer}"
            ));
        }
    }

    fn assert_none(self) {
        assert!(
            self.0.is_empty(),
            "{} findings:\n{}",
            self.0.len(),
            self.0.join("\n")
        );
    }
}

#[tokio::test]
async fn without_a_good_token_nothing_is_done() {
    let server = TestServer::builder()
        .set("sessions.access_token_lifetime", "1s")
        .start()
        .await;
    let setup = Setup::new(server).await;
    let server = &setup.server;
    let with_refresh = json!({ "refresh_token": true });
    let login = server
        .anonymous()
        .log_in(&setup.alice.id, &setup.alice.password, with_refresh)
        .await
        .unwrap();
    let expired = server.with_token(login.text("/access_token"));
    let expiry = async { while expired.get(v3(["account", "whoami"])).await.is_ok() {} };
    tokio::time::timeout(PATIENCE, expiry)
        .await
        .expect("the token expires");
    let gone = setup.alice.on_another_device().await;
    gone.post(v3(["logout"]), json!({})).await.unwrap();

    let mut findings = Findings::default();
    for endpoint in ENDPOINTS.iter().filter(|endpoint| endpoint.needs_token) {
        let answer = setup.call(&server.anonymous(), endpoint, "{}").await;
        findings.expect("no token", endpoint, &answer, 401, &["M_MISSING_TOKEN"]);
        for (what, caller) in [
            ("a forged token", &server.with_token("forged")),
            ("an expired token", &expired),
            ("a logged-out token", &gone.caller),
        ] {
            let answer = setup.call(caller, endpoint, "{}").await;
            findings.expect(what, endpoint, &answer, 401, &["M_UNKNOWN_TOKEN"]);
        }
    }
    findings.assert_none();
}

async fn setup_with_registration() -> Setup {
    let server = TestServer::builder()
        .set("registration.enabled", true)
        .set("registration.without_verification", true)
        .start()
        .await;
    Setup::new(server).await
}

#[tokio::test]
async fn bodies_that_are_no_json_or_the_wrong_json_are_refused() {
    let setup = setup_with_registration().await;
    let deep = "[".repeat(100_000);
    let mut findings = Findings::default();
    for endpoint in ENDPOINTS {
        let Some(wrong) = endpoint.wrong else { continue };
        let who = &setup.alice.caller;
        for text in ["{\"a\": ", "not json", "{\"a\": 1}}", "\u{feff}{}"] {
            let answer = setup.call(who, endpoint, text).await;
            findings.expect("not JSON", endpoint, &answer, 400, &["M_NOT_JSON"]);
        }
        let answer = setup.call(who, endpoint, b"{\"a\": \"\xff\xfe\"}".to_vec()).await;
        findings.expect("not UTF-8", endpoint, &answer, 400, &["M_NOT_JSON", "M_BAD_JSON"]);
        let answer = setup.call(who, endpoint, wrong).await;
        findings.expect("a wrong type", endpoint, &answer, 400, &["M_BAD_JSON"]);
        let answer = setup.call(who, endpoint, "\"a string\"").await;
        findings.expect("no object", endpoint, &answer, 400, &["M_BAD_JSON"]);
        let answer = setup.call(who, endpoint, deep.clone()).await;
        findings.expect("brackets without end", endpoint, &answer, 400, &["M_NOT_JSON"]);
    }
    findings.assert_none();
    setup
        .alice
        .get(v3(["account", "whoami"]))
        .await
        .expect("the server is well");
}

#[tokio::test]
async fn deep_nesting_exhausts_nothing() {
    let setup = setup_with_registration().await;
    let deep = format!("{}1{}", r#"{"a":"#.repeat(50_000), "}".repeat(50_000));
    for endpoint in ENDPOINTS.iter().filter(|endpoint| endpoint.wrong.is_some()) {
        let answer = setup.call(&setup.alice, endpoint, deep.clone()).await;
        // A field that an endpoint does not know may be passed over, however deep it is.
        let status = answer.as_ref().map_or_else(|refusal| refusal.status, |_| 200);
        assert!(
            (200..500).contains(&status),
            "{} {}: {answer:?}",
            endpoint.method,
            endpoint.path
        );
    }
    setup
        .alice
        .get(v3(["account", "whoami"]))
        .await
        .expect("the server is well");
}

#[tokio::test]
async fn bodies_beyond_the_limit_are_too_large() {
    let setup = setup_with_registration().await;
    // One byte too many: the server may answer when it has read that one.
    let frame = "{\"a\":\"\"}".len();
    let huge = format!("{{\"a\":\"{}\"}}", "x".repeat(BODY_BYTES_MAX + 1 - frame));
    let mut findings = Findings::default();
    for endpoint in ENDPOINTS.iter().filter(|endpoint| endpoint.wrong.is_some()) {
        let answer = setup.call(&setup.alice, endpoint, huge.clone()).await;
        findings.expect("too large", endpoint, &answer, 413, &["M_TOO_LARGE"]);
    }
    findings.assert_none();
}

#[tokio::test]
async fn the_older_name_of_the_version_means_all_of_it() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let older = |rest: &[&str]| path("/_matrix/client/r0", rest);
    let backup = json!({ "algorithm": "m.megolm_backup.v1.curve25519-aes-sha2", "auth_data": { "public_key": "abc", "signatures": {} } });
    alice
        .post(older(&["room_keys", "version"]), backup)
        .await
        .unwrap();
    let room = alice.create_public_room().await;
    let typing = older(&["rooms", &room, "typing", &alice.id]);
    // Without saying for how long.
    alice.put(typing, json!({ "typing": true })).await.unwrap();
    let answer = alice.sync_all().await;
    let events = answer["rooms"]["join"][&room].events("/ephemeral/events");
    assert_eq!(events[0]["content"]["user_ids"], json!([alice.id]), "{answer}");
}

#[tokio::test]
async fn the_wrong_method_is_told_from_the_wrong_path() {
    let setup = Setup::new(TestServer::shared().await).await;
    let mut findings = Findings::default();
    for endpoint in ENDPOINTS {
        let path = setup.path_of(endpoint);
        let answer = setup.alice.call(Method::PATCH, &path, None).await;
        findings.expect("PATCH", endpoint, &answer, 405, &["M_UNRECOGNIZED"]);
        let base = path.split('?').next().unwrap_or_default();
        let answer = setup
            .alice
            .get(format!("{base}/and/then/some/more/that/is/nowhere"))
            .await;
        findings.expect("a longer path", endpoint, &answer, 404, &["M_UNRECOGNIZED"]);
    }
    findings.assert_none();
}
