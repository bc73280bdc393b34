//! What bots cost the server: sending beside many application services, and a thousand webhook posts a second.
//!
//! `cargo run --release -p echorift-tests --example bots_load`, with `ECHORIFT_BIN` at a release build; prints rows for
//! docs/performance.md.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a program to be watched"
)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::routing::any;
use axum::{Json, Router};
use echorift_tests::{Look as _, TestServer, User, path};
use futures_util::{StreamExt as _, stream};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

const SERVICES: usize = 200;
/// Each service has so many patterns, of users, aliases and rooms.
const PATTERNS: usize = 20;
const ROOMS: usize = 20;
/// Messages in each room, before the clock runs and while it does.
const WARM_UP: usize = 20;
const MESSAGES: usize = 250;

const HOOKS: usize = 100;
const POSTS_A_SECOND: usize = 1_000;
const SECONDS: usize = 10;

/// Without work for so long, what was asked for is done.
const SETTLED: Duration = Duration::from_millis(300);

#[tokio::main]
async fn main() {
    println!("| what | rate | CPU of the server each | |\n| --- | --- | --- | --- |");
    sending("a message, no application service", &[]).await;
    let bridges: Vec<String> = (0..SERVICES).map(|n| format!("@_network{n}_")).collect();
    let what = format!("a message, {SERVICES} services of {PATTERNS} patterns, none concerned");
    sending(&what, &bridges).await;
    let mut reading = bridges;
    reading[0] = "@".to_owned();
    let what = format!("a message, {SERVICES} services of {PATTERNS} patterns, one told of all");
    sending(&what, &reading).await;
    posting().await;
}

/// Sends while there is a service for each of these beginnings of user IDs.
async fn sending(what: &str, services: &[String]) {
    let folder = tempfile::tempdir().unwrap();
    let (port, told) = listener().await;
    let files: Vec<String> = services
        .iter()
        .enumerate()
        .map(|(number, users)| registration(folder.path(), port, number, users))
        .collect();
    let server = TestServer::builder()
        .set("application_services.files", json!(files))
        .start()
        .await;
    let members: Vec<(User, String)> = stream::iter(0..ROOMS)
        .then(|_| async {
            let [user] = server.register(["sender"]).await;
            let room = user.create_public_room().await;
            (user, room)
        })
        .collect()
        .await;
    talk(&members, WARM_UP).await;
    server.settle(SETTLED).await;
    let (cpu, started, before) = (server.cpu(), Instant::now(), told.load(Ordering::SeqCst));
    talk(&members, MESSAGES).await;
    let took = started.elapsed();
    server.settle(SETTLED).await;
    let told = told.load(Ordering::SeqCst) - before;
    let note = format!("{told} events told");
    report(what, ROOMS * MESSAGES, server.cpu() - cpu, took, &note);
}

/// All rooms at once, one message after the other in each.
async fn talk(members: &[(User, String)], count: usize) {
    stream::iter(members)
        .for_each_concurrent(None, |(user, room)| async move {
            for number in 0..count {
                user.send_text(room, &number.to_string()).await.unwrap();
            }
        })
        .await;
}

/// Writes a registration; the file.
fn registration(folder: &Path, port: u16, number: usize, users: &str) -> String {
    let patterns = |kind: char, beginning: &str, count: usize| -> Vec<Value> {
        (0..count)
            .map(|n| json!({ "exclusive": false, "regex": format!("{kind}{beginning}{n}_.*:.*") }))
            .collect()
    };
    let name = format!("_network{number}_");
    let third = PATTERNS / 3;
    let mut of_users = patterns('@', &name, PATTERNS - 2 * third - 1);
    of_users.push(json!({ "exclusive": false, "regex": format!("{users}.*") }));
    let registration = json!({
        "id": format!("network{number}"),
        "url": format!("http://127.0.0.1:{port}"),
        "as_token": format!("service token {number}"),
        "hs_token": format!("server token {number}"),
        "sender_localpart": format!("network{number}bot"),
        "namespaces": {
            "users": of_users,
            "aliases": patterns('#', &name, third),
            "rooms": patterns('!', &name, third),
        },
    });
    let file = folder.join(format!("{number}.yaml"));
    std::fs::write(&file, registration.to_string()).unwrap();
    file.to_str().unwrap().to_owned()
}

