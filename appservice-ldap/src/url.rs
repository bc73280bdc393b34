//! Where a directory server listens.

use url::{Host, Url};

/// A checked `ldap://` or `ldaps://` address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DirectoryUrl {
    /// As configured; names the server in logs and errors.
    pub text: String,
    /// Name or address without brackets, as a resolver takes it.
    pub host: String,
    /// 389 or 636 unless written.
    pub port: u16,
    /// Encrypted from the first byte.
    pub is_ldaps: bool,
}

impl DirectoryUrl {
    /// Reads an address; the error completes the sentence "this setting is wrong because".
    pub(crate) fn parse(text: &str, start_tls: bool) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| format!("this is no address ({error})"))?;
        let is_ldaps = match url.scheme() {
            "ldap" => false,
            "ldaps" => true,
            other => return Err(format!("{other}:// is not a directory protocol")),
        };
        let has_extras = !matches!(url.path(), "" | "/")
            || url.query().is_some()
            || url.fragment().is_some()
            || !url.username().is_empty();
        if has_extras {
            return Err("an address holds only a host and a port".to_owned());
        }
        let Some(name) = url.host_str().filter(|name| !name.is_empty()) else {
            return Err("the host is missing".to_owned());
        };
        // The parser leaves hosts of schemes it does not know as text, brackets around IPv6 included.
        let is_ipv6 = matches!(url.host(), Some(Host::Ipv6(_)));
        if is_ipv6 && (is_ldaps || start_tls) {
            return Err("a certificate cannot be checked against an IPv6 literal".to_owned());
        }
        Ok(Self {
            host: name.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: url.port().unwrap_or(if is_ldaps { 636 } else { 389 }),
            text: text.to_owned(),
            is_ldaps,
        })
    }

    /// Host and port, the same for all spellings.
    pub(crate) fn endpoint(&self) -> String {
        format!("{}:{}", self.host.to_ascii_lowercase(), self.port)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn ports_have_defaults() {
        assert_eq!(DirectoryUrl::parse("ldap://dc1", false).unwrap().port, 389);
        assert_eq!(DirectoryUrl::parse("ldaps://dc1/", false).unwrap().port, 636);
        assert_eq!(DirectoryUrl::parse("ldaps://dc1:3269", false).unwrap().port, 3269);
    }

    #[test]
    fn an_ipv6_literal_is_connectable_without_encryption_only() {
        assert_eq!(
            DirectoryUrl::parse("ldap://[::1]:1389", false).unwrap().host,
            "::1"
        );
        assert!(DirectoryUrl::parse("ldaps://[::1]", false).is_err());
        assert!(DirectoryUrl::parse("ldap://[::1]", true).is_err());
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "dc1.example.org",
            "http://dc1",
            "ldap://",
            "ldap:dc1",
            "ldap:///dc=org",
            "ldap://dc1/dc=org",
            "ldap://me@dc1",
            "ldapi:///",
        ] {
            assert!(DirectoryUrl::parse(text, false).is_err(), "{text}");
        }
    }
}
