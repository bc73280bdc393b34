//! The two hashes of an event (SS API § Calculating the content hash, § Calculating the reference hash).

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose},
};
use ruma::room_version_rules::EventIdFormatVersion;
use sha2::{Digest, Sha256};

use crate::json::{Object, write_object_without};

/// Standard base64 without padding when writing; with or without when reading (appendices § Unpadded Base64).
pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// SHA-256 of the whole event without `unsigned`, `signatures` and `hashes`.
pub(crate) fn content_hash(event: &Object) -> [u8; 32] {
    let mut text = String::with_capacity(1024);
    write_object_without(&mut text, event, &["unsigned", "signatures", "hashes"]);
    Sha256::digest(text.as_bytes()).into()
}

/// SHA-256 of an already redacted event without `unsigned` and `signatures`, in the alphabet of its event IDs.
pub(crate) fn reference_hash(redacted: &Object, format: EventIdFormatVersion) -> String {
    let mut text = String::with_capacity(1024);
    write_object_without(&mut text, redacted, &["unsigned", "signatures"]);
    encode_reference_hash(text.as_bytes(), format)
}

/// The reference hash over the canonical bytes of the redacted event.
pub(crate) fn encode_reference_hash(canonical: &[u8], format: EventIdFormatVersion) -> String {
    let hash = Sha256::digest(canonical);
    match format {
        EventIdFormatVersion::V1 | EventIdFormatVersion::V2 => BASE64.encode(hash),
        EventIdFormatVersion::V3 => general_purpose::URL_SAFE_NO_PAD.encode(hash),
    }
}
