use std::{collections::HashMap, time::Duration};

use echorift_events::SigningKey;
use echorift_web::outbound::OutboundOptions;
use ruma::{MilliSecondsSinceUnixEpoch, OwnedServerName, OwnedServerSigningKeyId};

use crate::policy::PolicyOptions;

/// `[federation]` of the configuration, and what the server is.
#[derive(Debug, Clone)]
pub struct FederationOptions {
    pub server_name: OwnedServerName,
    pub signing_key: SigningKey,
    /// Keys that signed earlier events, and sign no more.
    pub old_keys: Vec<OldKey>,
    /// Where these servers are, ahead of all discovery. Their certificates are checked all the same.
    pub hosts: HashMap<OwnedServerName, HostAndPort>,
    /// Notaries that are asked for the keys of servers that do not answer.
    pub trusted_key_servers: Vec<OwnedServerName>,
    /// Whether other servers learn the names that people gave their devices.
    pub share_device_names: bool,
    /// Whether other servers may read the list of public rooms.
    pub public_directory: bool,
    pub policy: PolicyOptions,
    /// `[outbound]`: authorities, denied addresses, times.
    pub outbound: OutboundOptions,
    /// How long a server that failed once is left alone; the time doubles up to the second value.
    pub retry_initial_delay: Duration,
    pub retry_max_delay: Duration,
}

/// A signing key of ours that was retired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldKey {
    pub key_id: OwnedServerSigningKeyId,
    /// The public half, in unpadded base64.
    pub public_key: String,
    /// Nothing later was signed with it.
    pub expired: MilliSecondsSinceUnixEpoch,
}

/// What the operator writes in `[federation.hosts]`: an address or a name, and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostAndPort {
    /// Without brackets.
    pub host: String,
    pub port: u16,
}

impl HostAndPort {
    /// Reads `host:port`, `192.0.2.1:8448` or `[2001:db8::1]:8448`.
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let host = match inner {
            Some(literal) => literal.parse::<std::net::Ipv6Addr>().ok().map(|_| literal)?,
            None if host.is_empty() || host.contains([':', '/', '[', ']', ' ']) => return None,
            None => host,
        };
        Some(Self {
            host: host.to_owned(),
            port: port.parse().ok().filter(|port| *port != 0)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_a_port() {
        let parsed = |text| HostAndPort::parse(text).map(|found| (found.host, found.port));
        assert_eq!(parsed("127.0.0.1:8448"), Some(("127.0.0.1".to_owned(), 8448)));
        assert_eq!(parsed("[::1]:1"), Some(("::1".to_owned(), 1)));
        assert_eq!(parsed("hs.example:443"), Some(("hs.example".to_owned(), 443)));
        for wrong in [
            "hs.example",
            ":1",
            "hs:0",
            "::1:8448",
            "[hs]:1",
            "https://a:1",
            "a:99999",
        ] {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
    }
}
