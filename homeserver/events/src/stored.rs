//! Reading the fields of a canonical PDU without building a tree of it.

use std::{borrow::Cow, fmt};

use ruma::{
    EventId, MilliSecondsSinceUnixEpoch, OwnedEventId, OwnedUserId, events::sticky::StickyDurationMs,
    room_version_rules::RoomVersionRules,
};
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::sticky::read_sticky;

/// The fields of any room version's PDU that the server works with.
#[derive(Deserialize)]
pub(crate) struct StoredPdu<'a> {
    pub(crate) room_id: Option<IgnoredAny>,
    pub(crate) sender: OwnedUserId,
    #[serde(rename = "type", borrow)]
    pub(crate) type_name: Cow<'a, str>,
    pub(crate) state_key: Option<String>,
    #[serde(borrow)]
    pub(crate) content: &'a RawValue,
    pub(crate) origin_server_ts: MilliSecondsSinceUnixEpoch,
    pub(crate) prev_events: References,
    pub(crate) auth_events: References,
    pub(crate) depth: Depth,
    #[serde(borrow)]
    redacts: Option<&'a RawValue>,
    #[serde(borrow, rename = "msc4354_sticky")]
    sticky: Option<&'a RawValue>,
}

impl StoredPdu<'_> {
    /// How long the event sticks, if it says so in the way that it must.
    pub(crate) fn sticky_duration_ms(&self) -> Option<StickyDurationMs> {
        self.sticky.and_then(read_sticky)
    }

    /// The target of a redaction: up to version 10 at the top level, later in the content. `None` for other types
    /// and for what is not an event ID.
    pub(crate) fn redacts(&self, rules: &RoomVersionRules) -> Option<OwnedEventId> {
        #[derive(Deserialize)]
        struct RedactionContent<'a> {
            #[serde(borrow)]
            redacts: Option<&'a RawValue>,
        }
        if self.type_name != "m.room.redaction" {
            return None;
        }
        let raw = if rules.redaction.content_field_redacts {
            serde_json::from_str::<RedactionContent<'_>>(self.content.get())
                .ok()?
                .redacts?
        } else {
            self.redacts?
        };
        let text: Cow<'_, str> = serde_json::from_str(raw.get()).ok()?;
        EventId::parse(text).ok()
    }
}

/// `prev_events` or `auth_events`: IDs, or in versions 1 and 2 pairs of an ID and its hashes.
#[derive(Default)]
pub(crate) struct References(pub(crate) Vec<OwnedEventId>);

impl<'de> Deserialize<'de> for References {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let references: Vec<Reference> = Vec::deserialize(deserializer)?;
        Ok(Self(
            references.into_iter().map(|reference| reference.0).collect(),
        ))
    }
}

struct Reference(OwnedEventId);

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ReferenceVisitor)
    }
}

struct ReferenceVisitor;

impl<'de> Visitor<'de> for ReferenceVisitor {
    type Value = Reference;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an event ID, or a pair of an event ID and its hashes")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Reference, E> {
        EventId::parse(text).map(Reference).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut pair: A) -> Result<Reference, A::Error> {
        let id: OwnedEventId = pair
            .next_element()?
            .ok_or_else(|| A::Error::custom("an empty reference"))?;
        while pair.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Reference(id))
    }
}

/// A depth of any size, clamped to what 64 bits hold.
pub(crate) struct Depth(pub(crate) u64);

impl<'de> Deserialize<'de> for Depth {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DepthVisitor)
    }
}

struct DepthVisitor;

impl Visitor<'_> for DepthVisitor {
    type Value = Depth;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number")
    }

    fn visit_u64<E>(self, number: u64) -> Result<Depth, E> {
        Ok(Depth(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Depth, E> {
        Ok(Depth(u64::try_from(number).unwrap_or(0)))
    }

    /// Integers beyond 64 bits arrive as floats.
    fn visit_f64<E>(self, number: f64) -> Result<Depth, E> {
        Ok(Depth(if number > 0.0 { u64::MAX } else { 0 }))
    }
}
