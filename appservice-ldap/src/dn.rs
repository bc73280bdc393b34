//! Distinguished names (RFC 4514): comparing and shortening them.
//!
//! Servers spell one name in several ways (`\,` and `\2C`, blanks around commas, upper and lower case),
//! so that names are compared in a normal form and never as text.

/// The normal form of a name: lower case, no optional blanks, every special character in one spelling,
/// the parts of a multi-valued RDN sorted. `None` if the text is no distinguished name.
pub(crate) fn normalise(dn: &str) -> Option<String> {
    let rdns = split_unescaped(dn, ',');
    let normal: Option<Vec<String>> = rdns.into_iter().map(normalise_rdn).collect();
    Some(normal?.join(","))
}

/// Whether `dn` is `ancestor` or lies below it. Both in normal form.
pub(crate) fn is_within(dn: &str, ancestor: &str) -> bool {
    dn.strip_suffix(ancestor)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with(',') || ancestor.is_empty())
}

/// The name one level up, as it was written; `None` at the top.
pub(crate) fn parent(dn: &str) -> Option<&str> {
    let first = split_unescaped(dn, ',').into_iter().next()?;
    dn.get(first.len() + 1..)
}

/// The value of the first part, of a multi-valued one of its first; `None` if the text is no distinguished name.
pub(crate) fn first_value(dn: &str) -> Option<String> {
    let rdn = split_unescaped(dn, ',').into_iter().next()?;
    let part = split_unescaped(rdn, '+').into_iter().next()?;
    let (_, value) = part.split_once('=')?;
    String::from_utf8(unescape(trim_unescaped(value))?).ok()
}

fn normalise_rdn(rdn: &str) -> Option<String> {
    let parts: Option<Vec<String>> = split_unescaped(rdn, '+')
        .into_iter()
        .map(normalise_part)
        .collect();
    let mut parts = parts?;
    parts.sort_unstable();
    Some(parts.join("+"))
}

fn normalise_part(part: &str) -> Option<String> {
    let (name, value) = part.split_once('=')?;
    let name = name.trim();
    if name.is_empty() {
        return None;
    }
    let value = String::from_utf8(unescape(trim_unescaped(value))?).ok()?;
    // Servers match names without regard to case; blanks inside a value count once (RFC 4518 § 2.6.1).
    let value = value
        .to_lowercase()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    Some(format!("{}={}", name.to_lowercase(), ldap3::dn_escape(value)))
}

/// Cuts at each separator that no backslash hides. Always gives at least one piece.
fn split_unescaped(text: &str, separator: char) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut start, mut is_escaped) = (0, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if c == separator => {
                pieces.extend(text.get(start..at));
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    pieces.extend(text.get(start..));
    pieces
}

/// Drops blanks at both ends, but keeps one that a backslash protects.
fn trim_unescaped(value: &str) -> &str {
    let value = value.trim_start();
    let trimmed = value.trim_end();
    let backslashes = trimmed.chars().rev().take_while(|c| *c == '\\').count();
    match value.get(..trimmed.len() + 1) {
        Some(with_blank) if backslashes % 2 == 1 => with_blank,
        _ => trimmed,
    }
}

/// Resolves `\,` and `\2C`; `None` if a backslash stands at the end.
fn unescape(value: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let mut ahead = rest.clone();
        let first = ahead.next()?;
        match (hex_digit(first), ahead.next().and_then(hex_digit)) {
            (Some(high), Some(low)) => {
                bytes.push(high << 4 | low);
                rest = ahead;
            }
            _ => {
                bytes.push(first);
                rest.next();
            }
        }
    }
    Some(bytes)
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spellings_of_one_name_are_equal() {
        let expected = normalise("cn=weber\\, anna,ou=people,dc=nordlicht,dc=example").unwrap();
        for spelling in [
            "CN=Weber\\, Anna, OU=People, DC=Nordlicht, DC=example",
            "cn=Weber\\2C Anna,ou=people,dc=nordlicht,dc=example",
            "cn = Weber\\2c  Anna ,ou=people,dc=nordlicht,dc=example",
        ] {
            assert_eq!(normalise(spelling).unwrap(), expected, "{spelling}");
        }
        assert_eq!(normalise("cn=a+uid=b,dc=x"), normalise("uid=b+cn=a,dc=x"));
    }

    #[test]
    fn different_names_stay_different() {
        assert_ne!(normalise("cn=a\\,dc=x"), normalise("cn=a,dc=x"));
        assert_ne!(normalise("cn=a\\+b,dc=x"), normalise("cn=a+b=c,dc=x"));
    }

    #[test]
    fn texts_that_are_no_names_are_refused() {
        for text in ["", "engineering", "cn=a,", "=a,dc=x", "cn=a\\", "DOMAIN\\user"] {
            assert_eq!(normalise(text), None, "{text}");
        }
    }

    #[test]
    fn lying_within_respects_commas() {
        assert!(is_within("ou=a,dc=x", "dc=x"));
        assert!(is_within("dc=x", "dc=x"));
        assert!(is_within("dc=x", ""));
        assert!(!is_within("ou=a,zdc=x", "dc=x"));
    }

    #[test]
    fn the_parent_skips_escaped_commas() {
        assert_eq!(parent("cn=a\\,b,ou=groups,dc=x"), Some("ou=groups,dc=x"));
        assert_eq!(parent("dc=x"), None);
    }

    #[test]
    fn the_first_value_is_unescaped() {
        let first = |dn| first_value(dn).unwrap_or_default();
        assert_eq!(
            first("cn=research \\2b development,ou=groups"),
            "research + development"
        );
        assert_eq!(first("cn=a+ou=b,dc=x"), "a");
        assert_eq!(first_value("sales"), None);
    }

    proptest! {
        #[test]
        fn an_escaped_value_survives_and_normalising_twice_changes_nothing(value in "[^\\s\\p{C}]{1,12}") {
            let dn = format!("cn={},dc=x", ldap3::dn_escape(value.as_str()));
            let normal = normalise(&dn).unwrap();
            prop_assert_eq!(normalise(&normal).unwrap(), normal.clone());
            prop_assert_eq!(parent(&normal), Some("dc=x"));
            let upper = format!("CN={},DC=x", ldap3::dn_escape(value.as_str()));
            prop_assert_eq!(normalise(&upper).unwrap(), normal);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}") {
            let _ = normalise(&text);
            let _ = parent(&text);
        }
    }
}
