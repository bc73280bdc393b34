//! Events as servers exchange them, for clients that ask for that (CS API § Filtering, `event_format`).

use echorift_rooms::Event;
use serde::Deserialize;
use serde_json::{json, value::RawValue};

#[derive(Deserialize)]
struct Shown<'a> {
    #[serde(borrow)]
    unsigned: Option<&'a RawValue>,
}

/// The event in the format of federation, with its ID, and with what `shown`, its form for clients, says beside it.
pub(crate) fn federation_format(event: &Event, shown: Box<RawValue>) -> Box<RawValue> {
    let Some(open) = event.pdu.json().strip_suffix('}') else {
        return shown;
    };
    let mut text = open.to_owned();
    // Before room version 3 the ID is part of the event.
    if !has_own_id(event) {
        text.push_str(&format!(",\"event_id\":{}", json!(event.pdu.event_id)));
    }
    if let Ok(Shown {
        unsigned: Some(unsigned),
    }) = serde_json::from_str(shown.get())
    {
        text.push_str(&format!(",\"unsigned\":{unsigned}"));
    }
    text.push('}');
    RawValue::from_string(text).unwrap_or(shown)
}

/// Whether the event says its ID itself.
fn has_own_id(event: &Event) -> bool {
    #[derive(Deserialize)]
    struct OwnId {
        event_id: Option<serde::de::IgnoredAny>,
    }
    serde_json::from_str::<OwnId>(event.pdu.json()).is_ok_and(|own| own.event_id.is_some())
}
