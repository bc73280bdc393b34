use std::collections::BTreeMap;

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use echorift_storage::StorageError;
use ed25519_dalek::{Signature, Verifier as _, VerifyingKey};
use ruma::{CanonicalJsonObject, CanonicalJsonValue, UserId};
use serde_json::value::RawValue;

use crate::EncryptionError;

/// Unpadded, as the specification writes it, and padded, as some clients do.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Public keys as they travel: a JSON object of canonical values that is signed (appendices § Signing JSON).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KeyObject(CanonicalJsonObject);

impl KeyObject {
    /// Reads an object of at most `limit` bytes. What is `unsigned` in it is not the client's to say.
    ///
    /// Errors: `Unreadable` for what is no object or cannot be signed, `TooLarge`.
    pub(crate) fn parse(json: &RawValue, what: &'static str, limit: usize) -> Result<Self, EncryptionError> {
        if json.get().len() > limit {
            return Err(EncryptionError::TooLarge { what, limit });
        }
        let mut object: CanonicalJsonObject = serde_json::from_str(json.get())
            .map_err(|error| EncryptionError::Unreadable(format!("{what} cannot be read: {error}.")))?;
        object.remove("unsigned");
        Ok(Self(object))
    }

    /// Reads what [`KeyObject::to_json`] has written into `place` (`table.column`).
    pub(crate) fn read(json: &str, place: &'static str) -> Result<Self, StorageError> {
        serde_json::from_str(json)
            .map(Self)
            .map_err(|error| StorageError::corrupt(place, error))
    }

