use serde_json::Value;

use crate::{Answer, Look as _, PATIENCE, User, query_json};

/// The parameters of `GET /sync`; the default is an initial sync that does not wait.
#[derive(Debug, Clone, Default)]
pub struct Sync<'a> {
    pub since: Option<&'a str>,
    pub filter: Option<Value>,
    pub timeout_ms: u64,
    pub full_state: bool,
    pub state_after: bool,
    pub set_presence: Option<&'a str>,
}

impl User {
    pub async fn sync(&self, options: Sync<'_>) -> Answer {
        let mut query = format!("/_matrix/client/v3/sync?timeout={}", options.timeout_ms);
        let mut add = |key: &str, value: String| query.push_str(&format!("&{key}={value}"));
        if let Some(since) = options.since {
            add("since", crate::json::percent_encode(since));
        }
        if let Some(filter) = &options.filter {
            add("filter", query_json(filter));
        }
        if options.full_state {
            add("full_state", "true".to_owned());
        }
        if options.state_after {
            add("use_state_after", "true".to_owned());
        }
        if let Some(presence) = options.set_presence {
            add("set_presence", presence.to_owned());
        }
        self.get(query).await
    }

    /// An initial sync.
    pub async fn sync_all(&self) -> Value {
        self.sync(Sync::default()).await.expect("an initial sync")
    }

    /// What is new since a token, without waiting.
    pub async fn sync_from(&self, since: &str) -> Value {
        self.sync(Sync {
            since: Some(since),
            ..Sync::default()
        })
        .await
        .expect("an incremental sync")
    }

    /// A token that stands for now.
    pub async fn now(&self) -> String {
        self.sync_all().await.text("/next_batch").to_owned()
    }

    /// Syncs on from a token until an answer is as wanted, and gives that answer.
    pub async fn sync_until(&self, since: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
        let mut since = since.to_owned();
        let search = async {
            loop {
                let options = Sync {
                    since: Some(&since),
                    timeout_ms: 10_000,
                    ..Sync::default()
                };
                let answer = self.sync(options).await.expect("an incremental sync");
                if is_wanted(&answer) {
                    return answer;
                }
                answer.text("/next_batch").clone_into(&mut since);
            }
        };
        tokio::time::timeout(PATIENCE, search)
            .await
            .expect("the wanted change arrives in time")
    }
}
