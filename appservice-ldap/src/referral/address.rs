//! The address in a reference (RFC 4516): which server, how to reach it, and what to ask there.

use ldap3::{Scope, get_url_params};
use url::Url;

use super::trail::{Place, Stop};
use super::{Reference, Referrals};
use crate::config::DirectoryConfig;
use crate::connection::Dialling;
use crate::url::DirectoryUrl;

/// What the settings say of references.
#[derive(Debug)]
pub(crate) struct Rules {
    pub policy: Referrals,
    /// In small letters; a leading dot stands for all names below.
    hosts: Vec<String>,
    /// Whether any of the first servers is asked over LDAPS: then others are, too.
    is_ldaps: bool,
    dialling: Dialling,
}

impl Rules {
    /// `urls` are those of the first servers.
    pub(crate) fn new(config: &DirectoryConfig, urls: &[DirectoryUrl], dialling: &Dialling) -> Self {
        let hosts = config.referral_hosts.iter();
        Self {
            policy: config.referrals,
            hosts: hosts.map(|host| host.to_ascii_lowercase()).collect(),
            is_ldaps: urls.iter().any(|url| url.is_ldaps),
            dialling: dialling.clone(),
        }
    }

    pub(crate) fn follows(&self) -> bool {
        self.policy == Referrals::Follow
    }

    /// How to connect to a server of this address: as to the first ones, but for StartTLS on what is encrypted already.
    pub(crate) fn dialling(&self, url: &DirectoryUrl) -> Dialling {
        Dialling {
            start_tls: self.dialling.start_tls && !url.is_ldaps,
            ..self.dialling.clone()
        }
    }

    /// Where the search that met this reference goes on: the servers that may be asked, in their order. The error says why
    /// there is none.
    pub(super) fn stops(&self, reference: &Reference, from: &Place) -> Result<Vec<Stop>, String> {
        let mut problems = Vec::new();
        let mut stops = Vec::new();
        for address in &reference.0 {
            match self.stop(address, from) {
                Ok(stop) => stops.push(stop),
                Err(problem) => problems.push(problem),
            }
        }
        match stops.is_empty() {
            true => Err(problems.join("; ")),
            false => Ok(stops),
        }
    }

    fn stop(&self, address: &str, from: &Place) -> Result<Stop, String> {
        let url = Url::parse(address).map_err(|error| format!("this is no address ({error})"))?;
        let is_ldaps = match url.scheme() {
            "ldap" => self.is_ldaps,
            "ldaps" => true,
            other => return Err(format!("{other}:// is not a directory protocol")),
        };
        let host = url.host_str().unwrap_or_default();
        if !self.allows(host) {
            return Err(format!("{host:?} is not among referral_hosts"));
        }
        let scheme = if is_ldaps { "ldaps" } else { "ldap" };
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let start_tls = self.dialling.start_tls && !is_ldaps;
        let server = DirectoryUrl::parse(&format!("{scheme}://{host}{port}"), start_tls)?;
        Ok(Stop {
            server,
            place: place(&url, from)?,
        })
    }

    fn allows(&self, host: &str) -> bool {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let is_meant = |listed: &String| match listed.starts_with('.') {
            true => host.len() > listed.len() && host.ends_with(listed.as_str()),
            false => host == *listed,
        };
        self.hosts.iter().any(is_meant)
    }
}

/// What the address does not say is as it was (RFC 4511 § 4.5.3). Errors: an extension that must be understood, and is not.
fn place(url: &Url, from: &Place) -> Result<Place, String> {
    let said = get_url_params(url).map_err(|error| error.to_string())?;
    let mut parts = url.query().unwrap_or_default().split('?').skip(1);
    let mut says = || parts.next().is_some_and(|part| !part.is_empty());
    let (says_scope, says_filter) = (says(), says());
    let filter = match says_filter {
        true => said.filter.into_owned(),
        false => from.filter.clone(),
    };
    if ldap3::parse_filter(&filter).is_err() {
        return Err("its filter is none".to_owned());
    }
    Ok(Place {
        base: match said.base.is_empty() {
            true => from.base.clone(),
            false => said.base.into_owned(),
        },
        scope: if says_scope { said.scope } else { from.scope },
        filter,
    })
}

