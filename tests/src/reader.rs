use std::collections::BTreeMap;

use serde_json::Value;

use crate::{Look as _, Refusal, Sync, User};

/// A client that keeps every timeline it sees whole, filling gaps from `/messages` as clients do.
#[derive(Debug)]
pub struct Reader {
    pub user: User,
    since: Option<String>,
    /// Room → its events since the first sync, in the server's order.
    pub timelines: BTreeMap<String, Vec<Value>>,
}

impl Reader {
    pub fn new(user: &User) -> Self {
        Self {
            user: user.clone(),
            since: None,
            timelines: BTreeMap::new(),
        }
    }

    /// One `/sync` and, for rooms whose timeline is limited, as many `/messages` as the gap needs.
    pub async fn read(&mut self, timeout_ms: u64) -> Result<(), Refusal> {
        let options = Sync {
            since: self.since.as_deref(),
            timeout_ms,
            ..Sync::default()
        };
        let answer = self.user.sync(options).await?;
        let joined = answer.pointer("/rooms/join").and_then(Value::as_object);
        let mut news = Vec::new();
        for (room, update) in joined.into_iter().flatten() {
            let mut events = Vec::new();
            if self.since.is_some() && update["timeline"]["limited"] == true {
                events = self.fill_gap(room, update.text("/timeline/prev_batch")).await?;
            }
            events.extend(update.events("/timeline/events"));
            news.push((room.clone(), events));
        }
        // Only now, all at once: an answer lost halfway is asked for again with the same token.
        for (room, events) in news {
            self.timelines.entry(room).or_default().extend(events);
        }
        self.since = Some(answer.text("/next_batch").to_owned());
        Ok(())
    }

    /// The events between what is known of the room and `prev_batch`, oldest first.
    async fn fill_gap(&self, room: &str, prev_batch: &str) -> Result<Vec<Value>, Refusal> {
        let known = self
            .timelines
            .get(room)
            .and_then(|events| events.last())
            .map(|event| event["event_id"].clone());
        let mut gap = Vec::new();
        let mut from = prev_batch.to_owned();
        loop {
            let from_query = crate::json::percent_encode(&from);
            let page = self
                .user
                .messages(room, &format!("dir=b&limit=100&from={from_query}"))
                .await?;
            for event in page.events("/chunk") {
                if known.as_ref() == Some(&event["event_id"]) {
                    gap.reverse();
                    return Ok(gap);
                }
                gap.push(event);
            }
            match page["end"].as_str() {
                Some(end) => end.clone_into(&mut from),
                None => {
                    gap.reverse();
                    return Ok(gap);
                }
            }
        }
    }

    /// The bodies of the messages seen in a room, in order.
    pub fn bodies(&self, room: &str) -> Vec<&str> {
        let events = self.timelines.get(room).map(Vec::as_slice).unwrap_or_default();
        let messages = events.iter().filter(|event| event["type"] == "m.room.message");
        messages
            .filter_map(|event| event["content"]["body"].as_str())
            .collect()
    }

    /// The ids of the events seen in a room, in order.
    pub fn ids(&self, room: &str) -> Vec<&str> {
        let events = self.timelines.get(room).map(Vec::as_slice).unwrap_or_default();
        events
            .iter()
            .filter_map(|event| event["event_id"].as_str())
            .collect()
    }
}
