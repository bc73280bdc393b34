//! Simplified sliding sync (MSC4186): the rooms that a client looks at, and nothing twice.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests say what they expect by failing"
)]

mod bad_input;
mod connections;
mod extensions;
mod lists;
mod rooms;
mod standings;
mod thread_subscriptions;
mod waiting;

use echorift_tests::{Answer, Look as _, User};
use serde_json::{Value, json};

const UNSTABLE: &str = "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync";
const V4: &str = "/_matrix/client/v4/sync";

/// A client that syncs on and on.
struct Client<'a> {
    user: &'a User,
    /// The body of every request, but for `pos`.
    body: Value,
    pos: Option<String>,
}

impl<'a> Client<'a> {
    fn new(user: &'a User, body: Value) -> Self {
        Self {
            user,
            body,
            pos: None,
        }
    }

    /// One that looks at its first `count` rooms, with one event of each.
    fn of_list(user: &'a User, count: usize) -> Self {
        Self::new(user, list(json!({ "ranges": [[0, count - 1]] })))
    }

    /// Asks with the `pos` of the last answer, and does not wait.
    async fn sync(&mut self) -> Value {
        self.wait(0).await
    }

    async fn wait(&mut self, timeout_ms: u64) -> Value {
        let answer = self.ask(timeout_ms).await.unwrap();
        self.pos = Some(answer.text("/pos").to_owned());
        answer
    }

    /// Asks, and forgets the answer.
    async fn ask(&self, timeout_ms: u64) -> Answer {
        let pos = self
            .pos
            .as_ref()
            .map(|pos| format!("&pos={pos}"))
            .unwrap_or_default();
        let path = format!("{UNSTABLE}?timeout={timeout_ms}{pos}");
        self.user.post(path, self.body.clone()).await
    }
}

/// A body with one list `all`, with these fields besides the usual ones.
fn list(fields: Value) -> Value {
    let mut list = json!({ "timeline_limit": 1, "required_state": [] });
    if let Value::Object(fields) = fields {
        list.as_object_mut().unwrap().extend(fields);
    }
    json!({ "lists": { "all": list } })
}

/// The IDs of the rooms of an answer, sorted.
fn rooms(answer: &Value) -> Vec<String> {
    let rooms = answer["rooms"].as_object();
    let mut rooms: Vec<String> = rooms.into_iter().flatten().map(|(id, _)| id.clone()).collect();
    rooms.sort();
    rooms
}

fn sorted(mut rooms: Vec<String>) -> Vec<String> {
    rooms.sort();
    rooms
}

/// `type|state_key` of a room's required state, sorted.
fn state_keys(answer: &Value, room: &str) -> Vec<String> {
    let events = answer["rooms"][room].events("/required_state");
    let key = |event: &Value| format!("{}|{}", event.text("/type"), event.text("/state_key"));
    let mut keys: Vec<String> = events.iter().map(key).collect();
    keys.sort();
    keys
}
