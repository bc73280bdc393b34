//! Whether an account may be used: what servers store about it, and what they say when they refuse a bind.

use echorift_storage::Timestamp;
use ldap3::LdapResult;

use crate::entry::Entry;
use crate::password_policy::{PolicyAnswer, PolicyError};
use crate::refusal::LoginRefusal;

/// The attributes that this module reads; operational ones come only when asked for.
pub(crate) const STATE_ATTRIBUTES: [&str; 6] = [
    "userAccountControl",
    "msDS-User-Account-Control-Computed",
    "accountExpires",
    "pwdAccountLockedTime",
    "nsAccountLock",
    "shadowExpire",
];

/// Bits of `userAccountControl` (MS-ADTS § 2.2.16).
const UAC_DISABLED: i64 = 0x0002;
const UAC_LOCKED_OUT: i64 = 0x0010;
/// The value that OpenLDAP writes when an administrator locks an account for good (slapo-ppolicy).
const LOCKED_FOR_GOOD: &str = "000001010000Z";

/// The reason why the entry may not log in although the password may be right.
pub(crate) fn state_refusal(entry: &Entry, now: Timestamp) -> Option<LoginRefusal> {
    let has_flag = |attribute: &str, flag: i64| entry.number(attribute).is_some_and(|bits| bits & flag != 0);
    if has_flag("userAccountControl", UAC_DISABLED)
        || entry
            .text("nsAccountLock")
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    {
        return Some(LoginRefusal::Disabled);
    }
    // Whether a lock that is not for good still holds is the server's to say; it refuses the bind.
    if has_flag("msDS-User-Account-Control-Computed", UAC_LOCKED_OUT)
        || entry.text("pwdAccountLockedTime") == Some(LOCKED_FOR_GOOD)
    {
        return Some(LoginRefusal::Locked);
    }
    expiry(entry)
        .is_some_and(|end| end <= now)
        .then_some(LoginRefusal::Expired)
}

/// The moment at which the account ends, if it ever does.
fn expiry(entry: &Entry) -> Option<Timestamp> {
    /// 1601-01-01, where Windows starts to count, in milliseconds before 1970.
    const WINDOWS_EPOCH_MS: i64 = 11_644_473_600_000;
    const TICKS_PER_MS: i64 = 10_000;
    const DAY_MS: i64 = 86_400_000;
    let windows = entry
        .number("accountExpires")
        .filter(|ticks| !matches!(*ticks, 0 | i64::MAX))
        .map(|ticks| Timestamp(ticks / TICKS_PER_MS).plus_ms(-WINDOWS_EPOCH_MS));
    let unix = entry
        .number("shadowExpire")
        .filter(|days| *days > 0)
        .map(|days| Timestamp(days.saturating_mul(DAY_MS)));
    [windows, unix].into_iter().flatten().min()
}

/// What a refused bind of a person means. `entry` is theirs, if it was found before.
///
/// Whoever is told of anything else than a wrong password must have shown the right one. Servers that look at the
/// state of an account first refuse whatever the password is: those refusals are `Unproved`.
pub(crate) fn bind_refusal(result: &LdapResult, entry: Option<&Entry>) -> LoginRefusal {
    match result.rc {
        // invalidCredentials
        49 => active_directory_refusal(&result.text).unwrap_or_else(|| policy_refusal(result, entry)),
        // inappropriateAuthentication: the entry has no password to compare.
        48 => LoginRefusal::WrongPassword,
        // constraintViolation: 389 Directory Server after too many attempts.
        19 => unproved(LoginRefusal::Locked),
        // unwillingToPerform: 389 Directory Server for an inactivated account.
        53 => unproved(LoginRefusal::Disabled),
        // noSuchObject and invalidDNSyntax: the name that direct bind built.
        32 if entry.is_none() => LoginRefusal::UnknownUser,
        34 if entry.is_none() => LoginRefusal::BadUsername,
        _ => LoginRefusal::Unavailable(format!("the password check was answered with {result}")),
    }
}

/// What ppolicy, or its silence, means. It compares the password before it says that it has expired, and after it
/// has found the account locked (slapo-ppolicy).
fn policy_refusal(result: &LdapResult, entry: Option<&Entry>) -> LoginRefusal {
    let is_locked = || entry.is_some_and(|entry| entry.text("pwdAccountLockedTime").is_some());
    match PolicyAnswer::of(result).error {
        Some(PolicyError::PasswordExpired) => LoginRefusal::PasswordExpired { is_changeable: false },
        Some(PolicyError::AccountLocked) => unproved(LoginRefusal::Locked),
        _ if is_locked() => unproved(LoginRefusal::Locked),
        _ => LoginRefusal::WrongPassword,
    }
}

