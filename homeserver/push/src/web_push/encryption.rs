//! Sealing for one receiver (RFC 8291, in the coding `aes128gcm` of RFC 8188).

use aws_lc_rs::{
    aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree},
    error::Unspecified,
    hkdf::{HKDF_SHA256, KeyType, Salt},
    rand::{SecureRandom as _, SystemRandom},
};

use super::Subscription;

/// All of a message is one record (RFC 8291 § 4), and push services take 4,096 bytes.
const RECORD_BYTES: u32 = 4096;
/// Salt, record size, length of the key, key (RFC 8188 § 2.1).
const HEADER_BYTES: usize = 16 + 4 + 1 + 65;
/// The delimiter after the text, and the tag of AES-GCM.
const TRAILER_BYTES: usize = 1 + 16;
/// The delimiter of the last record.
const LAST_RECORD: u8 = 2;

/// How long a text may be to fit.
pub(super) const TEXT_BYTES_MAX: usize = 4096 - HEADER_BYTES - TRAILER_BYTES;

/// Seals `text` with a new key. `None` if it is too long, or if the receiver's key is no point of the curve.
pub(super) fn seal(subscription: &Subscription, text: &[u8]) -> Option<Vec<u8>> {
    let mut salt = [0; 16];
    SystemRandom::new().fill(&mut salt).ok()?;
    let sender = PrivateKey::generate(&ECDH_P256).ok()?;
    seal_with(subscription, text, &sender, salt).ok()
}

fn seal_with(
    subscription: &Subscription,
    text: &[u8],
    sender: &PrivateKey,
    salt: [u8; 16],
) -> Result<Vec<u8>, Unspecified> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(Unspecified);
    }
    let receiver_key = &subscription.public_key;
    let sender_key = sender.compute_public_key()?;
    let sender_key = sender_key.as_ref();
    let receiver = UnparsedPublicKey::new(&ECDH_P256, receiver_key);
    // RFC 8291 § 3.3 and § 3.4.
    let secret: [u8; 32] = agree(sender, receiver, Unspecified, |shared| {
        derive(
            &subscription.auth,
            shared,
            &[b"WebPush: info\0", receiver_key, sender_key],
        )
    })?;
    let key: [u8; 16] = derive(&salt, &secret, &[b"Content-Encoding: aes128gcm\0"])?;
    let nonce: [u8; 12] = derive(&salt, &secret, &[b"Content-Encoding: nonce\0"])?;

    let mut sealed = Vec::with_capacity(HEADER_BYTES + text.len() + TRAILER_BYTES);
    sealed.extend_from_slice(&salt);
    sealed.extend_from_slice(&RECORD_BYTES.to_be_bytes());
    sealed.push(u8::try_from(sender_key.len()).map_err(|_| Unspecified)?);
    sealed.extend_from_slice(sender_key);
    let mut record = text.to_vec();
    record.push(LAST_RECORD);
    let cipher = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key)?);
    cipher.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut record)?;
    sealed.append(&mut record);
    Ok(sealed)
}

/// HKDF with SHA-256 (RFC 5869).
fn derive<const BYTES: usize>(
    salt: &[u8],
    secret: &[u8],
    info: &[&[u8]],
) -> Result<[u8; BYTES], Unspecified> {
    struct Length(usize);
    impl KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let mut derived = [0; BYTES];
    Salt::new(HKDF_SHA256, salt)
        .extract(secret)
        .expand(info, Length(BYTES))?
        .fill(&mut derived)?;
    Ok(derived)
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::json;

    use super::*;

    fn subscription(public_key: &str) -> Subscription {
        let data = json!({ "auth": "BTBZMqHH6r4Tts7J_aSIgg" });
        let url = "https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV"
            .parse()
            .unwrap();
        Subscription::parse("webpush", url, public_key, data.as_object().unwrap(), false).unwrap()
    }

    const RECEIVER: &str =
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";

    #[test]
    fn the_example_of_rfc_8291_is_sealed_as_it_stands_there() {
        let sender = URL_SAFE_NO_PAD
            .decode("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")
            .unwrap();
        let sender = PrivateKey::from_private_key(&ECDH_P256, &sender).unwrap();
        let salt = URL_SAFE_NO_PAD
            .decode("DGv6ra1nlYgDCS1FRnbzlw")
            .unwrap()
            .try_into()
            .unwrap();
        let text = b"When I grow up, I want to be a watermelon";
        let sealed = seal_with(&subscription(RECEIVER), text, &sender, salt).unwrap();
        let expected = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
        assert_eq!(URL_SAFE_NO_PAD.encode(sealed), expected);
    }

    #[test]
    fn what_fits_exactly_is_sealed_and_a_byte_more_is_not() {
        let receiver = subscription(RECEIVER);
        assert_eq!(seal(&receiver, &[b'x'; TEXT_BYTES_MAX]).unwrap().len(), 4096);
        assert!(seal(&receiver, &[b'x'; TEXT_BYTES_MAX + 1]).is_none());
    }

    #[test]
    fn for_a_key_off_the_curve_nothing_is_sealed() {
        let mut off = [7; 65];
        off[0] = 4;
        assert!(seal(&subscription(&URL_SAFE_NO_PAD.encode(off)), b"hi").is_none());
    }
}
