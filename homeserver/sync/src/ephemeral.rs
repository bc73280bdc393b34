//! Receipts and typing, as both kinds of sync tell them.

use std::collections::BTreeMap;

use echorift_rooms::{Reader, Receipt, ReceiptKey, ReceiptKind, Room, RoomError};
use echorift_storage::{Position, UserNumber};
use ruma::EventId;
use serde_json::json;

use crate::Syncs;

impl Syncs {
    /// The content of `m.receipt`: what is new since `after` of others' public receipts and of the reader's own.
    pub(crate) async fn receipts_in(
        &self,
        reader: &Reader,
        room: &Room,
        after: Position,
    ) -> Result<Option<serde_json::Value>, RoomError> {
        self.receipts_where(reader, room, |_, receipt| receipt.position > after)
            .await
    }

    /// As [`Syncs::receipts_in`], of those receipts that are wanted.
    pub(crate) async fn receipts_where(
        &self,
        reader: &Reader,
        room: &Room,
        is_wanted: impl Fn(&ReceiptKey, &Receipt) -> bool,
    ) -> Result<Option<serde_json::Value>, RoomError> {
        let receipts = room.receipts().all();
        let is_visible = |key: &ReceiptKey| key.kind == ReceiptKind::Public || key.user == reader.user;
        let news: Vec<_> = receipts
            .iter()
            .filter(|(key, receipt)| is_visible(key) && is_wanted(key, receipt))
            .collect();
        if news.is_empty() {
            return Ok(None);
        }
        let users: Vec<UserNumber> = news.iter().map(|(key, _)| key.user).collect();
        let ids = self.rooms().user_ids(&users).await?;
        let mut content: BTreeMap<&EventId, BTreeMap<&str, BTreeMap<String, serde_json::Value>>> =
            BTreeMap::new();
        for ((key, receipt), id) in news.into_iter().zip(ids) {
            let mut data = json!({ "ts": receipt.ts.0 });
            if !key.thread.is_empty()
                && let Some(data) = data.as_object_mut()
            {
                data.insert("thread_id".to_owned(), (&*key.thread).into());
            }
            let of_event = content.entry(&receipt.event_id).or_default();
            of_event
                .entry(key.kind.as_str())
                .or_default()
                .insert(id.to_string(), data);
        }
        Ok(serde_json::to_value(content).ok())
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
