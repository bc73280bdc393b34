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

/// SHA-256 of what is signed (the redacted event without `unsigned` and `signatures`), in the alphabet of the event
/// IDs.
pub(crate) fn reference_hash(signed_text: &str, format: EventIdFormatVersion) -> String {
    let hash = Sha256::digest(signed_text.as_bytes());
    match format {
        EventIdFormatVersion::V1 | EventIdFormatVersion::V2 => BASE64.encode(hash),
        EventIdFormatVersion::V3 => general_purpose::URL_SAFE_NO_PAD.encode(hash),
    }
}

/// The cryptographic test vectors (appendices § Cryptographic Test Vectors).
#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use ruma::{ServerName, signatures};

    use super::*;
    use crate::{
        Incoming, Pdu, SigningKey,
        json::{Json, Numbers, parse_object},
        redact::redact,
        testing::rules,
    };

    fn published_key() -> SigningKey {
        let domain = <&ServerName>::try_from("domain").unwrap();
        SigningKey::from_file_text(domain, "ed25519 1 YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1").unwrap()
    }

    fn sign_json(text: &str) -> String {
        let mut object = serde_json::from_str(text).unwrap();
        signatures::sign_json("domain", &published_key(), &mut object).unwrap();
        serde_json::to_string(&object).unwrap()
    }

    #[test]
    fn json_is_signed_as_published() {
        assert_eq!(
            sign_json("{}"),
            r#"{"signatures":{"domain":{"ed25519:1":"K8280/U9SSy9IVtjBuVeLr+HpOB4BQFWbg+UZaADMtTdGYI7Geitb76LTrr5QV/7Xg4ahLwYGYZzuHGZKM5ZAQ"}}}"#
        );
        assert_eq!(
            sign_json(r#"{"one":1,"two":"Two"}"#),
            r#"{"one":1,"signatures":{"domain":{"ed25519:1":"KqmLSbO39/Bzb0QIYE82zqLwsA+PDzYIpIRA2sRQ4sL53+sN6/fpNSoqE7BP7vBZhG6kYdD13EIMJpvhJI+6Bw"}},"two":"Two"}"#
        );
    }

    /// Hash and signature of an event that has neither yet.
    fn hash_and_sign(text: &str) -> (String, String) {
        let mut event = parse_object(text, Numbers::Strict).unwrap();
        let hash = BASE64.encode(content_hash(&event));
        let hashes = Object::from([("sha256".to_owned(), Json::String(hash.clone()))]);
        event.insert("hashes".to_owned(), Json::Object(hashes));
        redact(&mut event, &rules(1).redaction);
        let mut message = String::new();
        write_object_without(&mut message, &event, &["signatures", "unsigned"]);
        (hash, published_key().sign_bytes(message.as_bytes()))
    }

    const MINIMAL: &str = r#"{"room_id":"!x:domain","sender":"@a:domain","origin":"domain","origin_server_ts":1000000,
        "signatures":{},"hashes":{},"type":"X","content":{},"prev_events":[],"auth_events":[],"depth":3,
        "unsigned":{"age_ts":1000000}}"#;
    const MINIMAL_HASH: &str = "5jM4wQpv6lnBo7CLIghJuHdW+s2CMBJPUOGOC89ncos";
    const MINIMAL_SIGNATURE: &str =
        "KxwGjPSDEtvnFgU00fwFz+l6d2pJM6XBIaMEn81SXPTRl16AqLAYqfIReFGZlHi5KLjAWbOoMszkwsQma+lYAg";

    #[test]
    fn events_are_hashed_and_signed_as_published() {
        assert_eq!(
            hash_and_sign(MINIMAL),
            (MINIMAL_HASH.to_owned(), MINIMAL_SIGNATURE.to_owned())
        );
        let redactable = r#"{"content":{"body":"Here is the message content"},"event_id":"$0:domain","origin":"domain",
            "origin_server_ts":1000000,"type":"m.room.message","room_id":"!r:domain","sender":"@u:domain",
            "signatures":{},"unsigned":{"age_ts":1000000}}"#;
        let signature =
            "Wm+VzmOUOz08Ds+0NTWb1d4CZrVsJSikkeRxh6aCcUwu6pNC78FunoD7KNWzqFn241eYHYMGCA5McEiVPdhzBA";
        let hash = "onLKD1bGljeBWQhWZ1kaP9SorVmRQNdN5aM2JYU2n/g";
        assert_eq!(hash_and_sign(redactable), (hash.to_owned(), signature.to_owned()));
    }

    #[test]
    fn the_published_event_is_received_and_its_signature_verified() {
        let rules = rules(3);
        let signed = MINIMAL
            .replace(
                r#""signatures":{}"#,
                &format!(r#""signatures":{{"domain":{{"ed25519:1":"{MINIMAL_SIGNATURE}"}}}}"#),
            )
            .replace(
                r#""hashes":{}"#,
                &format!(r#""hashes":{{"sha256":"{MINIMAL_HASH}"}}"#),
            );
        let public_key = published_key().public_key();
        let keys = serde_json::from_str(&format!(r#"{{"domain":{{"ed25519:1":"{public_key}"}}}}"#)).unwrap();
        Pdu::verify_signatures(&signed, &keys, &rules).unwrap();
        let incoming = Incoming::parse(&signed, &rules).unwrap();
        assert_eq!(incoming.required_servers(&rules).unwrap().len(), 1);
        let changed = signed.replace(r#""depth":3"#, r#""depth":4"#);
        assert!(Pdu::verify_signatures(&changed, &keys, &rules).is_err());
    }
}
