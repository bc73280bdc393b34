//! What a company's directory costs the server: the first sync, one with nothing new, and single changes.
//!
//! `cargo run -p echorift-tests --example directory_load`, with `ECHORIFT_BIN` at a build; prints rows for
//! docs/performance.md.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a program to be watched"
)]

use std::time::{Duration, Instant};

use echorift_tests::{
    Caller, Look as _, SHARED_SECRET, Sync, TestDirectory, User, path, register_by_secret, v3, within,
};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(600);
/// Single changes of each kind, one after the other.
const CHANGES: u32 = 10;

/// Without work for so long, what a change brings about is done.
const SETTLED: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() {
    println!("| what | time | CPU of the server |\n| --- | --- | --- |");
    let directory = TestDirectory::start_with(&["--people", "5000", "--groups", "300"]);
    let group = |name: &str| format!("cn={name},{}", directory.facts.text("/groups_dn"));
    let person = |uid: &str| format!("uid={uid},{}", directory.facts.text("/people_dn"));
    let started = Instant::now();
    let server = directory
        .server()
        .set("directory.sync", true)
        .set("directory.sync_interval", "1h")
        .set("directory.login_group", group("chat-users"))
        .set(
            "directory.mapping",
            json!([{ "group": group("team-005"), "channel": "#team", "create": true }]),
        )
        .start()
        .await;
    let made = register_by_secret(&server, SHARED_SECRET, "root", "a good password", true).await;
    let root = server.with_token(made.unwrap().text("/access_token"));
    within(PATIENCE, "the first sync ends", async || {
        let sync = status(&root).await;
        (!sync["last"].is_null() && sync["is_told"] == true).then_some(())
    })
    .await;
    let took = started.elapsed();
    server.settle(SETTLED).await;
    row("5,000 people and 300 groups mirrored first", took, server.cpu());

    let (cpu, started) = (server.cpu(), Instant::now());
    root.post(directory_api("sync"), json!({})).await.unwrap();
    let took = started.elapsed();
    server.settle(SETTLED).await;
    row("all read again, nothing new", took, server.cpu() - cpu);

    let mover = User::logged_in(&server, "p00003", "nordlicht-00003")
        .await
        .unwrap();
    server.settle(SETTLED).await;
    let member = |change: &str| {
        let (group, member) = (group("team-004"), person("p00003"));
        format!("dn: {group}\nchangetype: modify\n{change}: member\nmember: {member}\n\n")
    };
    let mut since = mover.now().await;
    server.settle(SETTLED).await;
    let (cpu, mut took) = (server.cpu(), Duration::ZERO);
    for number in 0..CHANGES {
        let (act, part) = if number % 2 == 0 {
            ("add", "/rooms/join")
        } else {
            ("delete", "/rooms/leave")
        };
        directory.change(&member(act));
        let started = Instant::now();
        // Waits in one request: asking again and again would cost more than what is measured.
        let answer = mover
            .sync_until(&since, |answer| {
                answer.pointer(part).is_some_and(|rooms| rooms != &json!({}))
            })
            .await;
        took += started.elapsed();
        answer.text("/next_batch").clone_into(&mut since);
    }
    server.settle(SETTLED).await;
    row(
        "one person moved to or from a team within a mapped team",
        took / CHANGES,
        (server.cpu() - cpu) / CHANGES,
    );

    let mut took = Duration::ZERO;
    let mut leavers = Vec::new();
    for number in 0..CHANGES {
        let uid = format!("p{:05}", 100 + number);
        let password = format!("nordlicht-{:05}", 100 + number);
        let leaver = User::logged_in(&server, &uid, &password).await.unwrap();
        let since = leaver.now().await;
        leavers.push((leaver, since));
    }
    server.settle(SETTLED).await;
    let cpu = server.cpu();
    for (leaver, since) in &leavers {
        directory.change(&format!(
            "dn: {}\nchangetype: delete\n\n",
            person(&leaver.localpart)
        ));
        let started = Instant::now();
        let waiting = Sync {
            since: Some(since),
            timeout_ms: 30_000,
            ..Sync::default()
        };
        // It ends with the session, one way or the other.
        let _ = leaver.sync(waiting).await;
        within(PATIENCE, "the token is refused", async || {
            leaver.get(v3(["account", "whoami"])).await.err()
        })
        .await;
        took += started.elapsed();
    }
    server.settle(SETTLED).await;
    row(
        "a leaver's token refused",
        took / CHANGES,
        (server.cpu() - cpu) / CHANGES,
    );
    assert!(server.stop().await);
}

fn directory_api(act: &str) -> String {
    path("/_echorift/admin/v1/directory", &[act])
}

async fn status(root: &Caller) -> Value {
    let status = root.get(path("/_echorift/admin/v1/directory", &[])).await;
    status.unwrap()["sync"].clone()
}

/// A row of the table.
fn row(what: &str, took: Duration, cpu: Duration) {
    println!(
        "| {what} | {:.2} s | {} ms |",
        took.as_secs_f64(),
        cpu.as_millis()
    );
}
