//! Making an event of our own: canonical JSON, content hash, signature, ID.

use std::fmt::Write as _;

use base64::Engine as _;
use ruma::{
    EventId, MilliSecondsSinceUnixEpoch, OwnedEventId, OwnedRoomId, OwnedUserId, RoomId,
    events::{TimelineEventType, sticky::StickyDurationMs},
    room_version_rules::{EventIdFormatVersion, EventsReferenceFormatVersion, RoomVersionRules},
};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::{
    EventError, Pdu, SigningKey,
    format::{AUTH_EVENTS_MAX, PREV_EVENTS_MAX, check_field, check_size},
    hash::{BASE64, reference_hash},
    incoming::room_id_from_create,
    json::{INTEGER_MAX, Json, Numbers, parse_object, write_object, write_string},
    redact::redact_content,
    sticky::write_sticky,
};

/// The parts of an event that the server has decided upon and not yet signed.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The room; `None` only for the create event of a version 12 room.
    pub room_id: Option<OwnedRoomId>,
    /// Who sends the event.
    pub sender: OwnedUserId,
    /// The event's type.
    pub event_type: TimelineEventType,
    /// Present on state events only.
    pub state_key: Option<String>,
    /// The content: any JSON object that can be written canonically.
    pub content: Box<RawValue>,
    /// The target of a redaction, wherever the room version keeps it.
    pub redacts: Option<OwnedEventId>,
    /// How long the event sticks (MSC4354); lost on redaction.
    pub sticky_duration_ms: Option<StickyDurationMs>,
    /// The current time.
    pub origin_server_ts: MilliSecondsSinceUnixEpoch,
    /// The room's forward extremities; at most 20 (SS API § PDUs).
    pub prev_events: Vec<OwnedEventId>,
    /// What [`crate::auth_types_for`] selects from the room state.
    pub auth_events: Vec<OwnedEventId>,
    /// One more than the greatest depth among `prev_events`; capped at 2^53 - 1.
    pub depth: u64,
}

/// Hashes and signs the event and computes its ID.
///
/// In versions 1 and 2 the hashes beside each reference stay empty: receivers go by the IDs alone.
///
/// Errors: [`EventError::TooLarge`] and [`EventError::FieldTooLarge`] (CS API § Size limits),
/// [`EventError::BadJson`] for content that canonical JSON cannot hold, [`EventError::BadFormat`] for a draft that
/// could be no event of the room version.
pub fn seal(draft: Draft, rules: &RoomVersionRules, key: &SigningKey) -> Result<Pdu, EventError> {
    let event_type = draft.event_type.to_string();
    check_draft(&draft, &event_type, rules)?;
    let (content, redacted_content) = content_texts(&draft, &event_type, rules)?;
    let unprotected = Unprotected {
        redacts: draft
            .redacts
            .as_ref()
            .filter(|_| !rules.redaction.content_field_redacts),
        sticky_duration_ms: draft.sticky_duration_ms,
    };
    let mut fields = Fields {
        draft: &draft,
        event_type: &event_type,
        event_id: None,
        rules,
    };
    let mut unhashed = fields.write(&content, None, None, unprotected);
    if rules.event_id_format == EventIdFormatVersion::V1 {
        fields.event_id = Some(opaque_event_id(&unhashed, key)?);
        unhashed = fields.write(&content, None, None, unprotected);
    }
    let hash = BASE64.encode(Sha256::digest(unhashed.as_bytes()));
    let to_sign = fields.write(&redacted_content, Some(&hash), None, Unprotected::default());
    let signature = key.sign_bytes(to_sign.as_bytes());
    let json = fields.write(&content, Some(&hash), Some((key, &signature)), unprotected);
    check_size(json.len())?;

    let event_id = match fields.event_id {
        Some(event_id) => event_id,
        // Signed and reference-hashed bytes are the same: the redacted event without its signatures.
        None => {
            let id = format!("${}", reference_hash(&to_sign, rules.event_id_format));
            EventId::parse(id).map_err(|error| EventError::BadFormat(error.to_string()))?
        }
    };
    let room_id = match draft.room_id {
        Some(room_id) => room_id,
        None => RoomId::parse(room_id_from_create(&event_id))
            .map_err(|error| EventError::BadFormat(error.to_string()))?,
    };
    Pdu::from_canonical(event_id, room_id, json.into(), rules)
}

/// The canonical content, whole and redacted.
fn content_texts(
    draft: &Draft,
    event_type: &str,
    rules: &RoomVersionRules,
) -> Result<(String, String), EventError> {
    let mut content = parse_object(draft.content.get(), Numbers::of(rules))?;
    if let Some(redacts) = &draft.redacts
        && rules.redaction.content_field_redacts
    {
        content.insert("redacts".to_owned(), Json::String(redacts.to_string()));
    }
    let mut whole = String::with_capacity(draft.content.get().len());
    write_object(&mut whole, &content);
    redact_content(event_type, &mut content, &rules.redaction);
    let mut redacted = String::new();
    write_object(&mut redacted, &content);
    Ok((whole, redacted))
}

