//! What can be wrong with an event or a key.

use ruma::OwnedEventId;

/// Why an event could not be read, built, verified or resolved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// `M_TOO_LARGE`: the canonical PDU is over the limit (CS API § Size limits).
    #[error("event of {bytes} bytes is over the limit of {limit}", limit = crate::PDU_BYTES_MAX)]
    TooLarge {
        /// The size of the canonical PDU.
        bytes: usize,
    },
    /// `M_TOO_LARGE`: one of the identifying fields is over 255 bytes (CS API § Size limits).
    #[error("`{field}` of {bytes} bytes is over the limit of {limit}", limit = crate::FIELD_BYTES_MAX)]
    FieldTooLarge {
        /// The name of the field.
        field: &'static str,
        /// Its size.
        bytes: usize,
    },
    /// `M_BAD_JSON`: not JSON, or not canonical JSON where the room version wants it.
    #[error("bad JSON: {0}")]
    BadJson(String),
    /// JSON, but not an event of this room version.
    #[error("bad event format: {0}")]
    BadFormat(String),
    /// A required signature is missing or wrong.
    #[error("bad signature: {0}")]
    Signature(String),
    /// A signing key that cannot be read.
    #[error("bad signing key: {0}")]
    BadKey(String),
    /// State resolution met an event that the caller could not provide.
    #[error("event {0} is needed to resolve the room's state and is missing")]
    MissingEvent(OwnedEventId),
    /// State resolution failed on the events given.
    #[error("state resolution failed: {0}")]
    Resolution(String),
}