/// All services in one: it counts the events that it is told.
async fn listener() -> (u16, Arc<AtomicUsize>) {
    let told = Arc::<AtomicUsize>::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let router = Router::new().fallback(any(take)).with_state(Arc::clone(&told));
    tokio::spawn(axum::serve(listener, router).into_future());
    (port, told)
}

async fn take(State(told): State<Arc<AtomicUsize>>, Json(body): Json<Value>) -> Json<Value> {
    told.fetch_add(body.list("/events").len(), Ordering::SeqCst);
    Json(json!({}))
}

/// Posts at a fixed rate into rooms with a webhook each, without limits and with those that the server comes with.
async fn posting() {
    let server = TestServer::start().await;
    let [alice] = server.register(["alice"]).await;
    let addresses: Vec<String> = stream::iter(0..HOOKS)
        .then(|_| async {
            let room = alice.create_public_room().await;
            let body = json!({ "direction": "incoming", "name": "Build" });
            let hook = alice
                .post(path("/_echorift/v1", &["rooms", &room, "hooks"]), body)
                .await;
            let hook = hook.unwrap();
            let address = hook.text("/post_url");
            address[address.find("/_echorift/").unwrap()..].to_owned()
        })
        .collect()
        .await;
    for (what, is_limited) in [
        ("a webhook post, limits off", false),
        ("a webhook post, usual limits", true),
    ] {
        server.set("rate_limits.enabled", is_limited);
        assert!(server.stop().await);
        server.restart().await;
        // Caches are filled, so that what grows then is what posts take.
        post_all(&server, &addresses, 1).await;
        server.settle(SETTLED).await;
        let (memory, cpu, started) = (server.memory(), server.cpu(), Instant::now());
        let mut memories = Vec::new();
        let (mut taken, mut refused) = (0, 0);
        for _ in 0..SECONDS / 2 {
            let answers = post_all(&server, &addresses, 2).await;
            taken += answers.taken;
            refused += answers.limited;
            memories.push(server.memory().saturating_sub(memory) / 1_048_576);
        }
        let took = started.elapsed();
        server.settle(SETTLED).await;
        let note = format!("{taken} taken, {refused} times 429; MiB grown after each fifth: {memories:?}");
        report(what, taken + refused, server.cpu() - cpu, took, &note);
    }
}

#[derive(Default)]
struct Answers {
    taken: usize,
    limited: usize,
}

/// For so many seconds, whether or not earlier posts were answered.
async fn post_all(server: &TestServer, addresses: &[String], seconds: usize) -> Answers {
    let program = server.anonymous();
    let mut ticks = interval(Duration::from_secs(1) / u32::try_from(POSTS_A_SECOND).unwrap());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut under_way = JoinSet::new();
    for number in 0..POSTS_A_SECOND * seconds {
        ticks.tick().await;
        let address = &addresses[number % addresses.len()];
        let post = program.request(Method::POST, address);
        let body = json!({ "text": format!("*Build* {number} <https://ci.example|failed>") });
        under_way.spawn(async move { post.json(&body).send().await.unwrap().status().as_u16() });
    }
    let mut answers = Answers::default();
    while let Some(status) = under_way.join_next().await {
        match status.unwrap() {
            200 => answers.taken += 1,
            429 => answers.limited += 1,
            other => panic!("a post was answered by {other}"),
        }
    }
    answers
}

/// A row of the table.
fn report(what: &str, count: usize, cpu: Duration, took: Duration, note: &str) {
    let rate = count as f64 / took.as_secs_f64();
    let each = cpu.as_secs_f64() * 1e6 / count as f64;
    println!("| {what} | {rate:.0}/s | {each:.0} µs | {note} |");
}