    /// Canonical JSON: equal objects have equal texts.
    pub(crate) fn to_json(&self) -> String {
        CanonicalJsonValue::Object(self.0.clone()).to_string()
    }

    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.0.get(field)?.as_str()
    }

    pub(crate) fn list(&self, field: &str) -> Option<&[CanonicalJsonValue]> {
        self.0.get(field)?.as_array()
    }

    pub(crate) fn object(&self, field: &str) -> Option<&CanonicalJsonObject> {
        self.0.get(field)?.as_object()
    }

    /// The public key under `keys`, by its ID (`ed25519:…`).
    pub(crate) fn public_key(&self, key_id: &str) -> Option<&str> {
        self.object("keys")?.get(key_id)?.as_str()
    }

    /// Whether both say the same, whoever has signed them.
    pub(crate) fn says_the_same_as(&self, other: &Self) -> bool {
        self.without_signatures() == other.without_signatures()
    }

    /// The signatures that `user` made, by key ID.
    pub(crate) fn signatures_by(&self, user: &UserId) -> BTreeMap<String, String> {
        let signatures = self.object("signatures");
        let of_user = signatures.and_then(|by_user| by_user.get(user.as_str())?.as_object());
        let texts = of_user.into_iter().flatten();
        texts
            .filter_map(|(key_id, signature)| Some((key_id.clone(), signature.as_str()?.to_owned())))
            .collect()
    }

    /// Takes out all signatures but those of `user`: what others signed is not everyone's to see.
    pub(crate) fn keep_signatures_by(&mut self, user: &UserId) {
        if let Some(CanonicalJsonValue::Object(by_user)) = self.0.get_mut("signatures") {
            by_user.retain(|signer, _| signer == user.as_str());
        }
    }

    /// Says that nobody has signed it, where nothing is said.
    pub(crate) fn ensure_signatures(&mut self) {
        let empty = || CanonicalJsonValue::Object(CanonicalJsonObject::new());
        self.0.entry("signatures".to_owned()).or_insert_with(empty);
    }

    pub(crate) fn add_signature(&mut self, user: &UserId, key_id: &str, signature: &str) {
        let empty = || CanonicalJsonValue::Object(CanonicalJsonObject::new());
        let signatures = self.0.entry("signatures".to_owned()).or_insert_with(empty);
        let CanonicalJsonValue::Object(by_user) = signatures else {
            return;
        };
        if let CanonicalJsonValue::Object(by_key) = by_user.entry(user.to_string()).or_insert_with(empty) {
            by_key.insert(
                key_id.to_owned(),
                CanonicalJsonValue::String(signature.to_owned()),
            );
        }
    }

    /// Adds what the server has to say beside the signed keys.
    pub(crate) fn add_display_name(&mut self, name: String) {
        let unsigned =
            CanonicalJsonObject::from([("device_display_name".to_owned(), CanonicalJsonValue::String(name))]);
        self.0
            .insert("unsigned".to_owned(), CanonicalJsonValue::Object(unsigned));
    }

    /// What [`KeyObject::add_display_name`] has added.
    pub(crate) fn display_name(&self) -> Option<String> {
        let name = self.object("unsigned")?.get("device_display_name")?;
        name.as_str().map(ToOwned::to_owned)
    }

    /// Whether `signature` of this object is by the ed25519 key `public_key`; both in base64.
    pub(crate) fn is_signed(&self, signature: &str, public_key: &str) -> bool {
        let verified = || {
            let key = <[u8; 32]>::try_from(BASE64.decode(public_key).ok()?).ok()?;
            let signature = <[u8; 64]>::try_from(BASE64.decode(signature).ok()?).ok()?;
            let text = CanonicalJsonValue::Object(self.without_signatures()).to_string();
            VerifyingKey::from_bytes(&key)
                .ok()?
                .verify(text.as_bytes(), &Signature::from_bytes(&signature))
                .ok()
        };
        verified().is_some()
    }

    fn without_signatures(&self) -> CanonicalJsonObject {
        let mut object = self.0.clone();
        object.remove("signatures");
        object.remove("unsigned");
        object
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use ed25519_dalek::{Signer as _, SigningKey};
    use ruma::user_id;
    use serde_json::{json, value::to_raw_value};

    use super::*;

    fn object(value: &serde_json::Value) -> KeyObject {
        KeyObject::parse(&to_raw_value(value).unwrap(), "the object", 1000).unwrap()
    }

    #[test]
    fn a_signature_holds_for_the_same_words_only() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let public = BASE64.encode(key.verifying_key().as_bytes());
        let mut signed = object(&json!({ "b": 1, "a": "x", "unsigned": { "age": 1 } }));
        let signature = BASE64.encode(key.sign(br#"{"a":"x","b":1}"#).to_bytes());
        assert!(signed.is_signed(&signature, &public));
        assert!(!object(&json!({ "b": 2, "a": "x" })).is_signed(&signature, &public));
        assert!(!signed.is_signed("!", &public));
        assert!(!signed.is_signed(&signature, "AAAA"));

        let alice = user_id!("@alice:one.example");
        signed.add_signature(alice, "ed25519:A", "s1");
        signed.add_signature(user_id!("@bob:one.example"), "ed25519:B", "s2");
        assert!(signed.is_signed(&signature, &public));
        signed.keep_signatures_by(alice);
        assert_eq!(
            signed.to_json(),
            r#"{"a":"x","b":1,"signatures":{"@alice:one.example":{"ed25519:A":"s1"}}}"#
        );
        assert_eq!(signed.signatures_by(alice).get("ed25519:A").unwrap(), "s1");
    }

    #[test]
    fn what_cannot_be_signed_is_no_key() {
        let parse = |text: &str| {
            let json = RawValue::from_string(text.to_owned()).unwrap();
            KeyObject::parse(&json, "the object", 20).map(drop)
        };
        assert!(parse(r#"{"a":1}"#).is_ok());
        for bad in [r#"{"a":1.5}"#, "[]", "null", r#""text""#] {
            assert!(matches!(parse(bad), Err(EncryptionError::Unreadable(_))), "{bad}");
        }
        let long = r#"{"a":"aaaaaaaaaaaaaaaaaaaa"}"#;
        assert!(matches!(parse(long), Err(EncryptionError::TooLarge { .. })));
    }
}
