//! `GET /sync`: what a client learns, when, and nothing twice.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests say what they expect by failing"
)]

mod counts;
mod filter_fields;
mod filters;
mod invitations;
mod invite_permission;
mod lazy_members;
mod leaves;
mod old_endpoints;
mod presence;
mod push_rules;
mod state;
mod timeline;
mod waiting;

use echorift_tests::Look as _;
use serde_json::Value;

/// What an answer says of a joined room.
fn joined<'a>(answer: &'a Value, room: &str) -> &'a Value {
    &answer["rooms"]["join"][room]
}

/// `type|state_key` of the events at a pointer, sorted.
fn state_keys(part: &Value, pointer: &str) -> Vec<String> {
    let events = part.events(pointer);
    let mut keys: Vec<String> = events
        .iter()
        .map(|event| {
            format!(
                "{}|{}",
                event.text("/type"),
                event["state_key"].as_str().unwrap_or("-")
            )
        })
        .collect();
    keys.sort();
    keys
}
