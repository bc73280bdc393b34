//! The event formats of the client-server API (CS API § Room event format, § Stripped state).

use std::fmt::Write as _;

use ruma::events::TimelineEventType;

use crate::{
    Pdu,
    json::{Json, Numbers, parse_object, write_object, write_string},
    sticky::write_sticky,
};

/// The event without `unsigned` and without the closing brace.
pub(crate) fn open(pdu: &Pdu) -> String {
    let mut out = String::with_capacity(pdu.content.get().len() + 384);
    out.push_str("{\"content\":");
    write_content(&mut out, pdu);
    out.push_str(",\"event_id\":");
    write_string(&mut out, pdu.event_id.as_str());
    if let Some(duration_ms) = pdu.sticky_duration_ms {
        write_sticky(&mut out, duration_ms);
    }
    // Writing to a string cannot fail.
    let _infallible = write!(out, ",\"origin_server_ts\":{}", pdu.origin_server_ts.get());
    if let Some(redacts) = &pdu.redacts {
        out.push_str(",\"redacts\":");
        write_string(&mut out, redacts.as_str());
    }
    out.push_str(",\"room_id\":");
    write_string(&mut out, pdu.room_id.as_str());
    out.push_str(",\"sender\":");
    write_string(&mut out, pdu.sender.as_str());
    write_state_key_and_type(&mut out, pdu);
    out
}

/// Completes [`open`]'s text.
pub(crate) fn close(open: &str, unsigned: Option<&str>) -> String {
    let mut out = String::with_capacity(open.len() + unsigned.map_or(0, str::len) + 16);
    out.push_str(open);
    if let Some(unsigned) = unsigned {
        out.push_str(",\"unsigned\":");
        out.push_str(unsigned);
    }
    out.push('}');
    out
}

/// The event as stripped state.
pub(crate) fn stripped(pdu: &Pdu) -> String {
    let mut out = String::with_capacity(pdu.content.get().len() + 192);
    out.push_str("{\"content\":");
    out.push_str(pdu.content.get());
    out.push_str(",\"sender\":");
    write_string(&mut out, pdu.sender.as_str());
    write_state_key_and_type(&mut out, pdu);
    out.push('}');
    out
}

fn write_state_key_and_type(out: &mut String, pdu: &Pdu) {
    if let Some(state_key) = &pdu.state_key {
        out.push_str(",\"state_key\":");
        write_string(out, state_key);
    }
    out.push_str(",\"type\":");
    write_string(out, pdu.type_name());
}

/// The content; that of a redaction names its target in every room version.
fn write_content(out: &mut String, pdu: &Pdu) {
    if pdu.event_type == TimelineEventType::RoomRedaction
        && let Some(redacts) = &pdu.redacts
        && let Ok(mut content) = parse_object(pdu.content.get(), Numbers::Lenient)
    {
        content.insert("redacts".to_owned(), Json::String(redacts.to_string()));
        write_object(out, &content);
    } else {
        out.push_str(pdu.content.get());
    }
}

#[cfg(test)]
mod tests;
