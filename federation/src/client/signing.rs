//! The signature of a request (SS API § Request Authentication), as it is made and as it is checked.

use bytes::Bytes;
use echorift_events::SigningKey;
use http::HeaderValue;
use ruma::{ServerName, SigningKeyAlgorithm, signatures};
use serde::Serialize;
use serde_json::Value;

use super::x_matrix::XMatrix;

/// A request's body as its signature covers it: canonical JSON. Cheap to clone, so that one body serves all its
/// receivers.
#[derive(Debug, Clone)]
pub struct CanonicalBody(Bytes);

impl CanonicalBody {
    /// The canonical form of anything that is JSON. Floats, which canonical JSON does not know but the content of some
    /// EDUs may hold, stay as they are.
    pub fn new(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        // The objects of `Value` are sorted by key, and so written.
        Ok(Self::of_value(&serde_json::to_value(value)?))
    }

    /// The canonical form of a JSON text.
    pub fn from_json(text: &[u8]) -> Result<Self, serde_json::Error> {
        Ok(Self::of_value(&serde_json::from_slice(text)?))
    }

    /// A text that is canonical already.
    pub fn from_canonical(text: String) -> Self {
        Self(Bytes::from(text))
    }

    fn of_value(value: &Value) -> Self {
        Self(Bytes::from(value.to_string()))
    }

    pub fn as_bytes(&self) -> &Bytes {
        &self.0
    }
}

/// What a signature is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestToSign<'a> {
    pub method: &'a str,
    /// Path and query as they stand in the request line.
    pub uri: &'a str,
    pub origin: &'a ServerName,
    pub destination: &'a ServerName,
    pub content: Option<&'a CanonicalBody>,
}

impl RequestToSign<'_> {
    /// The bytes that are signed: the keys stand in canonical order here.
    fn text(&self) -> Vec<u8> {
        let content = self.content.map(|content| &content.0[..]);
        let mut text = Vec::with_capacity(content.map_or(0, <[u8]>::len) + self.uri.len() + 512);
        text.push(b'{');
        if let Some(content) = content {
            text.extend_from_slice(b"\"content\":");
            text.extend_from_slice(content);
            text.push(b',');
        }
        for (name, value) in [
            ("\"destination\":", self.destination.as_str()),
            (",\"method\":", self.method),
            (",\"origin\":", self.origin.as_str()),
            (",\"uri\":", self.uri),
        ] {
            text.extend_from_slice(name.as_bytes());
            text.extend_from_slice(Value::from(value).to_string().as_bytes());
        }
        text.push(b'}');
        text
    }

    /// The `Authorization` header.
    pub(crate) fn sign(&self, key: &SigningKey) -> Result<HeaderValue, http::header::InvalidHeaderValue> {
        let signature = key.sign_bytes(&self.text());
        // Quoted and in this form throughout, as older servers need it.
        HeaderValue::try_from(format!(
            "X-Matrix origin=\"{}\",destination=\"{}\",key=\"{}\",sig=\"{signature}\"",
            self.origin,
            self.destination,
            key.key_id(),
        ))
    }

    /// Whether one of the signatures is right by one of these keys (of the origin, by their IDs).
    pub(crate) fn is_signed(&self, signatures: &[XMatrix], keys: &signatures::PublicKeySet) -> bool {
        let text = self.text();
        signatures.iter().any(|signature| {
            let key = keys.get(&signature.key);
            key.is_some_and(|key| {
                signatures::verify_canonical_json_bytes(
                    &SigningKeyAlgorithm::Ed25519,
                    key.as_bytes(),
                    signature.signature.as_bytes(),
                    &text,
                )
                .is_ok()
            })
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use ruma::{api::federation::authentication, serde::Base64, server_name};

    use super::*;
    use crate::client::x_matrix::signatures_of;

    fn key() -> SigningKey {
        // The key of the specification's own test vectors (appendices § Cryptographic Test Vectors).
        let text = "ed25519 1 YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1";
        SigningKey::from_file_text(server_name!("domain"), text).unwrap()
    }

    fn request<'a>(content: Option<&'a CanonicalBody>) -> RequestToSign<'a> {
        RequestToSign {
            method: "PUT",
            uri: "/_matrix/federation/v1/send/1?a=%22b",
            origin: server_name!("domain"),
            destination: server_name!("other.example:8448"),
            content,
        }
    }

    #[test]
    fn the_text_is_canonical_whatever_the_body_looks_like() {
        let body = CanonicalBody::from_json(b"{ \"b\": [1, 2.5], \"a\": \"\\u00e9\\n\" }").unwrap();
        let text = String::from_utf8(request(Some(&body)).text()).unwrap();
        assert_eq!(
            text,
            "{\"content\":{\"a\":\"é\\n\",\"b\":[1,2.5]},\"destination\":\"other.example:8448\",\
             \"method\":\"PUT\",\"origin\":\"domain\",\"uri\":\"/_matrix/federation/v1/send/1?a=%22b\"}"
        );
        assert!(
            !String::from_utf8(request(None).text())
                .unwrap()
                .contains("content")
        );
    }

    #[test]
    fn ruma_agrees_with_our_signatures() {
        let body = CanonicalBody::from_json(b"{\"b\":1,\"a\":[]}").unwrap();
        let header = request(Some(&body)).sign(&key()).unwrap();
        let signature = authentication::XMatrix::try_from(&header).unwrap();
        let keys = signatures::PublicKeyMap::from([(
            "domain".to_owned(),
            [("ed25519:1".to_owned(), Base64::parse(key().public_key()).unwrap())].into(),
        )]);
        let http = http::Request::builder()
            .method("PUT")
            .uri("/_matrix/federation/v1/send/1?a=%22b")
            .body(b"{\"a\":[],\"b\":1}")
            .unwrap();
        signature
            .verify_http_request(&http, server_name!("other.example:8448"), &keys)
            .unwrap();
        let headers = [(http::header::AUTHORIZATION, header)].into_iter().collect();
        let (_, ours) = signatures_of(&headers).unwrap();
        assert!(request(Some(&body)).is_signed(&ours, &keys["domain"]));
        assert!(!request(None).is_signed(&ours, &keys["domain"]));
    }
}
