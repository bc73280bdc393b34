//! Events that are sent later (MSC4140), as clients schedule, manage and meet them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests say what they expect by failing"
)]

mod firing;
mod managing;
mod overtaken;
mod rights;
mod scheduling;
mod surviving;
mod volume;

use echorift_tests::{Answer, Caller, Look as _, PATIENCE, Refusal, User, fresh, path, v3};
use serde_json::{Value, json};

const UNSTABLE: &str = "/_matrix/client/unstable/org.matrix.msc4140";
const STABLE: &str = "/_matrix/client/v1";
const FAMILIES: [&str; 2] = [STABLE, UNSTABLE];
/// How a device says in state that it is in a call.
const CALL_MEMBER: &str = "org.matrix.msc3401.call.member";
/// Longer than any test takes.
const NEVER: u64 = 3_600_000;

fn text(body: &str) -> Value {
    json!({ "msgtype": "m.text", "body": body })
}

/// `PUT …/delayed_event/…` by the stable path; the delay ID.
async fn schedule(user: &User, room: &str, kind: &str, body: Value) -> Result<String, Refusal> {
    let answer = user
        .put(v3(["rooms", room, "delayed_event", kind, &fresh("txn")]), body)
        .await?;
    Ok(answer.text("/delay_id").to_owned())
}

/// Schedules a text.
async fn say_later(user: &User, room: &str, body: &str, delay_ms: u64) -> String {
    schedule(
        user,
        room,
        "m.room.message",
        json!({ "delay_ms": delay_ms, "content": text(body) }),
    )
    .await
    .expect("a text can be scheduled")
}

/// Schedules a state event.
async fn set_later(user: &User, room: &str, kind: &str, key: &str, content: Value, delay_ms: u64) -> String {
    schedule(
        user,
        room,
        kind,
        json!({ "delay_ms": delay_ms, "state_key": key, "content": content }),
    )
    .await
    .expect("state can be scheduled")
}

/// `POST …/delayed_events/{delay_id}/{action}`.
async fn act(caller: &Caller, family: &str, delay_id: &str, action: &str) -> Answer {
    caller
        .post(path(family, &["delayed_events", delay_id, action]), json!({}))
        .await
}

async fn look_up(user: &User, delay_id: &str) -> Value {
    user.get(path(STABLE, &["delayed_events", delay_id]))
        .await
        .expect("one's own event is told")
}

/// The IDs of the events that wait, in the order of the list.
async fn waiting(user: &User) -> Vec<String> {
    let list = user.get(path(STABLE, &["delayed_events"])).await.expect("a list");
    list.events("/delayed_events")
        .iter()
        .map(|event| event.text("/delay_id").to_owned())
        .collect()
}

/// Waits until the event waits no longer, and gives what is told of it then.
async fn finalised(user: &User, delay_id: &str) -> Value {
    let search = async {
        loop {
            let event = look_up(user, delay_id).await;
            if event.get("finalised_ts").is_some() {
                return event;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, search)
        .await
        .expect("the event is finalised in time")
}

fn now_ms() -> i64 {
    echorift_tests::now_ms().try_into().expect("a time of our days")
}
