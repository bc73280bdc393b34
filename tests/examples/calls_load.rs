//! What calls cost the server: tokens issued, and webhooks taken, with an SFU that costs nothing.
//!
//! `cargo run --release -p echorift-tests --example calls_load`, with `ECHORIFT_BIN` at a release build; prints rows for
//! docs/performance.md.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a program to be watched"
)]

use std::time::Instant;

use echorift_tests::{Look as _, ScriptedSfu, TestServer, User, Webhook, v3};
use futures_util::{StreamExt as _, stream};
use serde_json::json;

const PEOPLE: usize = 1_000;
const AT_ONCE: usize = 32;
/// How often everybody comes and goes,
const ROUNDS: usize = 50;
/// and after how many rounds each it is asked what memory the server has.
const ROUNDS_BETWEEN: usize = 10;

#[tokio::main]
async fn main() {
    let sfu = ScriptedSfu::start().await;
    let server = sfu.of(TestServer::builder()).start().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_public_room().await;
    let people: Vec<User> = stream::iter(0..PEOPLE)
        .map(|_| async {
            let [user] = server.register(["caller"]).await;
            user.join(&room).await.unwrap();
            user
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let openids: Vec<_> = stream::iter(&people)
        .map(|user| async {
            let path = v3(["user", &user.id, "openid", "request_token"]);
            user.post(path, json!({})).await.unwrap()
        })
        .buffered(AT_ONCE)
        .collect()
        .await;

    let (cpu, started) = (server.cpu(), Instant::now());
    let tokens: Vec<String> = stream::iter(people.iter().zip(&openids))
        .map(|(user, openid)| (user, openid, &room, &server))
        .map(async |(user, openid, room, server)| {
            let body = json!({ "room": room, "openid_token": openid, "device_id": user.device_id });
            let answer = server
                .anonymous()
                .post("/livekit/jwt/sfu/get", body)
                .await
                .unwrap();
            answer.text("/jwt").to_owned()
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    report(
        "a token, with its room opened",
        PEOPLE,
        server.cpu() - cpu,
        started,
        "1 ms",
    );

    for token in &tokens {
        sfu.admit(token, "PA").await;
    }
    let memory = server.memory();
    let (cpu, started) = (server.cpu(), Instant::now());
    let (mut count, mut grown) = (0, Vec::new());
    for round in 1..=ROUNDS {
        let webhooks = tokens.iter().flat_map(|token| {
            [
                "participant_joined",
                "track_published",
                "track_published",
                "participant_left",
            ]
            .map(|event| Webhook::of(token, event, "PA"))
        });
        count += stream::iter(webhooks)
            .map(|webhook| {
                let (sfu, server) = (&sfu, &server);
                async move { assert_eq!(sfu.tell(server, &webhook).await, 200) }
            })
            .buffer_unordered(AT_ONCE)
            .count()
            .await;
        if round % ROUNDS_BETWEEN == 0 {
            grown.push(server.memory().saturating_sub(memory) / 1_024);
        }
    }
    let people = "webhooks of a thousand people a second";
    report(
        "a webhook: coming, two tracks, going",
        count,
        server.cpu() - cpu,
        started,
        people,
    );
    let parts = grown.len();
    println!("| memory after each {parts}th of {count} webhooks | | {grown:?} KiB more | none that stays |");
}

/// A row of the table.
fn report(what: &str, count: usize, cpu: std::time::Duration, started: Instant, aim: &str) {
    let rate = count as f64 / started.elapsed().as_secs_f64();
    let each = cpu.as_secs_f64() * 1e6 / count as f64;
    println!("| {what} | {rate:.0}/s | {each:.0} µs | {aim} |");
}
