//! Sticky events (MSC4354): for a while they reach everybody in the room, each once, whatever the timeline shows.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests say what they expect by failing"
)]

mod delivery;
mod paging;
mod sending;
mod sliding;

use echorift_tests::{Answer, Look as _, Sync, User, fresh, v3};
use serde_json::{Value, json};

const KIND: &str = "org.matrix.msc4143.rtc.member";
const UNSTABLE: &str = "org.matrix.msc4354.sticky_duration_ms";
const HOUR: u64 = 3_600_000;

/// Asks for an event that sticks as the query says.
async fn ask_to_send(user: &User, room: &str, query: &str, body: &str) -> Answer {
    let path = v3(["rooms", room, "send", KIND, &fresh("txn")]);
    let content = json!({ "body": body, "msc4354_sticky_key": "a key" });
    user.put(format!("{path}?{query}"), content).await
}

/// Sends an event that sticks for so long; its ID.
async fn send_sticky(user: &User, room: &str, body: &str, duration_ms: u64) -> String {
    let answer = ask_to_send(user, room, &format!("{UNSTABLE}={duration_ms}"), body).await;
    answer.unwrap().text("/event_id").to_owned()
}

fn joined<'a>(answer: &'a Value, room: &str) -> &'a Value {
    &answer["rooms"]["join"][room]
}

/// The bodies of the events at a pointer, of whatever type; those without one are left out.
fn bodies(part: &Value, pointer: &str) -> Vec<String> {
    let events = part.events(pointer);
    let bodies = events
        .iter()
        .filter_map(|event| event["content"]["body"].as_str());
    bodies.map(ToOwned::to_owned).collect()
}

/// The bodies of the sticky events of a room in an answer.
fn sticky(answer: &Value, room: &str) -> Vec<String> {
    bodies(joined(answer, room), "/msc4354_sticky/events")
}

fn timeline(answer: &Value, room: &str) -> Vec<String> {
    bodies(joined(answer, room), "/timeline/events")
}

/// A sync that shows so many events of each timeline.
async fn sync(user: &User, since: Option<&str>, limit: usize) -> Value {
    let filter = json!({ "room": { "timeline": { "limit": limit } } });
    let options = Sync {
        since,
        filter: Some(filter),
        ..Sync::default()
    };
    user.sync(options).await.unwrap()
}

fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}
