//! Matrix events: their forms, hashes, signatures, authorisation rules and state resolution, for room versions 1
//! to 12. Pure: no I/O, no clock, no async.

#[cfg(test)]
mod testing;
mod version;

mod error;
mod json;

mod hash;
mod key;
mod redact;

mod client_form;
mod cosign;
mod countersign;
mod format;
mod incoming;
mod pdu;
mod seal;
mod sticky;
mod stored;

mod auth;
mod power;
mod resolve;

pub use auth::{AuthRefusal, Verdict, auth_types_for, authorise, check_auth_events, creators_of, judge};
pub use error::EventError;
pub use incoming::Incoming;
pub use json::canonical_json;
pub use key::SigningKey;
pub use pdu::Pdu;
pub use power::{Level, PowerLevels};
pub use resolve::{
    EventIdSet, StateMap, auth_chain, auth_difference, conflicted_subgraph, resolve, resolve_reduced,
};
pub use seal::{Draft, seal};
pub use version::{DEFAULT_ROOM_VERSION, RoomVersionRules, rules_for, supported_versions};

/// The most bytes that a canonical PDU may have, signatures included (CS API § Size limits).
pub const PDU_BYTES_MAX: usize = 65_536;

/// The most bytes that a sender, type, state key, room ID or event ID may have (CS API § Size limits).
pub const FIELD_BYTES_MAX: usize = 255;
