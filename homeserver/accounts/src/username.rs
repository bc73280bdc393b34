use ruma::{OwnedUserId, ServerName, UserId};

use crate::AccountError;

/// CS API § User Identifiers: the whole ID, `@` and server name included.
const USER_ID_BYTES_MAX: usize = 255;

/// Reads what a person types as their name: a localpart or a whole user ID of this server. Letters are made small, as
/// new user IDs have only small ones. `None` for IDs of other servers.
pub(crate) fn localpart_of(typed: &str, server_name: &ServerName) -> Option<String> {
    let localpart = match typed.strip_prefix('@') {
        Some(rest) => rest.strip_suffix(server_name.as_str())?.strip_suffix(':')?,
        None => typed,
    };
    Some(localpart.to_lowercase())
}

/// As [`localpart_of`], for who means it letter by letter.
pub(crate) fn localpart_as_typed<'a>(typed: &'a str, server_name: &ServerName) -> Option<&'a str> {
    match typed.strip_prefix('@') {
        Some(rest) => rest.strip_suffix(server_name.as_str())?.strip_suffix(':'),
        None => Some(typed),
    }
}

/// Checks the name of a new account (CS API § User Identifiers).
pub(crate) fn judge_localpart(
    localpart: &str,
    server_name: &ServerName,
) -> Result<OwnedUserId, AccountError> {
    // Names that start so are kept for application services by custom.
    if localpart.starts_with('_') {
        return Err(AccountError::InvalidUsername(
            "User names do not start with an underscore.",
        ));
    }
    judge_service_localpart(localpart, server_name)
}

/// As [`judge_localpart`], for the names that application services give (AS API § Registration).
pub(crate) fn judge_service_localpart(
    localpart: &str,
    server_name: &ServerName,
) -> Result<OwnedUserId, AccountError> {
    if localpart.is_empty() {
        return Err(AccountError::InvalidUsername("The user name is empty."));
    }
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._=-/+".contains(c);
    if !localpart.chars().all(allowed) {
        return Err(AccountError::InvalidUsername(
            "User names consist of a-z, 0-9 and ._=-/+",
        ));
    }
    if localpart.len() + server_name.as_str().len() + 2 > USER_ID_BYTES_MAX {
        return Err(AccountError::InvalidUsername("The user name is too long."));
    }
    UserId::parse_with_server_name(localpart, server_name)
        .map_err(|_| AccountError::InvalidUsername("This is not a valid user name."))
}

#[cfg(test)]
mod tests {
    use ruma::server_name;

    use super::*;

    #[test]
    fn names_are_read_as_people_type_them() {
        let server = server_name!("example.org:8448");
        assert_eq!(localpart_of("Alice", server).as_deref(), Some("alice"));
        assert_eq!(
            localpart_of("@alice:example.org:8448", server).as_deref(),
            Some("alice")
        );
        assert_eq!(localpart_of("@alice:example.org", server), None);
        assert_eq!(localpart_of("@alice:evil.example.org:8448", server), None);
    }

    #[test]
    fn only_the_specified_letters_make_a_name() {
        let server = server_name!("example.org");
        for good in ["alice", "a.b_c=d-e/f+9", &"a".repeat(242)] {
            assert!(judge_localpart(good, server).is_ok(), "{good}");
        }
        for bad in [
            "",
            "Alice",
            "al ice",
            "älice",
            "a:b",
            "@a",
            "_a",
            &"a".repeat(243),
        ] {
            assert!(judge_localpart(bad, server).is_err(), "{bad}");
        }
    }
}