/// The ID of an event of version 1 or 2, which may be any text that is unique on our server. Two events of ours
/// never agree in all of room, predecessors, time, sender and content, so that a hash of these will do.
fn opaque_event_id(unhashed: &str, key: &SigningKey) -> Result<OwnedEventId, EventError> {
    let opaque = reference_hash(unhashed, EventIdFormatVersion::V3);
    let id = format!("${opaque}:{}", key.server_name());
    check_field("event_id", &id)?;
    EventId::parse(id).map_err(|error| EventError::BadFormat(error.to_string()))
}

fn check_draft(draft: &Draft, event_type: &str, rules: &RoomVersionRules) -> Result<(), EventError> {
    check_field("sender", draft.sender.as_str())?;
    check_field("type", event_type)?;
    check_field("state_key", draft.state_key.as_deref().unwrap_or_default())?;
    check_field(
        "room_id",
        draft.room_id.as_ref().map_or("", |room_id| room_id.as_str()),
    )?;
    let may_lack_room_id =
        draft.event_type == TimelineEventType::RoomCreate && !rules.event_format.require_room_create_room_id;
    if draft.room_id.is_none() != may_lack_room_id {
        return Err(EventError::BadFormat(
            "`room_id` must be left out of version 12 create events only".to_owned(),
        ));
    }
    if draft.prev_events.len() > PREV_EVENTS_MAX || draft.auth_events.len() > AUTH_EVENTS_MAX {
        return Err(EventError::BadFormat(
            "too many `prev_events` or `auth_events`".to_owned(),
        ));
    }
    Ok(())
}

/// What the three texts of an event (hashed, signed, stored) have in common.
struct Fields<'a> {
    draft: &'a Draft,
    event_type: &'a str,
    event_id: Option<OwnedEventId>,
    rules: &'a RoomVersionRules,
}

/// What redaction takes away at the top level of the event.
#[derive(Clone, Copy, Default)]
struct Unprotected<'a> {
    redacts: Option<&'a OwnedEventId>,
    sticky_duration_ms: Option<StickyDurationMs>,
}

impl Fields<'_> {
    /// Writes the event with its keys in canonical order.
    fn write(
        &self,
        content: &str,
        hash: Option<&str>,
        signature: Option<(&SigningKey, &str)>,
        unprotected: Unprotected<'_>,
    ) -> String {
        let draft = self.draft;
        let mut out = String::with_capacity(content.len() + 768);
        out.push_str("{\"auth_events\":");
        self.write_references(&mut out, &draft.auth_events);
        out.push_str(",\"content\":");
        out.push_str(content);
        let depth = draft.depth.min(INTEGER_MAX.unsigned_abs());
        // Writing to a string cannot fail.
        let _infallible = write!(out, ",\"depth\":{depth}");
        if let Some(event_id) = &self.event_id {
            write_field(&mut out, "event_id", event_id.as_str());
        }
        if let Some(hash) = hash {
            let _infallible = write!(out, ",\"hashes\":{{\"sha256\":\"{hash}\"}}");
        }
        if let Some(duration_ms) = unprotected.sticky_duration_ms {
            write_sticky(&mut out, duration_ms);
        }
        let _infallible = write!(out, ",\"origin_server_ts\":{}", draft.origin_server_ts.get());
        out.push_str(",\"prev_events\":");
        self.write_references(&mut out, &draft.prev_events);
        if let Some(redacts) = unprotected.redacts {
            write_field(&mut out, "redacts", redacts.as_str());
        }
        if let Some(room_id) = &draft.room_id {
            write_field(&mut out, "room_id", room_id.as_str());
        }
        write_field(&mut out, "sender", draft.sender.as_str());
        if let Some((key, signature)) = signature {
            let (server, key_id) = (key.server_name(), key.key_id());
            let _infallible = write!(
                out,
                ",\"signatures\":{{\"{server}\":{{\"{key_id}\":\"{signature}\"}}}}"
            );
        }
        if let Some(state_key) = &draft.state_key {
            write_field(&mut out, "state_key", state_key);
        }
        write_field(&mut out, "type", self.event_type);
        out.push('}');
        out
    }

    fn write_references(&self, out: &mut String, ids: &[OwnedEventId]) {
        let has_hashes = self.rules.events_reference_format == EventsReferenceFormatVersion::V1;
        out.push('[');
        for (index, id) in ids.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            if has_hashes {
                out.push('[');
                write_string(out, id.as_str());
                out.push_str(",{}]");
            } else {
                write_string(out, id.as_str());
            }
        }
        out.push(']');
    }
}

fn write_field(out: &mut String, key: &str, value: &str) {
    out.push_str(",\"");
    out.push_str(key);
    out.push_str("\":");
    write_string(out, value);
}

#[cfg(test)]
mod tests;
