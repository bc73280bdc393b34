//! Search: finding what was said, and finding people.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests say what they expect by failing"
)]

mod contexts;
mod directory;
mod messages;
mod pages;
mod visibility;

use echorift_tests::{Answer, Look as _, PATIENCE, User, v3};
use serde_json::{Value, json};

/// `POST /search` with these criteria; the results of the one category.
async fn search(user: &User, criteria: Value) -> Value {
    search_from(user, None, criteria).await.expect("a search")
}

async fn search_from(user: &User, next_batch: Option<&str>, criteria: Value) -> Answer {
    let mut path = v3(["search"]);
    if let Some(token) = next_batch {
        path = format!("{path}?next_batch={token}");
    }
    let body = json!({ "search_categories": { "room_events": criteria } });
    let answer = user.post(path, body).await?;
    Ok(answer["search_categories"]["room_events"].clone())
}

/// The bodies, names or topics that were found, in their order.
fn found(results: &Value) -> Vec<String> {
    let texts = results.list("/results").iter().map(|result| {
        let content = &result["result"]["content"];
        let keys = ["body", "name", "topic"];
        let text = keys.iter().find_map(|key| content[*key].as_str());
        text.expect("a text").to_owned()
    });
    texts.collect()
}

/// Searches until the answer is as wanted: what was said becomes findable a moment later.
async fn search_until(user: &User, criteria: Value, is_wanted: impl Fn(&Value) -> bool) -> Value {
    let search = async {
        loop {
            let results = search(user, criteria.clone()).await;
            if is_wanted(&results) {
                return results;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, search)
        .await
        .expect("what is wanted is found in time")
}

/// Waits until everything that was said so far can be found: a word that nobody said before comes last.
async fn all_indexed(user: &User, room: &str) {
    let word = echorift_tests::fresh("lastword").replace('-', "");
    user.send_text(room, &word).await.unwrap();
    search_until(user, json!({ "search_term": word }), |results| {
        !results.list("/results").is_empty()
    })
    .await;
}
