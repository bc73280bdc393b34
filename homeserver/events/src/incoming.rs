//! A foreign event on its way in: format, signatures, hash (SS API § Checks performed on receipt of a PDU,
//! steps 1 to 3).

use std::collections::BTreeSet;

use base64::Engine as _;
use ed25519_dalek::{Signature, VerifyingKey};
use ruma::{
    EventId, MilliSecondsSinceUnixEpoch, OwnedEventId, OwnedRoomId, OwnedServerName, RoomId, ServerName,
    UInt, UserId,
    room_version_rules::{EventIdFormatVersion, RoomVersionRules},
    signatures::PublicKeyMap,
};

use crate::{
    EventError, PDU_BYTES_MAX, Pdu, format,
    hash::{BASE64, content_hash, reference_hash},
    json::{Json, Numbers, Object, parse_object, write_object, write_object_without},
    redact::redact,
};

/// The longest text that is parsed at all: escapes can make a legal event six times as long, and `unsigned` is
/// dropped before the event is measured.
const TEXT_BYTES_MAX: usize = 8 * PDU_BYTES_MAX;

/// A foreign event whose size, format and content hash have been looked at; nothing else is known about it.
///
/// `parse`, then fetch the keys of [`required_servers`](Self::required_servers), then `verify`, then `into_pdu`.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// The event, or its redacted copy if its content hash is wrong: whatever is done next is done with that.
    event: Object,
    is_intact: bool,
    /// What is signed: the redacted event without its signatures, canonical.
    signed_text: String,
    event_id: OwnedEventId,
    room_id: OwnedRoomId,
}

impl Incoming {
    /// Parses the event, drops `unsigned` (which nobody vouches for), checks size, lengths and format, and redacts
    /// the event if its content hash is wrong.
    pub fn parse(json: &str, rules: &RoomVersionRules) -> Result<Self, EventError> {
        if json.len() > TEXT_BYTES_MAX {
            return Err(EventError::TooLarge { bytes: json.len() });
        }
        let mut event = parse_object(json, Numbers::of(rules))?;
        event.remove("unsigned");
        format::check(&event, rules)?;
        let is_intact = has_right_hash(&event);
        let mut redacted = event.clone();
        redact(&mut redacted, &rules.redaction);
        let mut signed_text = String::with_capacity(1024);
        write_object_without(&mut signed_text, &redacted, &["signatures", "unsigned"]);
        let event_id = event_id_of(&event, &signed_text, rules)?;
        let room_id = room_id_of(&event, &event_id)?;
        let event = if is_intact { event } else { redacted };
        Ok(Self {
            event,
            is_intact,
            signed_text,
            event_id,
            room_id,
        })
    }

    /// Whether the content hash was right; if not, the event has been redacted.
    pub fn is_intact(&self) -> bool {
        self.is_intact
    }

    /// The event's ID.
    pub fn event_id(&self) -> &EventId {
        &self.event_id
    }

    /// The event's room.
    pub fn room_id(&self) -> &RoomId {
        &self.room_id
    }

    /// Who says that they sent the event.
    pub fn sender(&self) -> Option<&UserId> {
        self.event
            .get("sender")
            .and_then(Json::as_str)
            .and_then(|sender| sender.try_into().ok())
    }

    /// When the origin says that it made the event: from room version 5 on its signing keys must be valid then.
    pub fn origin_server_ts(&self) -> MilliSecondsSinceUnixEpoch {
        let millis = self
            .event
            .get("origin_server_ts")
            .and_then(Json::as_i64)
            .unwrap_or(0);
        MilliSecondsSinceUnixEpoch(UInt::try_from(millis).unwrap_or_default())
    }

    /// The servers whose signature the event needs (SS API § Validating hashes and signatures on received events):
    /// the sender's, unless the event is an invite by a third-party invite; in versions 1 and 2 the one that the
    /// event ID names; from version 8 on the one that let a member into a restricted room.
    ///
    /// Errors: [`EventError::BadFormat`] if the event says that a member was let in and not by whom.
    pub fn required_servers(
        &self,
        rules: &RoomVersionRules,
    ) -> Result<BTreeSet<OwnedServerName>, EventError> {
        let is =
            |object: &Object, key: &str, text: &str| object.get(key).and_then(Json::as_str) == Some(text);
        let empty = Object::new();
        let content = self
            .event
            .get("content")
            .and_then(Json::as_object)
            .unwrap_or(&empty);
        let is_member = is(&self.event, "type", "m.room.member");
        // Only what the authorisation rules will take for one may go without its sender's signature: not a `null`,
        // and not what lost its `third_party_invite` to redaction.
        let is_third_party_invite = is_member
            && is(content, "membership", "invite")
            && content
                .get("third_party_invite")
                .is_some_and(|invite| invite.as_object().is_some());

        let mut servers = BTreeSet::new();
        if !is_third_party_invite {
            servers.extend(self.sender().map(|sender| sender.server_name().to_owned()));
        }
        if rules.signatures.check_event_id_server {
            servers.extend(self.event_id.server_name().map(ToOwned::to_owned));
        }
        if is_member
            && rules.signatures.check_join_authorised_via_users_server
            && let Some(authorising_user) = content.get("join_authorised_via_users_server")
        {
            let user = authorising_user
                .as_str()
                .and_then(|user| <&UserId>::try_from(user).ok());
            let user = user.ok_or_else(|| {
                EventError::BadFormat("`join_authorised_via_users_server` is not a user ID".to_owned())
            })?;
            servers.insert(user.server_name().to_owned());
        }
        Ok(servers)
    }

