//! The signature of a request (SS API § Request Authentication), as it is made and as it is checked.

use bytes::Bytes;
use echorift_events::SigningKey;
use http::{HeaderMap, HeaderValue, header};
use ruma::{
    OwnedServerName, ServerName, SigningKeyAlgorithm, api::federation::authentication::XMatrix, signatures,
};
use serde::Serialize;
use serde_json::Value;

/// More `Authorization` headers than a server has keys are not looked at.
const SIGNATURES_MAX: usize = 8;

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
            let key = keys.get(signature.key.as_str());
            key.is_some_and(|key| {
                signatures::verify_canonical_json_bytes(
                    &SigningKeyAlgorithm::Ed25519,
                    key.as_bytes(),
                    signature.sig.as_bytes(),
                    &text,
                )
                .is_ok()
            })
        })
    }
}

/// The signatures of a request, all by the same origin. The error is for its sender.
pub(crate) fn signatures_of(headers: &HeaderMap) -> Result<(OwnedServerName, Vec<XMatrix>), &'static str> {
    let values = headers.get_all(header::AUTHORIZATION).iter().filter(|value| {
        let scheme = value.as_bytes().split(u8::is_ascii_whitespace).next();
        scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(XMatrix::AUTH_SCHEME.as_bytes()))
    });
    let mut found = Vec::new();
    for value in values.take(SIGNATURES_MAX) {
        let signature =
            XMatrix::try_from(value).map_err(|_| "The Authorization header is not as X-Matrix has it.")?;
        found.push(signature);
    }
    let Some(origin) = found.first().map(|signature| signature.origin.clone()) else {
        return Err("The request has no X-Matrix Authorization header.");
    };
    if found.iter().any(|signature| signature.origin != origin) {
        return Err("The Authorization headers name different origins.");
    }
    Ok((origin, found))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use ruma::{serde::Base64, server_name};

    use super::*;

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
        let signature = XMatrix::try_from(&header).unwrap();
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
        assert!(request(Some(&body)).is_signed(&[signature.clone()], &keys["domain"]));
        assert!(!request(None).is_signed(&[signature], &keys["domain"]));
    }

    #[test]
    fn headers_are_read_in_every_form_and_must_agree_on_the_origin() {
        let origin = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::AUTHORIZATION, HeaderValue::from_static(value));
            }
            signatures_of(&headers).map(|(origin, found)| (origin.to_string(), found.len()))
        };
        let plain = "X-Matrix origin=a.example,key=\"ed25519:1\",sig=\"dGVzdA\"";
        let spaced =
            "x-matrix  origin=\"a.example\" , destination=\"b\",key=\"ed25519:2\",sig=dGVzdA==,new=1";
        assert_eq!(origin(&[plain, spaced]), Ok(("a.example".to_owned(), 2)));
        assert_eq!(origin(&["Bearer x", plain]), Ok(("a.example".to_owned(), 1)));
        assert!(origin(&[]).is_err());
        assert!(origin(&["Bearer x"]).is_err());
        assert!(origin(&["X-Matrix origin=a.example"]).is_err());
        assert!(
            origin(&[
                plain,
                "X-Matrix origin=b.example,key=\"ed25519:1\",sig=\"dGVzdA\""
            ])
            .is_err()
        );
    }
}
