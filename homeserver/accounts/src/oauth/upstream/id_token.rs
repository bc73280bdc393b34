use echorift_storage::Timestamp;
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation,
    jwk::{Jwk, JwkSet, PublicKeyUse},
};
use serde_json::{Map, Value};

/// Signatures by keys that only the provider has. Symmetric ones, and none at all, are not among them.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];
/// How far the provider's clock may be from ours.
const LEEWAY_SECONDS: i64 = 60;

/// What an ID token has to say to be the answer to our question.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    pub(super) now: Timestamp,
}

/// Whether one of `keys` may have signed the token.
pub(super) fn knows_key(token: &str, keys: &JwkSet) -> bool {
    jsonwebtoken::decode_header(token).is_ok_and(|header| find_key(keys, header.kid.as_deref()).is_some())
}

/// The claims of a token that is signed, for us, of now, and the answer to our question (OpenID Connect Core
/// § 3.1.3.7). The error says what is wrong.
pub(super) fn verify(
    token: &str,
    keys: &JwkSet,
    expected: &Expected<'_>,
) -> Result<Map<String, Value>, &'static str> {
    let header = jsonwebtoken::decode_header(token).map_err(|_| "its ID token is no JWT")?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err("its ID token is signed by an algorithm that proves nothing");
    }
    let key = find_key(keys, header.kid.as_deref()).ok_or("its ID token is signed by an unknown key")?;
    let key = DecodingKey::from_jwk(key).map_err(|_| "its key cannot be used")?;
    let mut validation = Validation::new(header.alg);
    validation.set_issuer(&[expected.issuer]);
    validation.set_audience(&[expected.client_id]);
    validation.set_required_spec_claims(&["iss", "sub", "aud", "exp"]);
    // The expiry is checked against the server's own clock.
    validation.validate_exp = false;
    let claims = jsonwebtoken::decode::<Map<String, Value>>(token, &key, &validation)
        .map_err(|_| "its ID token has a wrong signature, issuer or audience")?
        .claims;
    judge(&claims, expected)?;
    Ok(claims)
}

/// The key that the token names; without a name, the only one.
fn find_key<'a>(keys: &'a JwkSet, id: Option<&str>) -> Option<&'a Jwk> {
    let is_for_signatures =
        |key: &&Jwk| matches!(key.common.public_key_use, None | Some(PublicKeyUse::Signature));
    match id {
        Some(id) => keys.find(id).filter(is_for_signatures),
        None => {
            let mut candidates = keys.keys.iter().filter(is_for_signatures);
            let only = candidates.next();
            only.filter(|_| candidates.next().is_none())
        }
    }
}

fn judge(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), &'static str> {
    let now = expected.now.0.div_euclid(1000);
    let number = |name| claims.get(name).and_then(Value::as_f64);
    let text = |name| claims.get(name).and_then(Value::as_str);
    #[expect(clippy::cast_precision_loss, reason = "seconds since the epoch have 31 bits")]
    let (earliest, latest) = ((now - LEEWAY_SECONDS) as f64, (now + LEEWAY_SECONDS) as f64);
    if number("exp").is_none_or(|expires| expires <= earliest) {
        return Err("its ID token has expired");
    }
    if number("nbf").is_some_and(|begins| begins > latest) {
        return Err("its ID token is of the future");
    }
    if text("nonce") != Some(expected.nonce) {
        return Err("its ID token is the answer to another question");
    }
    let has_several = claims
        .get("aud")
        .and_then(Value::as_array)
        .is_some_and(|list| list.len() > 1);
    match text("azp") {
        Some(party) if party != expected.client_id => Err("its ID token was made for another client"),
        None if has_several => Err("its ID token does not say which of its audiences it was made for"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header};
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn expected() -> Expected<'static> {
        Expected {
            issuer: "https://op.example.org",
            client_id: "echorift",
            nonce: "n",
            now: Timestamp(NOW * 1000),
        }
    }

    fn signing_key(seed: u8) -> (EncodingKey, Value) {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        use ed25519_dalek::{SigningKey, pkcs8::EncodePrivateKey as _};
        let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
        let key = SigningKey::from_bytes(&[seed; 32]);
        let public = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
        let der = key.to_pkcs8_der().unwrap();
        let jwk =
            json!({ "kty": "OKP", "crv": "Ed25519", "x": public, "kid": "k", "use": "sig", "alg": "EdDSA" });
        (EncodingKey::from_ed_der(der.as_bytes()), jwk)
    }

    fn keys(jwk: &Value) -> JwkSet {
        serde_json::from_value(json!({ "keys": [jwk] })).unwrap()
    }

    fn token(key: &EncodingKey, change: &Value) -> String {
        let mut claims = json!({
            "iss": "https://op.example.org", "sub": "1", "aud": "echorift", "exp": NOW + 300, "nonce": "n",
        });
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let header = Header {
            kid: Some("k".to_owned()),
            ..Header::new(Algorithm::EdDSA)
        };
        jsonwebtoken::encode(&header, &claims, key).unwrap()
    }

    #[test]
    fn a_token_that_answers_our_question_is_believed() {
        let (key, jwk) = signing_key(1);
        for change in [
            json!({}),
            json!({ "aud": ["echorift"] }),
            json!({ "aud": ["echorift", "other"], "azp": "echorift" }),
            json!({ "exp": NOW - 30 }),
        ] {
            let token = token(&key, &change);
            assert!(verify(&token, &keys(&jwk), &expected()).is_ok(), "{change}");
        }
    }

    #[test]
    fn any_other_token_is_not() {
        let (key, jwk) = signing_key(1);
        for change in [
            json!({ "iss": "https://evil.example.org" }),
            json!({ "aud": "other" }),
            json!({ "aud": ["echorift", "other"] }),
            json!({ "azp": "other" }),
            json!({ "exp": NOW - 61 }),
            json!({ "exp": null }),
            json!({ "nbf": NOW + 61 }),
            json!({ "nonce": "m" }),
            json!({ "nonce": null }),
            json!({ "sub": null }),
        ] {
            let token = token(&key, &change);
            assert!(verify(&token, &keys(&jwk), &expected()).is_err(), "{change}");
        }
        let (other, _) = signing_key(2);
        let forged = token(&other, &json!({}));
        assert!(verify(&forged, &keys(&jwk), &expected()).is_err());
        // The public key as a shared secret: the oldest trick.
        let public = jwk["x"].as_str().unwrap();
        let claims = json!({ "iss": "https://op.example.org", "sub": "1", "aud": "echorift", "exp": NOW + 300, "nonce": "n" });
        let header = Header {
            kid: Some("k".to_owned()),
            ..Header::new(Algorithm::HS256)
        };
        let symmetric =
            jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(public.as_bytes())).unwrap();
        assert!(verify(&symmetric, &keys(&jwk), &expected()).is_err());
        let mut encryption = jwk.clone();
        encryption["use"] = json!("enc");
        assert!(!knows_key(&token(&key, &json!({})), &keys(&encryption)));
        assert!(verify("a.b.c", &keys(&jwk), &expected()).is_err());
    }
}
