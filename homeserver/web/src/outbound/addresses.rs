//! Which addresses this server may connect to on behalf of others.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

/// Everything that is not the public internet, by the registries of special-purpose addresses (RFC 6890 and its
/// updates): own machine, private networks, link-local, shared, documentation, benchmarks, multicast, reserved, and
/// the transition prefixes that carry an IPv4 address inside.
const NOT_PUBLIC: [&str; 31] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "192.175.48.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "2620:4f:8000::/48",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/9",
    "ff00::/8",
];

/// One entry of `outbound.denied_ip_ranges`, of `outbound.allowed_ip_ranges` or of a network's `ranges`: an address, a range in CIDR notation, or
/// the word `private` for all that is not public.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpRanges(Vec<IpNet>);

/// The text is neither an address, nor a range, nor `private`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoIpRange;

impl FromStr for IpRanges {
    type Err = NoIpRange;

    fn from_str(text: &str) -> Result<Self, NoIpRange> {
        if text == "private" {
            return Ok(Self::not_public());
        }
        let net = text
            .parse()
            .ok()
            .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
        net.map(|net| Self(vec![net])).ok_or(NoIpRange)
    }
}

impl IpRanges {
    fn not_public() -> Self {
        Self(NOT_PUBLIC.iter().filter_map(|range| range.parse().ok()).collect())
    }

    /// An IPv4 address in IPv6 clothes is judged as what it is.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|net| net.contains(&address))
    }
}

/// What is denied, and what is allowed all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressPolicy {
    pub denied: Vec<IpRanges>,
    /// Goes before `denied`.
    pub allowed: Vec<IpRanges>,
}

impl Default for AddressPolicy {
    fn default() -> Self {
        Self {
            denied: vec![IpRanges::not_public()],
            allowed: Vec::new(),
        }
    }
}

impl AddressPolicy {
    /// Whether a connection may go to this address.
    pub fn permits(&self, address: IpAddr) -> bool {
        self.allowed.iter().any(|ranges| ranges.contains(address))
            || !self.denied.iter().any(|ranges| ranges.contains(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permits(policy: &AddressPolicy, address: &str) -> bool {
        policy.permits(address.parse().unwrap_or_else(|_| IpAddr::from([0, 0, 0, 0])))
    }

    #[test]
    fn only_public_addresses_are_permitted_by_default() {
        let policy = AddressPolicy::default();
        assert_eq!(
            NOT_PUBLIC.len(),
            IpRanges::not_public().0.len(),
            "a range does not parse"
        );
        for public in [
            "1.1.1.1",
            "93.184.216.34",
            "172.32.0.1",
            "2606:4700::1111",
            "2a00:1450::1",
        ] {
            assert!(permits(&policy, public), "{public}");
        }
        for other in [
            "127.0.0.1",
            "127.255.255.254",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::7f00:1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
        ] {
            assert!(!permits(&policy, other), "{other}");
        }
    }

    #[test]
    fn an_allowed_range_goes_before_a_denied_one() {
        let range = |text: &str| text.parse::<IpRanges>().into_iter().collect::<Vec<_>>();
        let policy = AddressPolicy {
            denied: range("private"),
            allowed: range("127.0.0.2"),
        };
        assert!(permits(&policy, "127.0.0.2"));
        assert!(permits(&policy, "::ffff:127.0.0.2"));
        assert!(!permits(&policy, "127.0.0.1"));
        let open = AddressPolicy {
            denied: Vec::new(),
            allowed: Vec::new(),
        };
        assert!(permits(&open, "127.0.0.1"));
    }

    #[test]
    fn a_range_is_an_address_a_network_or_the_word_private() {
        for good in ["private", "10.0.0.0/8", "10.1.2.3", "fd00::/8", "::1"] {
            assert!(good.parse::<IpRanges>().is_ok(), "{good}");
        }
        for bad in ["", "public", "10.0.0.0/33", "10.0.0", "example.org"] {
            assert_eq!(bad.parse::<IpRanges>(), Err(NoIpRange), "{bad}");
        }
    }
}
