//! An event, parsed once and shared.

use std::sync::OnceLock;

use ruma::{
    MilliSecondsSinceUnixEpoch, OwnedEventId, OwnedRoomId, OwnedUserId, RoomId, UserId,
    events::{StateEventType, TimelineEventType, sticky::StickyDurationMs},
    room_version_rules::RoomVersionRules,
    signatures::PublicKeyMap,
    state_res,
};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::{
    EventError, Incoming, client_form,
    json::{Numbers, parse_object, write_object},
    power,
    redact::redact,
    stored::StoredPdu,
};

/// A persistent data unit: an event as servers exchange it, with the ID that names it.
///
/// Immutable and meant to be shared as `Arc<Pdu>`: the text that goes to clients is made once and kept.
#[derive(Debug, Clone)]
pub struct Pdu {
    /// The event's ID. In rooms of version 3 and up it is computed and not part of the JSON.
    pub event_id: OwnedEventId,
    /// The event's room. For the create event of a version 12 room it is derived from the event ID.
    pub room_id: OwnedRoomId,
    /// Who sent the event.
    pub sender: OwnedUserId,
    /// The event's type, for matching. What it is called in the JSON is [`Pdu::type_name`]: the enumeration takes
    /// unstable names of some types for their stable ones.
    pub event_type: TimelineEventType,
    /// Present on state events only.
    pub state_key: Option<String>,
    /// The content, canonical.
    pub content: Box<RawValue>,
    /// When the origin says that it made the event; not to be trusted.
    pub origin_server_ts: MilliSecondsSinceUnixEpoch,
    /// The forward extremities that the event was built upon.
    pub prev_events: Vec<OwnedEventId>,
    /// The state events that authorise the event.
    pub auth_events: Vec<OwnedEventId>,
    /// One more than the greatest depth among `prev_events`, as the origin says; out of range values are clamped.
    pub depth: u64,
    /// What a redaction event redacts, from where the room version keeps it.
    pub redacts: Option<OwnedEventId>,
    /// How long the event sticks from when it was made or received, an hour at most (MSC4354); `None` for most events.
    pub sticky_duration_ms: Option<StickyDurationMs>,
    /// Whether the event failed the authorisation rules; such an event never enters room state.
    pub rejected: bool,
    json: Box<str>,
    type_name: Box<str>,
    /// Whether the room ID is written in the JSON, as in every event but the create event of version 12.
    has_room_id: bool,
    /// Power levels of versions 1 to 5 with their floats truncated, for the authorisation rules.
    integer_levels: Option<Box<RawValue>>,
    client_json_open: OnceLock<Box<str>>,
}

impl Pdu {
    /// An event read back from the database: canonical, checked when it was stored, and now trusted.
    ///
    /// Errors: [`EventError::BadFormat`] if it is not what this crate writes.
    pub fn from_stored(
        event_id: OwnedEventId,
        room_id: OwnedRoomId,
        json: &str,
        rules: &RoomVersionRules,
    ) -> Result<Self, EventError> {
        Self::from_canonical(event_id, room_id, json.into(), rules)
    }

    /// A foreign event: checks size, field lengths and format, computes its ID, compares its content hash.
    ///
    /// On a hash mismatch the result is the redacted copy (SS API § Validating hashes and signatures on received
    /// events). Signatures are *not* checked: see [`Incoming`], which does both without parsing twice.
    pub fn receive(json: &str, rules: &RoomVersionRules) -> Result<Self, EventError> {
        Incoming::parse(json, rules)?.into_pdu(rules)
    }

    /// Checks the signatures that the room version requires of a foreign event. Keys are looked up by server and
    /// key ID; the caller offers only those valid at the event's time (rooms § Signing key validity period).
    ///
    /// Errors: [`EventError::Signature`], naming the server.
    pub fn verify_signatures(
        json: &str,
        keys: &PublicKeyMap,
        rules: &RoomVersionRules,
    ) -> Result<(), EventError> {
        Incoming::parse(json, rules)?.verify(keys, rules)
    }

