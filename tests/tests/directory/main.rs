//! The company's directory, mirrored: who is hired appears, who is renamed stays who they are, who leaves is out.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests say what they expect by failing"
)]

mod changes;
mod company;
mod domains;
mod faults;
mod feed;
mod feed_refusals;
mod groups;
mod leavers;
mod people;
mod referrals;
mod samba;

use echorift_tests::{
    Caller, Look as _, SHARED_SECRET, ServerBuilder, TestDirectory, TestServer, register_by_secret, until,
};
use serde_json::{Value, json};

/// `/_echorift/admin/v1/directory` and what is below it.
fn admin(parts: &[&str]) -> String {
    echorift_tests::path("/_echorift/admin/v1/directory", parts)
}

/// A server that mirrors this directory.
fn mirroring(directory: &TestDirectory) -> ServerBuilder {
    mirroring_with(directory.server())
}

fn mirroring_with(server: ServerBuilder) -> ServerBuilder {
    server.set("directory.sync", true)
}

/// Somebody who may see how mirroring fares. The first sync has ended.
async fn administrator(server: &TestServer) -> Caller {
    let made = register_by_secret(server, SHARED_SECRET, "root", "a good password", true).await;
    let root = server.with_token(made.unwrap().text("/access_token"));
    until("the first sync ends", async || {
        let status = root.get(admin(&[])).await.unwrap();
        (!status["sync"]["last"].is_null()).then_some(())
    })
    .await;
    root
}

/// Syncs now, and gives how that ended.
async fn sync(root: &Caller) -> Value {
    let status = root.post(admin(&["sync"]), json!({})).await.unwrap();
    status["last"].clone()
}

/// How many runs there were that read this much: `whole` or `changes`.
async fn runs(root: &Caller, reach: &str) -> u64 {
    metric(
        root,
        "echorift_directory_syncs_total",
        &format!("reach=\"{reach}\""),
    )
    .await
}

/// The sum of a metric's values, of those with this label.
async fn metric(root: &Caller, name: &str, label: &str) -> u64 {
    let metrics = root.get("/metrics").await.unwrap();
    let lines = metrics.as_str().unwrap().lines();
    let values = lines
        .filter(|line| {
            line.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with(['{', ' ']))
        })
        .filter(|line| line.contains(label))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
    values.sum()
}

/// A field of somebody's profile; null without one.
async fn profile(root: &Caller, localpart: &str, field: &str) -> Value {
    let path = echorift_tests::v3(["profile", &format!("@{localpart}:test.example")]);
    let profile = root.get(path).await.unwrap_or_default();
    profile[field].clone()
}

fn person(uid: &str) -> String {
    format!("uid={uid},ou=people,dc=nordlicht,dc=example")
}

/// Puts one value in the place of an attribute's.
fn replace(dn: &str, attribute: &str, value: &str) -> String {
    format!("dn: {dn}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n\n")
}

/// Has an entry carry what Windows says of accounts: 514 is disabled, 512 is not.
fn account_control(dn: &str, value: u32) -> String {
    format!(
        "dn: {dn}\nchangetype: modify\nreplace: objectClass\nobjectClass: inetOrgPerson\nobjectClass: windowsAccount\n-\n\
         replace: userAccountControl\nuserAccountControl: {value}\n\n"
    )
}

fn group(name: &str) -> String {
    format!("cn={name},ou=groups,dc=nordlicht,dc=example")
}
