//! Adding a signature to an event of another server (SS API § Restricted rooms, § Inviting to a room).

use std::collections::BTreeMap;

use ruma::{ServerName, room_version_rules::RoomVersionRules};

use crate::{
    EventError, Pdu, SigningKey,
    format::check_size,
    json::{Json, Numbers, Object, parse_object, write_object, write_object_without},
    redact::redact,
};

impl Pdu {
    /// The same event with a signature of ours beside those that it has. Everything else, its ID included, stays.
    ///
    /// Errors: [`EventError::TooLarge`] if there is no room for it.
    pub fn cosigned(&self, key: &SigningKey, rules: &RoomVersionRules) -> Result<Self, EventError> {
        let event = parse_object(self.json(), Numbers::Lenient)?;
        let mut redacted = event.clone();
        redact(&mut redacted, &rules.redaction);
        let mut to_sign = String::with_capacity(1024);
        write_object_without(&mut to_sign, &redacted, &["signatures", "unsigned"]);
        let signature = Json::String(key.sign_bytes(to_sign.as_bytes()));
        let ours = Object::from_iter([(key.key_id().to_string(), signature)]);
        self.with_signatures(event, key.server_name(), ours, rules)
    }

    /// The same event with what `copy`, another copy of it, has of this server's signatures; unchecked.
    ///
    /// Errors: [`EventError::Signature`] if it has none, [`EventError::BadJson`], [`EventError::TooLarge`].
    pub fn with_signatures_of(
        &self,
        server: &ServerName,
        copy: &str,
        rules: &RoomVersionRules,
    ) -> Result<Self, EventError> {
        let mut copy = parse_object(copy, Numbers::Lenient)?;
        let theirs = match copy.remove("signatures") {
            Some(Json::Object(mut signatures)) => signatures.remove(server.as_str()),
            _ => None,
        };
        let Some(Json::Object(theirs)) = theirs else {
            return Err(EventError::Signature(format!(
                "no signature of {server} on {}",
                self.event_id
            )));
        };
        let event = parse_object(self.json(), Numbers::Lenient)?;
        self.with_signatures(event, server, theirs, rules)
    }

    /// The same event with more signatures of a server beside those that it has.
    pub(crate) fn with_signatures(
        &self,
        mut event: Object,
        server: &ServerName,
        added: BTreeMap<String, Json>,
        rules: &RoomVersionRules,
    ) -> Result<Self, EventError> {
        let mut signatures = match event.remove("signatures") {
            Some(Json::Object(signatures)) => signatures,
            _ => Object::new(),
        };
        let mut of_server = match signatures.remove(server.as_str()) {
            Some(Json::Object(of_server)) => of_server,
            _ => Object::new(),
        };
        of_server.extend(added);
        signatures.insert(server.to_string(), Json::Object(of_server));
        event.insert("signatures".to_owned(), Json::Object(signatures));
        let mut json = String::with_capacity(self.json().len().saturating_add(192));
        write_object(&mut json, &event);
        check_size(json.len())?;
        let pdu = Self::from_canonical(self.event_id.clone(), self.room_id.clone(), json.into(), rules)?;
        Ok(pdu.with_rejected(self.rejected))
    }
}

#[cfg(test)]
mod tests;
