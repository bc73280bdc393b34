//! Who may use whom: the layers of ARCHITECTURE.md § The map, and the line inside each crate between routes,
//! rules and SQL.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A crate may use those of lower layers only. A new line here is a design decision.
const LAYERS: [(&str, u8); 20] = [
    ("echorift-events", 1),
    ("echorift-storage", 1),
    ("echorift-web", 1),
    ("echorift-mail", 1),
    ("echorift-accounts", 2),
    ("echorift-rooms", 2),
    ("echorift-calls", 3),
    ("echorift-encryption", 3),
    ("echorift-media", 3),
    ("echorift-push", 3),
    ("echorift-search", 3),
    ("echorift-webclient", 3),
    ("echorift-appservices", 4),
    ("echorift-webhooks", 3),
    ("echorift-sync", 4),
    ("echorift-federation", 4),
    ("echorift-appservice-ldap", 4),
    ("echorift-admin", 5),
    ("echorift", 6),
    ("echorift-tests", 6),
];

/// Arrows inside a layer: profiles and account data are the accounts', and rooms show them.
const WITHIN_A_LAYER: [(&str, &str); 1] = [("echorift-rooms", "echorift-accounts")];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

fn layer(name: &str) -> Option<u8> {
    LAYERS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, layer)| *layer)
}

#[test]
fn every_crate_uses_only_the_layers_below_it() {
    let mut seen = 0;
    for package in packages() {
        let name = package["name"].as_str().unwrap();
        let own = layer(name)
            .unwrap_or_else(|| panic!("{name} has no layer: give it one, here and in ARCHITECTURE.md"));
        seen += 1;
        for dependency in package["dependencies"].as_array().unwrap() {
            let used = dependency["name"].as_str().unwrap();
            let Some(below) = layer(used) else { continue };
            let is_allowed = below < own || WITHIN_A_LAYER.contains(&(name, used));
            assert!(is_allowed, "{name} (layer {own}) uses {used} (layer {below})");
        }
    }
    assert_eq!(seen, LAYERS.len(), "a crate of the table is gone");
}

/// The sources of our crates, without comments: path relative to the workspace, and text.
fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in ["homeserver", "federation", "appservice-ldap"] {
        collect(&root().join(folder), &mut found);
    }
    assert!(found.len() > 20, "the sources were not found");
    found
}

fn collect(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let code: Vec<&str> = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .collect();
            let name = path.strip_prefix(root()).unwrap().display().to_string();
            found.push((name, code.join("\n")));
        }
    }
}

/// Refuses files whose path `concerns` and that hold one of the words.
fn refuse(words: &[&str], reason: &str, concerns: impl Fn(&str) -> bool) {
    let faults: Vec<String> = sources()
        .into_iter()
        .filter(|(path, _)| concerns(path))
        .flat_map(|(path, code)| {
            let held: Vec<&str> = words.iter().copied().filter(|word| code.contains(word)).collect();
            held.into_iter()
                .map(move |word| format!("{path} holds {word:?}"))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(faults.is_empty(), "{reason}:\n{}", faults.join("\n"));
}

#[test]
fn routes_hold_no_sql() {
    let words = [
        "SELECT ",
        "INSERT INTO ",
        "DELETE FROM ",
        "UPDATE ",
        "Statement::",
        "fetch_all(",
        "fetch_optional(",
    ];
    refuse(&words, "routes extract and reply; SQL stands in store", |path| {
        let is_route = path.ends_with("/http.rs") || path.contains("/http/");
        // The server's own routes ask the database only whether it is alive.
        is_route && !path.starts_with("homeserver/server/")
    });
}

#[test]
fn stores_know_no_status_code() {
    refuse(
        &["StatusCode", "MatrixError", "axum::"],
        "a store answers in words of the domain",
        |path| path.ends_with("/store.rs") || path.contains("/store/"),
    );
}

#[test]
fn events_do_no_io_and_have_no_clock() {
    let words = [
        "tokio",
        "sqlx",
        "SystemTime",
        "Instant::",
        "rand::rng",
        "std::fs",
        "std::net",
        "async fn",
    ];
    refuse(&words, "events are pure", |path| {
        path.starts_with("homeserver/events/src/")
    });
}