    /// The event from its canonical JSON, whose format is known to be right.
    pub(crate) fn from_canonical(
        event_id: OwnedEventId,
        room_id: OwnedRoomId,
        json: Box<str>,
        rules: &RoomVersionRules,
    ) -> Result<Self, EventError> {
        let stored: StoredPdu<'_> =
            serde_json::from_str(&json).map_err(|error| EventError::BadFormat(error.to_string()))?;
        let redacts = stored.redacts(rules);
        let sticky_duration_ms = stored.sticky_duration_ms();
        let event_type = TimelineEventType::from(&*stored.type_name);
        let integer_levels = power::without_floats(&event_type, stored.content, rules);
        Ok(Self {
            event_id,
            room_id,
            sender: stored.sender,
            state_key: stored.state_key,
            content: stored.content.to_owned(),
            origin_server_ts: stored.origin_server_ts,
            prev_events: stored.prev_events.0,
            auth_events: stored.auth_events.0,
            depth: stored.depth.0,
            redacts,
            sticky_duration_ms,
            rejected: false,
            has_room_id: stored.room_id.is_some(),
            integer_levels,
            event_type,
            type_name: stored.type_name.into(),
            json,
            client_json_open: OnceLock::new(),
        })
    }

    /// The same event, marked as rejected or not.
    #[must_use]
    pub fn with_rejected(mut self, rejected: bool) -> Self {
        self.rejected = rejected;
        self
    }

    /// The canonical PDU, as stored and as sent to other servers: without `unsigned`, and from room version 3 on
    /// without `event_id`.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// The event's type exactly as its sender wrote it.
    pub fn type_name(&self) -> &str {
        &self.type_name
    }

    /// The content, as a type of the caller's choice.
    pub fn content_as<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.content.get())
    }

    /// The event as its room version's redaction algorithm leaves it. The ID stays.
    pub fn redacted(&self, rules: &RoomVersionRules) -> Result<Self, EventError> {
        let mut event = parse_object(&self.json, Numbers::Lenient)?;
        redact(&mut event, &rules.redaction);
        let mut json = String::with_capacity(self.json.len());
        write_object(&mut json, &event);
        let pdu = Self::from_canonical(self.event_id.clone(), self.room_id.clone(), json.into(), rules)?;
        Ok(pdu.with_rejected(self.rejected))
    }

    /// Whether the event has a state key.
    pub fn is_state(&self) -> bool {
        self.state_key.is_some()
    }

    /// The event's place in the room state; `None` for message events.
    pub fn state_key_pair(&self) -> Option<(StateEventType, &str)> {
        let state_key = self.state_key.as_deref()?;
        Some((StateEventType::from(self.type_name()), state_key))
    }

    /// Whether this is the state event of this type with an empty state key.
    pub fn is_state_of(&self, event_type: &TimelineEventType) -> bool {
        self.event_type == *event_type && self.state_key.as_deref() == Some("")
    }

    /// The event as clients get it (CS API § Room event format), without `unsigned` and without the closing brace,
    /// so that a reader appends either `}` or `,"unsigned":{…}}`. Made on first use and shared afterwards.
    ///
    /// Redactions name their target both in `redacts` and in `content.redacts`, for clients of either age
    /// (room version 11 § Moving the `redacts` property).
    pub fn client_json_open(&self) -> &str {
        self.client_json_open
            .get_or_init(|| client_form::open(self).into())
    }

    /// The event as clients get it, with `unsigned` if any is given (a JSON object as text).
    pub fn client_json(&self, unsigned: Option<&str>) -> String {
        client_form::close(self.client_json_open(), unsigned)
    }

    /// The event as an invited or knocking user may see it (CS API § Stripped state): `type`, `state_key`, `sender`
    /// and `content` only.
    pub fn stripped_json(&self) -> String {
        client_form::stripped(self)
    }
}

/// The view that the authorisation rules and state resolution have of an event.
impl state_res::Event for Pdu {
    type Id = OwnedEventId;

    fn event_id(&self) -> &Self::Id {
        &self.event_id
    }

    /// `None` where the JSON holds none, because rule 1.2 of version 12 depends on it.
    fn room_id(&self) -> Option<&RoomId> {
        self.has_room_id.then_some(&*self.room_id)
    }

    fn sender(&self) -> &UserId {
        &self.sender
    }

    fn origin_server_ts(&self) -> MilliSecondsSinceUnixEpoch {
        self.origin_server_ts
    }

    fn event_type(&self) -> &TimelineEventType {
        &self.event_type
    }

    fn content(&self) -> &RawValue {
        self.integer_levels.as_deref().unwrap_or(&self.content)
    }

    fn state_key(&self) -> Option<&str> {
        self.state_key.as_deref()
    }

    fn prev_events(&self) -> Box<dyn DoubleEndedIterator<Item = &Self::Id> + '_> {
        Box::new(self.prev_events.iter())
    }

    fn auth_events(&self) -> Box<dyn DoubleEndedIterator<Item = &Self::Id> + '_> {
        Box::new(self.auth_events.iter())
    }

    fn redacts(&self) -> Option<&Self::Id> {
        self.redacts.as_ref()
    }

    fn rejected(&self) -> bool {
        self.rejected
    }
}
