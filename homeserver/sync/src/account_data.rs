//! Account data as events, as both kinds of sync tell it.

use std::sync::Arc;

use echorift_accounts::{AccountDatum, default_push_rules, push_rules_content};
use echorift_rooms::RoomError;
use echorift_storage::Position;
use ruma::{UserId, serde::Raw};
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};

/// What became visible after `after` (all, for `None`).
pub(crate) fn write_account_data<'a, T>(
    data: impl Iterator<Item = (&'a Arc<str>, &'a AccountDatum)>,
    after: Option<Position>,
) -> Vec<Raw<T>> {
    let news = data.filter(|(_, datum)| after.is_none_or(|after| datum.position > after));
    let events = news.filter_map(|(data_type, datum)| {
        let data_type = serde_json::to_string(&**data_type).ok()?;
        let event = format!("{{\"type\":{data_type},\"content\":{}}}", datum.content.get());
        RawValue::from_string(event).ok().map(Raw::from_json)
    });
    events.collect()
}

/// The push rules of a user who has not changed any.
pub(crate) fn push_rules_event<T>(user: &UserId) -> Result<Raw<T>, RoomError> {
    let content = push_rules_content(&default_push_rules(user));
    let content = content.map_err(|error| RoomError::BadRequest(error.to_string()))?;
    raw(&json!({ "type": "m.push_rules", "content": content }))
}

/// A value that this server has built, as an event.
pub(crate) fn raw<T>(value: &serde_json::Value) -> Result<Raw<T>, RoomError> {
    let json = to_raw_value(value).map_err(|error| RoomError::BadRequest(error.to_string()))?;
    Ok(Raw::from_json(json))
}