fn unproved(refusal: LoginRefusal) -> LoginRefusal {
    LoginRefusal::Unproved(Box::new(refusal))
}

/// The reason in a text such as `80090308: LdapErr: DSID-0C09042F, comment: AcceptSecurityContext error, data 533, v4563`.
///
/// Windows says all of them after the right password alone, but for the lock.
fn active_directory_refusal(text: &str) -> Option<LoginRefusal> {
    let (_, data) = text.split_once(", data ")?;
    let code = data.split(|c: char| !c.is_ascii_hexdigit()).next()?;
    Some(match code.to_ascii_lowercase().as_str() {
        "525" => LoginRefusal::UnknownUser,
        "52e" => LoginRefusal::WrongPassword,
        "530" | "531" | "534" => LoginRefusal::LogonRestricted,
        "532" => LoginRefusal::PasswordExpired { is_changeable: true },
        "773" => LoginRefusal::PasswordMustChange,
        "533" => LoginRefusal::Disabled,
        "701" => LoginRefusal::Expired,
        "775" => unproved(LoginRefusal::Locked),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::tests::entry;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn state(attribute: &str, value: &str) -> Option<LoginRefusal> {
        state_refusal(&entry("uid=anna", [(attribute, value.as_bytes())]), NOW)
    }

    fn refused_bind(rc: u32, text: &str, entry: Option<&Entry>) -> LoginRefusal {
        let result = LdapResult {
            rc,
            matched: String::new(),
            text: text.to_owned(),
            refs: vec![],
            ctrls: vec![],
        };
        bind_refusal(&result, entry)
    }

    #[test]
    fn flags_of_active_directory_count() {
        assert_eq!(state("userAccountControl", "512"), None);
        assert_eq!(state("userAccountControl", "514"), Some(LoginRefusal::Disabled));
        assert_eq!(
            state("msDS-User-Account-Control-Computed", "16"),
            Some(LoginRefusal::Locked)
        );
    }

    #[test]
    fn an_account_that_ended_has_expired() {
        // 2024-01-01 and 2100-01-01 in ticks since 1601.
        assert_eq!(
            state("accountExpires", "133485408000000000"),
            Some(LoginRefusal::Expired)
        );
        assert_eq!(state("accountExpires", "157469184000000000"), None);
        for never in ["0", "9223372036854775807"] {
            assert_eq!(state("accountExpires", never), None);
        }
        assert_eq!(state("shadowExpire", "19723"), Some(LoginRefusal::Expired));
        assert_eq!(state("shadowExpire", "-1"), None);
    }

    #[test]
    fn a_lock_for_good_counts_and_a_passing_one_is_left_to_the_server() {
        assert_eq!(
            state("pwdAccountLockedTime", "000001010000Z"),
            Some(LoginRefusal::Locked)
        );
        assert_eq!(state("pwdAccountLockedTime", "20261101120000Z"), None);
        let locked = entry(
            "uid=anna",
            [("pwdAccountLockedTime", b"20261101120000Z".as_slice())],
        );
        assert_eq!(
            refused_bind(49, "", Some(&locked)),
            unproved(LoginRefusal::Locked)
        );
        assert_eq!(refused_bind(49, "", None), LoginRefusal::WrongPassword);
    }

    #[test]
    fn the_diagnostics_of_active_directory_are_understood() {
        for (code, refusal) in [
            ("525", LoginRefusal::UnknownUser),
            ("52e", LoginRefusal::WrongPassword),
            ("532", LoginRefusal::PasswordExpired { is_changeable: true }),
            ("533", LoginRefusal::Disabled),
            ("701", LoginRefusal::Expired),
            ("773", LoginRefusal::PasswordMustChange),
            ("775", unproved(LoginRefusal::Locked)),
            ("57", LoginRefusal::WrongPassword),
        ] {
            let text = format!(
                "80090308: LdapErr: DSID-0C09042F, comment: AcceptSecurityContext error, data {code}, v4563"
            );
            assert_eq!(refused_bind(49, &text, None), refusal, "{code}");
        }
    }

    #[test]
    fn a_busy_directory_is_not_the_persons_fault() {
        assert!(matches!(refused_bind(51, "", None), LoginRefusal::Unavailable(_)));
    }
}