    /// The IDs of the keys with which this server says that it signed the event.
    pub fn key_ids_of(&self, server: &ServerName) -> impl Iterator<Item = &str> {
        let signatures = self.event.get("signatures").and_then(Json::as_object);
        let signatures = signatures
            .and_then(|by_server| by_server.get(server.as_str()))
            .and_then(Json::as_object);
        signatures
            .into_iter()
            .flatten()
            .map(|(key_id, _)| key_id.as_str())
    }

    /// Checks that each required server signed the event with at least one of the given keys.
    ///
    /// Signatures of keys that are not given are ignored; a wrong one of a given key fails the event.
    pub fn verify(&self, keys: &PublicKeyMap, rules: &RoomVersionRules) -> Result<(), EventError> {
        self.required_servers(rules)?
            .iter()
            .try_for_each(|server| self.verify_signed_by(server, keys))
    }

    /// Checks that this server signed the event with at least one of the given keys, as [`Incoming::verify`] does.
    pub fn verify_signed_by(&self, server: &ServerName, keys: &PublicKeyMap) -> Result<(), EventError> {
        let fail = |what: &str| EventError::Signature(format!("{what} of {server} on {}", self.event_id));
        let signatures = self.event.get("signatures").and_then(Json::as_object);
        let signatures = signatures
            .and_then(|by_server| by_server.get(server.as_str()))
            .and_then(Json::as_object)
            .ok_or_else(|| fail("no signature"))?;
        let known = keys.get(server.as_str());
        let mut is_signed = false;
        for (key_id, signature) in signatures
            .iter()
            .filter(|(key_id, _)| key_id.starts_with("ed25519:"))
        {
            let Some(public_key) = known.and_then(|known| known.get(key_id)) else {
                continue;
            };
            let public_key = <[u8; 32]>::try_from(public_key.as_bytes())
                .ok()
                .and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok())
                .ok_or_else(|| fail("unusable public key"))?;
            let signature = signature
                .as_str()
                .and_then(|text| BASE64.decode(text).ok())
                .and_then(|bytes| Signature::from_slice(&bytes).ok())
                .ok_or_else(|| fail("malformed signature"))?;
            ed25519_dalek::Verifier::verify(&public_key, self.signed_text.as_bytes(), &signature)
                .map_err(|_| fail("wrong signature"))?;
            is_signed = true;
        }
        if is_signed {
            Ok(())
        } else {
            Err(fail("no signature by a known key"))
        }
    }

    /// The event, or its redacted copy (SS API § Validating hashes and signatures on received events).
    pub fn into_pdu(self, rules: &RoomVersionRules) -> Result<Pdu, EventError> {
        let mut json = String::with_capacity(1024);
        write_object(&mut json, &self.event);
        Pdu::from_canonical(self.event_id, self.room_id, json.into(), rules)
    }
}

fn has_right_hash(event: &Object) -> bool {
    let claimed = event
        .get("hashes")
        .and_then(Json::as_object)
        .and_then(|hashes| hashes.get("sha256"));
    let claimed = claimed
        .and_then(Json::as_str)
        .and_then(|hash| BASE64.decode(hash).ok());
    claimed.is_some_and(|claimed| claimed == content_hash(event))
}

/// The event's ID: written in versions 1 and 2, computed in all later ones.
fn event_id_of(
    event: &Object,
    signed_text: &str,
    rules: &RoomVersionRules,
) -> Result<OwnedEventId, EventError> {
    let id = match rules.event_id_format {
        EventIdFormatVersion::V1 => event
            .get("event_id")
            .and_then(Json::as_str)
            .unwrap_or_default()
            .to_owned(),
        format => format!("${}", reference_hash(signed_text, format)),
    };
    EventId::parse(&id).map_err(|error| EventError::BadFormat(format!("event ID {id:?}: {error}")))
}

/// The event's room ID: written, except in the create event of version 12, whose ID it shares.
fn room_id_of(event: &Object, event_id: &EventId) -> Result<OwnedRoomId, EventError> {
    let id = match event.get("room_id").and_then(Json::as_str) {
        Some(id) => id.to_owned(),
        None => room_id_from_create(event_id),
    };
    RoomId::parse(&id).map_err(|error| EventError::BadFormat(format!("room ID {id:?}: {error}")))
}

/// The room ID that a version 12 create event gives its room: its own ID with the sigil `!`.
pub(crate) fn room_id_from_create(event_id: &EventId) -> String {
    format!("!{}", event_id.as_str().trim_start_matches('$'))
}

#[cfg(test)]
mod tests;
