//! Receipts and typing, as both kinds of sync tell them.

use std::collections::BTreeMap;

use echorift_rooms::{Reader, Receipt, ReceiptKey, ReceiptKind, Room, RoomError};
use echorift_storage::{Position, UserNumber};
use ruma::EventId;
use serde_json::json;

use crate::Syncs;

/// Receipts of one event `m.receipt`, by the event that was read, their kind, and who has read it.
type Content<'a> = BTreeMap<(&'a EventId, &'a str, String), serde_json::Value>;

fn nested(content: Content<'_>) -> serde_json::Value {
    let mut nested: BTreeMap<&EventId, BTreeMap<&str, BTreeMap<String, serde_json::Value>>> = BTreeMap::new();
    for ((event_id, kind, user), data) in content {
        let of_event = nested.entry(event_id).or_default();
        of_event.entry(kind).or_default().insert(user, data);
    }
    json!(nested)
}

impl Syncs {
    /// The contents of `m.receipt` events: what is new since `after` of others' public receipts and of the reader's own. There
    /// is more than one only if somebody has read an event in several threads (CS API § Receipts).
    pub(crate) async fn receipts_in(
        &self,
        reader: &Reader,
        room: &Room,
        after: Position,
    ) -> Result<Vec<serde_json::Value>, RoomError> {
        self.receipts_where(reader, room, |_, receipt| receipt.position > after)
            .await
    }

    /// As [`Syncs::receipts_in`], of those receipts that are wanted.
    pub(crate) async fn receipts_where(
        &self,
        reader: &Reader,
        room: &Room,
        is_wanted: impl Fn(&ReceiptKey, &Receipt) -> bool,
    ) -> Result<Vec<serde_json::Value>, RoomError> {
        let receipts = room.receipts().all();
        let is_visible = |key: &ReceiptKey| key.kind == ReceiptKind::Public || key.user == reader.user;
        let mut news: Vec<_> = receipts
            .iter()
            .filter(|(key, receipt)| is_visible(key) && is_wanted(key, receipt))
            .collect();
        if news.is_empty() {
            return Ok(Vec::new());
        }
        // Those outside of threads first: a client that looks at one event only sees them.
        news.sort_by(|(one, _), (other, _)| one.thread.cmp(&other.thread));
        let users: Vec<UserNumber> = news.iter().map(|(key, _)| key.user).collect();
        let ids = self.rooms().user_ids(&users).await?;
        let mut contents: Vec<Content<'_>> = Vec::new();
        for ((key, receipt), id) in news.into_iter().zip(ids) {
            let mut data = json!({ "ts": receipt.ts.0 });
            if !key.thread.is_empty()
                && let Some(data) = data.as_object_mut()
            {
                data.insert("thread_id".to_owned(), (&*key.thread).into());
            }
            let place = (&*receipt.event_id, key.kind.as_str(), id.to_string());
            let has_room = |content: &&mut Content<'_>| !content.contains_key(&place);
            match contents.iter_mut().find(has_room) {
                Some(content) => drop(content.insert(place, data)),
                None => contents.push(Content::from([(place, data)])),
            }
        }
        Ok(contents.into_iter().map(nested).collect())
    }

    /// The content of `m.typing`, if it changed since version `heard`; for who is told for the first time only if
    /// anyone types.
    pub(crate) async fn typing_in(
        &self,
        reader: &Reader,
        room: &Room,
        heard: u64,
        is_first: bool,
    ) -> Result<Option<serde_json::Value>, RoomError> {
        let Some(typing) = self.typing().changed_after(room.number, heard) else {
            return Ok(None);
        };
        if typing.is_empty() && is_first {
            return Ok(None);
        }
        let mut users = self.rooms().user_ids(&typing).await?;
        users.retain(|user| !reader.ignored.contains(user));
        Ok(Some(json!({ "user_ids": users })))
    }
}
