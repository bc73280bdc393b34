//! What another server holds (`docs/directory.md` § Referrals): whether its address is followed, and how far.
//!
//! A server that holds a part of the tree names others for the rest, by a *reference* within an answer (RFC 4511 § 4.5.3) or
//! instead of one (§ 4.1.10). Where it is followed, the search goes on there as the service account, encrypted like the
//! first, and only on hosts that the settings list: whoever can write one entry must not choose who gets our passwords.

mod address;
mod away;
mod check;
mod trail;

pub(crate) use self::address::Rules;
pub(crate) use self::away::Away;
pub(crate) use self::trail::{Place, Trail};

use crate::config::{ConfigFault, DirectoryConfig, fault};

/// What is done about a part of the tree that another server holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Referrals {
    /// The directory is not mirrored as long as a part of it is missing. Logins find who is on the first server.
    #[default]
    Refuse,
    /// What other servers hold does not count.
    Ignore,
    /// The other servers are asked, if they are listed.
    Follow,
}

/// The addresses of servers that all hold the same part, as they were sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference(pub Vec<String>);

impl Reference {
    /// The first address, for a message.
    pub(crate) fn text(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    /// Active Directory refers to parts of itself below each domain, which hold no people.
    pub(crate) fn may_hold_people(&self) -> bool {
        let reference = self.text().to_ascii_lowercase();
        let parts = ["/dc=domaindnszones,", "/dc=forestdnszones,", "/cn=configuration,"];
        !parts.iter().any(|part| reference.contains(part))
    }
}

/// Adds the faults of `referrals` and `referral_hosts`.
pub(crate) fn validate(config: &DirectoryConfig, faults: &mut Vec<ConfigFault>) {
    let follows = config.referrals == Referrals::Follow;
    if follows && config.is_direct_bind() {
        faults.push(fault(
            "referrals",
            "follow",
            "with {username} in bind_dn nobody may look on other servers",
            "name a service account in bind_dn, or write \"refuse\" or \"ignore\"",
        ));
    }
    if follows && config.referral_hosts.is_empty() {
        faults.push(fault(
            "referral_hosts",
            "[]",
            "no host is listed, so that no referral can be followed",
            "list the other servers, such as dc2.example.org, or .example.org for all names below it",
        ));
    }
    for host in &config.referral_hosts {
        let name = host.strip_prefix('.').unwrap_or(host);
        let is_host =
            !name.is_empty() && !name.contains(['/', '*', '@', ',']) && !name.contains(char::is_whitespace);
        // A colon is a port's, or an address's of IPv6.
        let is_host = is_host && (!name.contains(':') || name.parse::<std::net::Ipv6Addr>().is_ok());
        if !is_host {
            faults.push(fault(
                "referral_hosts",
                host,
                "this is no name of a host",
                "write the name alone, such as dc2.example.org, or .example.org for all names below it",
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn following_takes_hosts_and_a_service_account() {
        let config = |hosts: &[&str], bind_dn: &str| DirectoryConfig {
            urls: vec!["ldaps://dc1.example.org".to_owned()],
            base_dn: "dc=example,dc=org".to_owned(),
            bind_dn: bind_dn.to_owned(),
            referrals: Referrals::Follow,
            referral_hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
            ..DirectoryConfig::default()
        };
        let keys = |config: DirectoryConfig| {
            let faults = config.validate().into_iter();
            faults.map(|fault| fault.key).collect::<Vec<_>>()
        };
        assert_eq!(
            keys(config(&["dc2.example.org", ".eu.example.org", "::1"], "")),
            [""; 0]
        );
        assert_eq!(keys(config(&[], "")), ["referral_hosts"]);
        assert_eq!(
            keys(config(&["dc2"], "uid={username},dc=example,dc=org")),
            ["referrals"]
        );
        for host in ["", ".", "*.example.org", "ldap://dc2", "dc2:389", "a b"] {
            assert_eq!(keys(config(&[host], "")), ["referral_hosts"], "{host}");
        }
    }

    #[test]
    fn parts_of_active_directory_without_people_are_known() {
        let holds = |text: &str| Reference(vec![text.to_owned()]).may_hold_people();
        assert!(holds("ldap://eu.x/DC=eu,DC=x"));
        assert!(!holds("ldap://DomainDnsZones.x/DC=DomainDnsZones,DC=x"));
        assert!(!holds("ldap://x/CN=Configuration,DC=x"));
    }
}
