use ruma::OwnedDeviceId;

/// Full access to the client-server API.
const API: &str = "urn:matrix:client:api:*";
/// Names the device that the tokens are for.
const DEVICE: &str = "urn:matrix:client:device:";
/// Both as they were called before they became part of the specification (MSC2967).
const UNSTABLE_API: &str = "urn:matrix:org.matrix.msc2967.client:api:*";
const UNSTABLE_DEVICE: &str = "urn:matrix:org.matrix.msc2967.client:device:";

/// Longer device IDs are refused everywhere.
const DEVICE_ID_BYTES_MAX: usize = 255;

/// What a client asks for and gets (CS API § Scope): everything, for one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) device_id: OwnedDeviceId,
    /// What is granted, in the client's own words; tokens that mean nothing here are left out.
    pub(crate) granted: String,
}

/// Why a scope cannot be granted; a sentence for the client's developer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadScope(pub(crate) &'static str);

impl Scope {
    /// Reads a list of scope tokens. Unknown ones (`openid`, `profile`) are ignored.
    ///
    /// Errors: the API is not asked for, or not exactly one device, or its ID has characters that no scope may have.
    pub(crate) fn parse(text: &str) -> Result<Self, BadScope> {
        let mut device_id = None;
        let mut granted = Vec::new();
        let mut has_api = false;
        for token in text.split(' ').filter(|token| !token.is_empty()) {
            let named = token
                .strip_prefix(DEVICE)
                .or_else(|| token.strip_prefix(UNSTABLE_DEVICE));
            if let Some(id) = named {
                judge_device_id(id)?;
                if device_id.replace(OwnedDeviceId::from(id)).is_some() {
                    return Err(BadScope("more than one device is named in the scope"));
                }
            } else if token == API || token == UNSTABLE_API {
                has_api = true;
            } else {
                continue;
            }
            granted.push(token);
        }
        match device_id {
            _ if !has_api => Err(BadScope("the scope lacks urn:matrix:client:api:*")),
            None => Err(BadScope("the scope names no device")),
            Some(device_id) => Ok(Self {
                device_id,
                granted: granted.join(" "),
            }),
        }
    }

    /// The scope of a session that goes on.
    pub(crate) fn of_device(device_id: &str) -> String {
        format!("{API} {DEVICE}{device_id}")
    }
}

/// RFC 6749 § 3.3.
fn judge_device_id(id: &str) -> Result<(), BadScope> {
    let allowed = |byte: u8| byte == 0x21 || (0x23..=0x5b).contains(&byte) || (0x5d..=0x7e).contains(&byte);
    if id.is_empty() || id.len() > DEVICE_ID_BYTES_MAX || !id.bytes().all(allowed) {
        return Err(BadScope(
            "the device ID is empty, too long, or has characters that no scope has",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_device_and_the_whole_api_are_granted() {
        let scope = Scope::parse("openid  urn:matrix:client:api:* urn:matrix:client:device:AB~_-.9").unwrap();
        assert_eq!(scope.device_id.as_str(), "AB~_-.9");
        assert_eq!(
            scope.granted,
            "urn:matrix:client:api:* urn:matrix:client:device:AB~_-.9"
        );
        let unstable =
            "urn:matrix:org.matrix.msc2967.client:api:* urn:matrix:org.matrix.msc2967.client:device:ABC";
        let scope = Scope::parse(unstable).unwrap();
        assert_eq!(
            (scope.device_id.as_str(), scope.granted.as_str()),
            ("ABC", unstable)
        );
    }

    #[test]
    fn other_scopes_are_refused() {
        let long = format!(
            "urn:matrix:client:api:* urn:matrix:client:device:{}",
            "A".repeat(256)
        );
        for bad in [
            "",
            "openid",
            "urn:matrix:client:api:*",
            "urn:matrix:client:device:ABC",
            "urn:matrix:client:api:* urn:matrix:client:device:",
            "urn:matrix:client:api:* urn:matrix:client:device:A urn:matrix:client:device:B",
            "urn:matrix:client:api:* urn:matrix:client:device:A\"B",
            "urn:matrix:client:api:* urn:matrix:client:device:A\\B",
            "urn:matrix:client:api:* urn:matrix:client:device:Ä",
            "urn:matrix:client:api:*\nurn:matrix:client:device:A",
            &long,
        ] {
            assert!(Scope::parse(bad).is_err(), "{bad}");
        }
    }
}