/// Scopes in order, for what has to be told apart.
pub(super) fn scope_number(scope: Scope) -> u8 {
    match scope {
        Scope::Base => 0,
        Scope::OneLevel => 1,
        Scope::Subtree => 2,
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::path::Path;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    pub(in crate::referral) fn rules(url: &str, start_tls: bool, hosts: &[&str]) -> Rules {
        let config = DirectoryConfig {
            referrals: Referrals::Follow,
            referral_hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
            ..DirectoryConfig::default()
        };
        let limit = Duration::from_secs(1);
        let dialling = Dialling {
            tls: crate::tls::client_config(Path::new("")).unwrap(),
            start_tls,
            connect_timeout: limit,
            request_timeout: limit,
        };
        Rules::new(
            &config,
            &[DirectoryUrl::parse(url, start_tls).unwrap()],
            &dialling,
        )
    }

    pub(in crate::referral) fn people() -> Place {
        Place {
            base: "ou=people,dc=x".to_owned(),
            scope: Scope::Subtree,
            filter: "(uid=anna)".to_owned(),
        }
    }

    fn stop(rules: &Rules, address: &str) -> Result<Stop, String> {
        rules.stop(address, &people())
    }

    #[test]
    fn other_servers_are_reached_as_safely_as_the_first() {
        let reached = |url: &str, start_tls, address: &str| {
            let rules = rules(url, start_tls, &["b"]);
            let server = stop(&rules, address).unwrap().server;
            (server.is_ldaps, server.port, rules.dialling(&server).start_tls)
        };
        assert_eq!(reached("ldaps://a", false, "ldap://b"), (true, 636, false));
        assert_eq!(reached("ldaps://a", false, "ldap://b:1636"), (true, 1636, false));
        assert_eq!(reached("ldap://a", true, "ldap://b"), (false, 389, true));
        assert_eq!(reached("ldap://a", true, "ldaps://b"), (true, 636, false));
        assert_eq!(reached("ldap://a", false, "ldap://b"), (false, 389, false));
        assert_eq!(reached("ldap://a", false, "ldaps://b"), (true, 636, false));
    }

    #[test]
    fn only_hosts_that_are_listed_are_asked() {
        let rules = rules("ldaps://a", false, &["DC2.example.org", ".eu.example.org"]);
        for allowed in ["dc2.EXAMPLE.org", "dc2.example.org.", "dc1.eu.example.org"] {
            assert!(
                stop(&rules, &format!("ldap://{allowed}/dc=x")).is_ok(),
                "{allowed}"
            );
        }
        for other in [
            "dc3.example.org",
            "eu.example.org",
            "evil-eu.example.org",
            "dc2.example.org.evil.example",
            "dc2.example.org@evil.example",
            "",
        ] {
            assert!(stop(&rules, &format!("ldap://{other}/dc=x")).is_err(), "{other}");
        }
        assert!(stop(&rules, "http://dc2.example.org/").is_err());
    }

    #[test]
    fn what_an_address_does_not_say_is_as_it_was() {
        let rules = rules("ldap://a", false, &["b"]);
        let asked = |address: &str| stop(&rules, address).map(|stop| stop.place);
        assert_eq!(asked("ldap://b"), Ok(people()));
        assert_eq!(asked("ldap://b/??"), Ok(people()));
        let sales = Place {
            base: "ou=sales staff,dc=y".to_owned(),
            ..people()
        };
        assert_eq!(asked("ldap://b/ou=sales%20staff,dc=y??sub"), Ok(sales.clone()));
        let narrow = Place {
            scope: Scope::Base,
            filter: "(mail=a*)".to_owned(),
            ..sales
        };
        assert_eq!(
            asked("ldap://b/ou=sales%20staff,dc=y?uid?base?(mail=a*)"),
            Ok(narrow)
        );
        for wrong in [
            "ldap://b/??all",
            "ldap://b/???(uid",
            "ldap://b/????!bindname-2=x",
            "ldap://b/%ff",
        ] {
            assert!(asked(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_address_makes_it_panic(rest in "\\PC{0,60}") {
            let rules = rules("ldaps://a", false, &["b"]);
            let _ = stop(&rules, &rest);
            let _ = stop(&rules, &format!("ldap://b/{rest}"));
            let _ = stop(&rules, &format!("ldap://{rest}"));
        }
    }
}
