//! Signatures of requests, alike in both directions: HMAC-SHA256 over the time, a full stop and the body.

use std::time::Duration;

use echorift_storage::Timestamp;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use sha2::Sha256;

use crate::HookError;

pub(crate) const SIGNATURE: &str = "x-echorift-signature";
pub(crate) const TIMESTAMP: &str = "x-echorift-timestamp";

/// How far the time of a request may be from this server's.
pub(crate) const WINDOW: Duration = Duration::from_secs(300);

/// The signature of a body that is sent at this time, in seconds since the epoch.
pub(crate) fn sign(key: &str, seconds: i64, body: &[u8]) -> String {
    let mut text = String::from("sha256=");
    for byte in mac(key, &seconds.to_string(), body)
        .map(|mac| mac.finalize().into_bytes().to_vec())
        .unwrap_or_default()
    {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

fn mac(key: &str, seconds: &str, body: &[u8]) -> Option<Hmac<Sha256>> {
    // Keys of every length will do.
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).ok()?;
    mac.update(seconds.as_bytes());
    mac.update(b".");
    mac.update(body);
    Some(mac)
}

/// Checks a request's signature, in constant time; returns until when it would be good.
///
/// Errors: `Unsigned` for what is missing, wrong or of another time.
pub(crate) fn check(
    key: &str,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<Timestamp, HookError> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (Some(signature), Some(seconds)) = (header(SIGNATURE), header(TIMESTAMP)) else {
        return Err(HookError::Unsigned(
            "This webhook wants requests signed: X-EchoRift-Signature and X-EchoRift-Timestamp are missing.",
        ));
    };
    let sent = seconds
        .parse::<i64>()
        .ok()
        .and_then(|seconds| seconds.checked_mul(1_000));
    let window = i64::try_from(WINDOW.as_millis()).unwrap_or(i64::MAX);
    let sent = sent.filter(|sent| now.0.abs_diff(*sent) <= window.unsigned_abs());
    let sent = sent.ok_or(HookError::Unsigned(
        "X-EchoRift-Timestamp is not a time of the last five minutes, in seconds since 1970.",
    ))?;
    let given = signature.strip_prefix("sha256=").and_then(from_hex);
    let is_right = match (given, mac(key, seconds, body)) {
        (Some(given), Some(mac)) => mac.verify_slice(&given).is_ok(),
        _ => false,
    };
    if is_right {
        Ok(Timestamp(sent).plus_ms(window))
    } else {
        Err(HookError::Unsigned(
            "X-EchoRift-Signature does not fit this body and time.",
        ))
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    // Digits alone, which have one form but for their case: a second form would be a second signature.
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn headers(signature: &str, seconds: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(SIGNATURE, signature.parse().unwrap());
        headers.insert(TIMESTAMP, seconds.parse().unwrap());
        headers
    }

    #[test]
    fn a_signature_is_good_for_its_body_and_time_alone() {
        let now = Timestamp(1_700_000_000_000);
        let signature = sign("key", 1_700_000_000, b"{}");
        // Computed with `printf '1700000000.{}' | openssl dgst -sha256 -hmac key`.
        assert_eq!(
            signature,
            "sha256=9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae"
        );
        let good = headers(&signature, "1700000000");
        assert_eq!(check("key", &good, b"{}", now).unwrap(), now.plus_ms(300_000));
        assert!(check("key", &good, b"{ }", now).is_err(), "another body");
        assert!(check("other", &good, b"{}", now).is_err(), "another key");
        for later in [-301_000, 301_000] {
            assert!(check("key", &good, b"{}", now.plus_ms(later)).is_err(), "{later}");
        }
        for (signature, seconds) in [
            (&*signature, "1700000001"),
            (&*signature, "soon"),
            (&*signature.replace("d406bb", "d4+6bb"), "1700000000"),
            ("sha256=00", "1700000000"),
            ("sha256=é", "1700000000"),
            ("00", "1700000000"),
        ] {
            let Ok(signature) = signature.parse::<http::HeaderValue>() else {
                continue;
            };
            let mut bad = headers("x", seconds);
            bad.insert(SIGNATURE, signature);
            assert!(check("key", &bad, b"{}", now).is_err(), "{bad:?}");
        }
        assert!(check("key", &HeaderMap::new(), b"{}", now).is_err());
    }
}
