//! What a directory's password policy says beside the result of an operation
//! (draft-behera-ldap-password-policy-11 § 6): OpenLDAP's ppolicy, 389 Directory Server.

use ldap3::LdapResult;
use ldap3::asn1::{PL, StructureTag, TagClass, parse_tag, parse_uint};
use ldap3::controls::RawControl;

/// The control of requests and responses alike.
const PASSWORD_POLICY: &str = "1.3.6.1.4.1.42.2.27.8.5.1";
/// The largest answer of the draft has some ten bytes.
const VALUE_BYTES_MAX: usize = 64;

/// Asks for the policy's word; servers without one ignore it.
pub(crate) fn request() -> RawControl {
    RawControl {
        ctype: PASSWORD_POLICY.to_owned(),
        crit: false,
        val: None,
    }
}

/// The policy's word on one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct PolicyAnswer {
    pub error: Option<PolicyError>,
    pub warning: Option<PasswordWarning>,
}

/// Why the operation failed, or is the last that will succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PolicyError {
    PasswordExpired,
    AccountLocked,
    ChangeAfterReset,
    ModificationNotAllowed,
    MustSupplyOldPassword,
    InsufficientQuality,
    TooShort,
    TooYoung,
    InHistory,
}

/// That a password works for now and will not for long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordWarning {
    /// Seconds until it expires.
    ExpiresIn(u32),
    /// It has expired, and this many logins with it are left.
    GraceLogins(u32),
}

impl PolicyAnswer {
    /// What came with a result; nothing if no policy applies or its word cannot be read.
    pub(crate) fn of(result: &LdapResult) -> Self {
        result
            .ctrls
            .iter()
            .find(|control| control.1.ctype == PASSWORD_POLICY)
            .and_then(|control| parse(control.1.val.as_deref()?))
            .unwrap_or_default()
    }
}

fn parse(value: &[u8]) -> Option<PolicyAnswer> {
    if value.len() > VALUE_BYTES_MAX {
        return None;
    }
    let (_, whole) = parse_tag(value).ok()?;
    let mut answer = PolicyAnswer::default();
    for part in whole.expect_constructed()? {
        match (part.class, part.id) {
            (TagClass::Context, 0) => answer.warning = warning(part),
            (TagClass::Context, 1) => answer.error = error(number(&part)?),
            _ => {}
        }
    }
    Some(answer)
}

fn warning(part: StructureTag) -> Option<PasswordWarning> {
    let kind = part.expect_constructed()?.into_iter().next()?;
    match kind.id {
        0 => Some(PasswordWarning::ExpiresIn(number(&kind)?)),
        1 => Some(PasswordWarning::GraceLogins(number(&kind)?)),
        _ => None,
    }
}

fn number(tag: &StructureTag) -> Option<u32> {
    let PL::P(bytes) = &tag.payload else {
        return None;
    };
    u32::try_from(parse_uint(bytes).ok()?.1).ok()
}

fn error(code: u32) -> Option<PolicyError> {
    Some(match code {
        0 => PolicyError::PasswordExpired,
        1 => PolicyError::AccountLocked,
        2 => PolicyError::ChangeAfterReset,
        3 => PolicyError::ModificationNotAllowed,
        4 => PolicyError::MustSupplyOldPassword,
        5 => PolicyError::InsufficientQuality,
        6 => PolicyError::TooShort,
        7 => PolicyError::TooYoung,
        8 => PolicyError::InHistory,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ldap3::controls::Control;
    use proptest::prelude::*;

    fn answer(value: &[u8]) -> PolicyAnswer {
        let control = RawControl {
            val: Some(value.to_vec()),
            ..request()
        };
        PolicyAnswer::of(&LdapResult {
            rc: 0,
            matched: String::new(),
            text: String::new(),
            refs: vec![],
            ctrls: vec![Control(None, control)],
        })
    }

    #[test]
    fn errors_and_warnings_are_read() {
        assert_eq!(answer(&[0x30, 0x00]), PolicyAnswer::default());
        assert_eq!(
            answer(&[0x30, 0x03, 0x81, 0x01, 0x02]).error,
            Some(PolicyError::ChangeAfterReset)
        );
        assert_eq!(
            answer(&[0x30, 0x05, 0xa0, 0x03, 0x81, 0x01, 0x02]).warning,
            Some(PasswordWarning::GraceLogins(2))
        );
        assert_eq!(
            answer(&[0x30, 0x06, 0xa0, 0x04, 0x80, 0x02, 0x0e, 0x10]).warning,
            Some(PasswordWarning::ExpiresIn(3600))
        );
    }

    proptest! {
        #[test]
        fn no_bytes_do_harm(value in proptest::collection::vec(any::<u8>(), 0..80)) {
            answer(&value);
        }
    }
}
