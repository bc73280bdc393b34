use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

/// Looking into answers, with the whole answer shown where something is missing.
pub trait Look {
    /// The text at a JSON pointer.
    fn text(&self, pointer: &str) -> &str;
    /// The number at a JSON pointer.
    fn number(&self, pointer: &str) -> i64;
    /// The array at a JSON pointer.
    fn list(&self, pointer: &str) -> &[Value];
    /// The events at a JSON pointer, none if there is no such array.
    fn events(&self, pointer: &str) -> Vec<Value>;
    /// The `body` of every message among the events at a JSON pointer, in their order.
    fn bodies(&self, pointer: &str) -> Vec<String>;
    /// The `event_id` of every event at a JSON pointer, in their order.
    fn ids(&self, pointer: &str) -> Vec<String>;
}

impl Look for Value {
    #[track_caller]
    fn text(&self, pointer: &str) -> &str {
        match self.pointer(pointer).and_then(Value::as_str) {
            Some(text) => text,
            None => panic!("no text at {pointer} in {self:#}"),
        }
    }

    #[track_caller]
    fn number(&self, pointer: &str) -> i64 {
        match self.pointer(pointer).and_then(Value::as_i64) {
            Some(number) => number,
            None => panic!("no number at {pointer} in {self:#}"),
        }
    }

    #[track_caller]
    fn list(&self, pointer: &str) -> &[Value] {
        match self.pointer(pointer).and_then(Value::as_array) {
            Some(list) => list,
            None => panic!("no array at {pointer} in {self:#}"),
        }
    }

    fn events(&self, pointer: &str) -> Vec<Value> {
        self.pointer(pointer)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    }

    fn bodies(&self, pointer: &str) -> Vec<String> {
        let events = self.events(pointer);
        let messages = events.iter().filter(|event| event["type"] == "m.room.message");
        messages
            .map(|event| event["content"]["body"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    fn ids(&self, pointer: &str) -> Vec<String> {
        self.events(pointer)
            .iter()
            .map(|event| event.text("/event_id").to_owned())
            .collect()
    }
}

/// A word that no other call in this process gives: for transaction ids, aliases and names on a shared server.
pub fn fresh(prefix: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    format!("{prefix}-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// `/_matrix/client/v3/…` with every part percent-encoded.
pub fn v3<const N: usize>(parts: [&str; N]) -> String {
    path("/_matrix/client/v3", &parts)
}

/// `/_matrix/client/v1/…` with every part percent-encoded.
pub fn v1<const N: usize>(parts: [&str; N]) -> String {
    path("/_matrix/client/v1", &parts)
}

/// `prefix/…` with every part percent-encoded.
pub fn path(prefix: &str, parts: &[&str]) -> String {
    parts.iter().fold(prefix.to_owned(), |mut path, part| {
        path.push('/');
        path.push_str(&percent_encode(part));
        path
    })
}

/// JSON as the value of a query parameter (filters).
pub fn query_json(value: &Value) -> String {
    percent_encode(&value.to_string())
}

pub(crate) fn percent_encode(text: &str) -> String {
    text.bytes()
        .fold(String::with_capacity(text.len()), |mut encoded, byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                encoded.push(char::from(byte));
            } else {
                let _ = write!(encoded, "%{byte:02X}");
            }
            encoded
        })
}

/// What [`percent_encode`] made, as it was.
pub(crate) fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(decoded) if byte == b'%' => {
                bytes.push(decoded);
                rest = &after[2..];
            }
            _ => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
