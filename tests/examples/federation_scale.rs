//! Measures federation at the size of a company: `make bench` runs it against the release build, by hand it is
//! `ECHORIFT_BIN=… cargo run --release -p echorift-tests --example federation_scale -- [MEMBERS]`.
//!
//! Two servers of ours on loopback with TLS, then one with 500 peers that take what they are sent. Prints rows for
//! docs/performance.md.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement says what it finds, and stops where it cannot go on"
)]

use std::time::{Duration, Instant};

use echorift_tests::{Peer, TestAuthority, TestServer, User, free_port, until};
use futures_util::{StreamExt as _, stream};
use serde_json::json;

const STATE_EVENTS: usize = 2_000;
const DESTINATIONS: usize = 500;
const EVENTS: u32 = 20;
const AT_ONCE: usize = 16;

#[tokio::main]
async fn main() {
    let members = std::env::args()
        .nth(1)
        .map_or(10_000, |members| members.parse().expect("a number of members"));
    large_room(members).await;
    many_destinations().await;
}

fn ms(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1_000.0)
}

/// A user of one server joins a room of many members on another.
async fn large_room(members: usize) {
    let authority = TestAuthority::new();
    let (near_port, far_port) = (free_port(), free_port());
    let hosts = [("near.test", near_port), ("far.test", far_port)];
    let start = async |name: &str, port: u16| {
        TestServer::builder()
            .federating_at(&authority, name, port)
            .hosts(&hosts)
            .start()
            .await
    };
    let (near, far) = (
        start("near.test", near_port).await,
        start("far.test", far_port).await,
    );
    let [alice] = near.register(["alice"]).await;
    let room = alice.create_public_room().await;
    let join = async |_: usize| {
        let [user] = near.register(["member"]).await;
        user.join(&room).await.unwrap();
    };
    stream::iter(1..members)
        .map(join)
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<()>>()
        .await;
    for number in 0..STATE_EVENTS {
        let path = echorift_tests::v3(["rooms", &room, "state", "org.example.fact", &number.to_string()]);
        alice.put(path, json!({ "number": number })).await.unwrap();
    }

    let [bob] = far.register(["bob"]).await;
    let (near_cpu, far_cpu) = (near.cpu(), far.cpu());
    let started = Instant::now();
    bob.join_via(&room, &near).await.unwrap();
    bob.send_text(&room, "here I am").await.unwrap();
    let first_message = started.elapsed();
    until("all members are there", async || {
        let path = echorift_tests::v3(["rooms", &room, "joined_members"]);
        let answer = bob.get(path).await.ok()?;
        (answer["joined"].as_object()?.len() > members).then_some(())
    })
    .await;
    println!(
        "| join a room of {members} members and {STATE_EVENTS} state events: first message sent | {} | | 5 s |",
        ms(first_message)
    );
    println!(
        "| the same: all members there | {} | {} joining, {} resident | 60 s |",
        ms(started.elapsed()),
        ms(far.cpu() - far_cpu),
        ms(near.cpu() - near_cpu)
    );
}

/// One event for many servers.
async fn many_destinations() {
    let authority = TestAuthority::new();
    let server = TestServer::builder()
        .federating(&authority, "sender.test")
        .start()
        .await;
    let [alice] = server.register(["alice"]).await;
    let room = alice
        .create_room(json!({ "preset": "public_chat", "room_version": "11" }))
        .await
        .unwrap();
    let mut peers = Vec::with_capacity(DESTINATIONS);
    for _ in 0..DESTINATIONS {
        let peer = Peer::start(&authority).await;
        let joined = peer.join(&server, &room, "member").await.unwrap();
        peers.push((peer, joined));
    }
    let all_know = async |alice: &User, body: &str| {
        let event = alice.send_text(&room, body).await.unwrap();
        until("everybody has it", async || {
            peers.iter().all(|(_, joined)| joined.knows(&event)).then_some(())
        })
        .await;
    };
    all_know(&alice, "warm").await;
    let (cpu, started) = (server.cpu(), Instant::now());
    for number in 0..EVENTS {
        all_know(&alice, &number.to_string()).await;
    }
    println!(
        "| one event to {DESTINATIONS} servers, TLS and all | {} | {} | 20 ms of CPU |",
        ms(started.elapsed() / EVENTS),
        ms((server.cpu() - cpu) / EVENTS)
    );
}
