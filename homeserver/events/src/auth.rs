//! The authorisation rules (rooms § Authorisation rules of each version).

use std::{fmt, sync::Arc};

use ruma::{
    EventId, OwnedUserId, UserId,
    events::{StateEventType, TimelineEventType},
    room_version_rules::RoomVersionRules,
    state_res,
};
use serde_json::value::RawValue;

use crate::{EventError, Pdu, incoming::room_id_from_create, version::rules_for};

/// Why the rules do not allow an event, in words for a log or an `error` field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct AuthRefusal {
    reason: String,
}

impl AuthRefusal {
    /// The rule that was broken.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl From<String> for AuthRefusal {
    fn from(reason: String) -> Self {
        Self { reason }
    }
}

/// How far an event may travel (SS API § Checks performed on receipt of a PDU, steps 4 to 6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The event is part of the room.
    Accepted,
    /// The event is kept, but neither shown nor built upon: the room's current state does not allow it.
    SoftFailed(AuthRefusal),
    /// The event never enters room state: the state before it does not allow it.
    Rejected(AuthRefusal),
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted => formatter.write_str("accepted"),
            Self::SoftFailed(refusal) => write!(formatter, "soft-failed: {refusal}"),
            Self::Rejected(refusal) => write!(formatter, "rejected: {refusal}"),
        }
    }
}

/// The state keys whose events belong into the `auth_events` of an event (SS API § Auth events selection).
///
/// Errors: [`EventError::BadFormat`] if a member event's content does not tell.
pub fn auth_types_for(
    event_type: &TimelineEventType,
    sender: &UserId,
    state_key: Option<&str>,
    content: &RawValue,
    rules: &RoomVersionRules,
) -> Result<Vec<(StateEventType, String)>, EventError> {
    state_res::auth_types_for_event(event_type, sender, state_key, content, &rules.authorization)
        .map_err(EventError::BadFormat)
}

/// The room's creators, from its create event: before version 11 `content.creator`, then the sender, from version
/// 12 on with `additional_creators`. Sorted; empty if an old create event names none.
pub fn creators_of(create: &Pdu, rules: &RoomVersionRules) -> Vec<OwnedUserId> {
    let create = state_res::events::RoomCreateEvent::new(create);
    let mut creators = Vec::from_iter(create.creators(&rules.authorization).unwrap_or_default());
    creators.sort();
    creators
}

/// Whether a room in the given state allows the event: all rules but those on the list of `auth_events`.
///
/// For a member event that `join_authorised_via_users_server` lets in, signatures must have been checked before.
pub fn authorise(
    pdu: &Pdu,
    rules: &RoomVersionRules,
    state: impl Fn(&StateEventType, &str) -> Option<Arc<Pdu>>,
) -> Result<(), AuthRefusal> {
    if pdu.event_type == TimelineEventType::RoomCreate {
        return authorise_create(pdu, rules);
    }
    state_res::check_state_dependent_auth_rules(&rules.authorization, pdu, state).map_err(AuthRefusal::from)
}

/// Whether the event's list of `auth_events` is right: no duplicates, none too many, none rejected, none of another
/// room, and (up to version 11) the create event among them; from version 12 on, the room's create event accepted.
pub fn check_auth_events(
    pdu: &Pdu,
    rules: &RoomVersionRules,
    fetch: impl Fn(&EventId) -> Option<Arc<Pdu>>,
) -> Result<(), AuthRefusal> {
    if pdu.event_type == TimelineEventType::RoomCreate {
        return authorise_create(pdu, rules);
    }
    state_res::check_state_independent_auth_rules(&rules.authorization, pdu, &fetch)?;
    if rules.authorization.room_create_event_id_as_room_id {
        check_room_is_named_after_its_create_event(pdu, fetch)?;
    }
    Ok(())
}

/// Decides how far a received event may travel, once its list of `auth_events` has passed [`check_auth_events`].
///
/// `by_auth_events` is the state that these events make up, `before` the state before the event, `current` the
/// room's current state.
pub fn judge(
    pdu: &Pdu,
    rules: &RoomVersionRules,
    by_auth_events: impl Fn(&StateEventType, &str) -> Option<Arc<Pdu>>,
    before: impl Fn(&StateEventType, &str) -> Option<Arc<Pdu>>,
    current: impl Fn(&StateEventType, &str) -> Option<Arc<Pdu>>,
) -> Verdict {
    match authorise(pdu, rules, by_auth_events).and_then(|()| authorise(pdu, rules, before)) {
        Err(refusal) => Verdict::Rejected(refusal),
        Ok(()) => match authorise(pdu, rules, current) {
            Err(refusal) => Verdict::SoftFailed(refusal),
            Ok(()) => Verdict::Accepted,
        },
    }
}

/// Rule 1, with the part on `content.room_version` that is about more than one version.
fn authorise_create(pdu: &Pdu, rules: &RoomVersionRules) -> Result<(), AuthRefusal> {
    let create = state_res::events::RoomCreateEvent::new(pdu);
    let version = create.room_version()?;
    if rules_for(&version).is_none() {
        return Err(AuthRefusal {
            reason: format!("room version {version:?} is not recognised"),
        });
    }
    let no_events = |_: &EventId| None::<Arc<Pdu>>;
    state_res::check_state_independent_auth_rules(&rules.authorization, pdu, no_events)
        .map_err(AuthRefusal::from)
}

/// Rule 2 of version 12: the room ID must come from a *create* event, and not from just any event of the sender's.
fn check_room_is_named_after_its_create_event(
    pdu: &Pdu,
    fetch: impl Fn(&EventId) -> Option<Arc<Pdu>>,
) -> Result<(), AuthRefusal> {
    let create_id = format!("${}", pdu.room_id.as_str().trim_start_matches('!'));
    let create = EventId::parse(create_id).ok().and_then(|id| fetch(&id));
    let is_create = create.is_some_and(|create| {
        create.event_type == TimelineEventType::RoomCreate
            && room_id_from_create(&create.event_id) == pdu.room_id
    });
    if is_create {
        Ok(())
    } else {
        Err(AuthRefusal {
            reason: "the room ID is not that of a create event".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests;
