//! From events to the texts that are found.

use std::collections::BTreeSet;

use echorift_storage::{EventNumber, Position, RoomNumber, UserNumber};
use serde::Deserialize;
use serde_json::Value;

use crate::{store::log::LoggedEvent, text};

/// The key of an event's content that is searched (CS API § Server Side Search § `room_events`). The type of an event
/// says which it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Field {
    /// `content.body` of `m.room.message`.
    Body = 0,
    /// `content.name` of `m.room.name`.
    Name = 1,
    /// `content.topic` of `m.room.topic`, and the plain text of its `m.topic`.
    Topic = 2,
}

impl Field {
    pub const ALL: [Self; 3] = [Self::Body, Self::Name, Self::Topic];

    pub fn event_type(self) -> &'static str {
        match self {
            Self::Body => "m.room.message",
            Self::Name => "m.room.name",
            Self::Topic => "m.room.topic",
        }
    }

    /// The token of every text of this key.
    pub fn token(self) -> String {
        format!(":k{}", self as i64)
    }

    fn of(event_type: &str, state_key: Option<&str>) -> Option<Self> {
        let field = Self::ALL
            .into_iter()
            .find(|field| field.event_type() == event_type)?;
        let expected = match field {
            Self::Body => None,
            Self::Name | Self::Topic => Some(""),
        };
        (state_key == expected).then_some(field)
    }
}

/// The token of every text in a room. The colon keeps it apart from words, which have none.
pub(crate) fn room_token(room: RoomNumber) -> String {
    format!(":r{room}")
}

/// The token of every text by a sender.
pub(crate) fn sender_token(sender: UserNumber) -> String {
    format!(":s{sender}")
}

/// The token of messages with a `url`, as [`ruma::api::client::filter::UrlFilter`] asks for them.
pub(crate) const URL_TOKEN: &str = ":u";

/// A text that can be found, ready to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Document {
    pub position: Position,
    pub event: EventNumber,
    pub source: EventNumber,
    pub room: RoomNumber,
    pub sender: UserNumber,
    pub field: Field,
    /// The text as it is compared.
    pub words: String,
    /// The tokens with blanks between them.
    pub tokens: String,
}

#[derive(Deserialize)]
struct Stored {
    content: Value,
}

/// The text under which an event is found, taken from its latest edit if there is one; `None` if it has none: it was
/// redacted, is itself an edit, or is of another kind.
pub(crate) fn document_of(event: &LoggedEvent, edit: Option<&LoggedEvent>) -> Option<Document> {
    let field = Field::of(&event.event_type, event.state_key.as_deref())?;
    if event.is_redacted || event.edits.is_some() {
        return None;
    }
    let source = edit.unwrap_or(event);
    let content = content_of(source, edit.is_some())?;
    let text = text_of(field, &content)?;
    let mut tokens: BTreeSet<String> = text::tokens(&text);
    if tokens.is_empty() {
        return None;
    }
    tokens.insert(field.token());
    tokens.insert(room_token(event.room));
    tokens.insert(sender_token(event.sender));
    if content.get("url").is_some() {
        tokens.insert(URL_TOKEN.to_owned());
    }
    Some(Document {
        position: event.position,
        event: event.number,
        source: source.number,
        room: event.room,
        sender: event.sender,
        field,
        words: text::folded_text(&text),
        tokens: tokens.into_iter().collect::<Vec<_>>().join(" "),
    })
}

fn content_of(event: &LoggedEvent, is_edit: bool) -> Option<Value> {
    let mut stored: Stored = serde_json::from_str(&event.json).ok()?;
    if is_edit {
        return Some(stored.content.get_mut("m.new_content")?.take());
    }
    Some(stored.content)
}

/// The searched text of a content. Other than a text it is nobody's fault, and not found.
pub(crate) fn text_of(field: Field, content: &Value) -> Option<String> {
    let text = |key: &str| content.get(key).and_then(Value::as_str);
    match field {
        Field::Body => text("body").map(ToOwned::to_owned),
        Field::Name => text("name").map(ToOwned::to_owned),
        Field::Topic => {
            let topic = text("topic").unwrap_or_default();
            let plain = plain_text(content).filter(|plain| *plain != topic);
            let both = [Some(topic), plain].into_iter().flatten().collect::<Vec<_>>();
            Some(both.join("\n"))
        }
    }
}

/// The `text/plain` representation of `m.topic`; `text/plain` is what a representation without a type is.
fn plain_text(content: &Value) -> Option<&str> {
    let representations = content.get("m.topic")?.get("m.text")?.as_array()?;
    let is_plain = |representation: &&Value| {
        representation
            .get("mimetype")
            .is_none_or(|mimetype| mimetype == "text/plain")
    };
    representations.iter().find(is_plain)?.get("body")?.as_str()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use serde_json::json;

    use super::*;

    fn event(number: i64, event_type: &str, state_key: Option<&str>, content: &Value) -> LoggedEvent {
        LoggedEvent {
            number: EventNumber(number),
            event_id: format!("${number}"),
            room: RoomNumber(5),
            sender: UserNumber(6),
            event_type: event_type.to_owned(),
            state_key: state_key.map(ToOwned::to_owned),
            edits: None,
            is_redacted: false,
            json: json!({ "content": content }).to_string(),
            position: Position(number),
        }
    }

    #[test]
    fn a_message_is_found_by_its_words_its_room_its_sender_and_its_kind() {
        let message = event(
            1,
            "m.room.message",
            None,
            &json!({ "body": "Hello, Zoë", "url": "mxc://a/b" }),
        );
        let document = document_of(&message, None).unwrap();
        assert_eq!(document.tokens, ":k0 :r5 :s6 :u hello zoe");
        assert_eq!(document.words, "hello zoe");
    }

    #[test]
    fn the_latest_edit_replaces_the_text_and_keeps_the_place() {
        let message = event(1, "m.room.message", None, &json!({ "body": "old" }));
        let content = json!({ "body": "* new", "m.new_content": { "body": "new" } });
        let edit = LoggedEvent {
            edits: Some("$1".to_owned()),
            ..event(2, "m.room.message", None, &content)
        };
        let document = document_of(&message, Some(&edit)).unwrap();
        assert_eq!((document.words.as_str(), document.position), ("new", Position(1)));
        assert_eq!(
            (document.event, document.source),
            (EventNumber(1), EventNumber(2))
        );
        assert_eq!(
            document_of(&edit, None),
            None,
            "an edit is found as what it edits"
        );
    }

    #[test]
    fn topics_are_found_by_either_form_once() {
        let content = json!({ "topic": "Fish", "m.topic": { "m.text": [
            { "mimetype": "text/html", "body": "<b>Birds</b>" }, { "body": "Frogs" },
        ] } });
        let topic = document_of(&event(1, "m.room.topic", Some(""), &content), None).unwrap();
        assert_eq!(topic.words, "fish frogs");
    }

    #[test]
    fn what_has_no_text_is_not_found() {
        let body = json!({ "body": "text" });
        let redacted = LoggedEvent {
            is_redacted: true,
            ..event(1, "m.room.message", None, &body)
        };
        for event in [
            redacted,
            event(1, "m.room.message", None, &json!({ "body": 7 })),
            event(1, "m.room.message", None, &json!({ "body": "..." })),
            event(1, "m.room.message", Some(""), &body),
            event(1, "m.room.name", Some("other"), &json!({ "name": "text" })),
            event(1, "m.room.encrypted", None, &body),
        ] {
            assert_eq!(document_of(&event, None), None, "{event:?}");
        }
    }
}
