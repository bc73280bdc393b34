use std::{net::IpAddr, path::PathBuf};

use serde_json::{Map, Value, json};

use super::{ManagedOptions, SfuKey, SfuPorts, UdpPorts, address_towards};

/// Under which address clients send their media.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeAddress {
    /// The machine's own, as LiveKit finds it.
    Detected,
    /// The one that the machine has towards the internet, found by asking a STUN server.
    External,
    Given(IpAddr),
}

/// The TURN server inside LiveKit (`[calls.livekit.turn]`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddedTurn {
    /// The name in the certificate; needed for TLS only.
    pub domain: String,
    /// 0: not by UDP.
    pub udp_port: u16,
    /// 0: not by TLS. Clients are told port 443 whatever this is, so that something must lead from there to here.
    pub tls_port: u16,
    pub tls: TurnTls,
    /// The ports out of which relayed media goes, first and last.
    pub relay_ports: (u16, u16),
    /// Private networks, as `10.0.0.0/8`, that may be relayed to. Others never are.
    pub allowed_peers: Vec<String>,
}

/// Who speaks TLS with the clients of the embedded TURN server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TurnTls {
    /// A proxy before it.
    Outside,
    /// It itself, with these PEM files.
    Inside { certificate: PathBuf, key: PathBuf },
}

/// A TURN server elsewhere, with which this server shares a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct TurnServer {
    pub host: String,
    pub port: u16,
    /// `udp`, `tcp` or `tls`.
    pub protocol: &'static str,
    pub secret: String,
    pub lifetime_seconds: u64,
}

impl TurnServer {
    /// Reads `turn:host:port?transport=udp`; `None` for what LiveKit cannot hand on.
    pub fn parse(uri: &str, secret: &str, lifetime_seconds: u64) -> Option<Self> {
        let (scheme, rest) = uri.split_once(':')?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let transport = query.strip_prefix("transport=").unwrap_or("udp");
        let (protocol, usual_port) = match (scheme, transport) {
            ("turn", "udp") => ("udp", 3478),
            ("turn", "tcp") => ("tcp", 3478),
            ("turns", _) => ("tls", 5349),
            _ => return None,
        };
        let (host, port) = match place.rsplit_once(':') {
            // A colon inside brackets belongs to the address.
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
            _ => (place, usual_port),
        };
        Some(Self {
            host: host.to_owned(),
            port,
            protocol,
            secret: secret.to_owned(),
            lifetime_seconds,
        })
    }
}

/// LiveKit's configuration: YAML, of which JSON is a part. The same options give the same text, by which a running
/// SFU is known to be configured as wanted.
pub(super) fn livekit_config(options: &ManagedOptions, key: &SfuKey, ports: SfuPorts) -> String {
    let mut keys = Map::new();
    keys.insert(key.key.clone(), Value::from(key.secret.as_str()));
    let mut config = json!({
        "port": ports.signal,
        // Signalling and administration are reached through this server alone. Media ports bind by themselves.
        "bind_addresses": ["127.0.0.1"],
        "keys": keys,
        "rtc": rtc(options, ports),
        // Who may open a room is decided here (MSC4195 § Rooms).
        "room": { "auto_create": false, "empty_timeout": 300, "departure_timeout": 20, "enable_remote_unmute": false },
        "webhook": { "api_key": key.key, "urls": [options.webhook_url] },
        "logging": { "json": true, "level": "info" },
    });
    if let Some(region) = &options.region {
        put(&mut config, "region", region.as_str());
    }
    if let Some(turn) = &options.turn {
        put(&mut config, "turn", embedded_turn(turn));
    }
    config.to_string()
}

fn rtc(options: &ManagedOptions, ports: SfuPorts) -> Value {
    let mut rtc = json!({ "tcp_port": ports.rtc_tcp, "use_external_ip": false });
    match ports.rtc_udp {
        UdpPorts::One(port) => put(&mut rtc, "udp_port", port),
        UdpPorts::Range(first, last) => {
            put(&mut rtc, "port_range_start", first);
            put(&mut rtc, "port_range_end", last);
        }
    }
    match options.node {
        NodeAddress::Detected => {}
        NodeAddress::External => put(&mut rtc, "use_external_ip", true),
        NodeAddress::Given(address) => {
            put(&mut rtc, "node_ip", address.to_string());
            if let (UdpPorts::One(_), Some(local)) = (ports.rtc_udp, address_towards(address)) {
                put(&mut rtc, "ips", json!({ "includes": listened_on(local) }));
            }
            // Without it nothing would listen where clients are told to send.
            put(&mut rtc, "enable_loopback_candidate", address.is_loopback());
        }
    }
    if !options.stun_servers.is_empty() {
        put(&mut rtc, "stun_servers", options.stun_servers.clone());
    }
    if !options.turn_servers.is_empty() {
        let servers = options.turn_servers.iter().map(|server| {
            json!({
                "host": server.host,
                "port": server.port,
                "protocol": server.protocol,
                "secret": server.secret,
                "ttl": server.lifetime_seconds,
            })
        });
        put(&mut rtc, "turn_servers", servers.collect::<Value>());
    }
    rtc
}

/// The networks in which a LiveKit with one UDP port looks for its own addresses: the one at which media for its node address
/// arrives, and all of the other family. Of several it would use one alone for that address, by chance.
fn listened_on(local: IpAddr) -> [String; 2] {
    match local {
        IpAddr::V4(_) => [format!("{local}/32"), "::/0".to_owned()],
        IpAddr::V6(_) => [format!("{local}/128"), "0.0.0.0/0".to_owned()],
    }
}

fn embedded_turn(turn: &EmbeddedTurn) -> Value {
    let mut config = json!({
        "enabled": true,
        "domain": turn.domain,
        "udp_port": turn.udp_port,
        "tls_port": turn.tls_port,
        "relay_range_start": turn.relay_ports.0,
        "relay_range_end": turn.relay_ports.1,
        "allow_restricted_peer_cidrs": turn.allowed_peers,
    });
    match &turn.tls {
        TurnTls::Outside => put(&mut config, "external_tls", true),
        TurnTls::Inside { certificate, key } => {
            put(&mut config, "cert_file", certificate.display().to_string());
            put(&mut config, "key_file", key.display().to_string());
        }
    }
    config
}

fn put(object: &mut Value, key: &str, value: impl Into<Value>) {
    if let Value::Object(map) = object {
        map.insert(key.to_owned(), value.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turn_uris_are_handed_on_as_livekit_writes_them() {
        let parse = |uri: &str| {
            let server = TurnServer::parse(uri, "s", 60)?;
            Some((server.host, server.port, server.protocol))
        };
        let place = |host: &str, port, protocol| Some((host.to_owned(), port, protocol));
        assert_eq!(parse("turn:a.org:1?transport=udp"), place("a.org", 1, "udp"));
        assert_eq!(parse("turn:a.org?transport=tcp"), place("a.org", 3478, "tcp"));
        assert_eq!(parse("turn:a.org"), place("a.org", 3478, "udp"));
        assert_eq!(parse("turns:a.org"), place("a.org", 5349, "tls"));
        assert_eq!(parse("turns:a.org:443?transport=tcp"), place("a.org", 443, "tls"));
        assert_eq!(parse("turn:[2001:db8::1]"), place("[2001:db8::1]", 3478, "udp"));
        assert_eq!(parse("turn:[2001:db8::1]:9"), place("[2001:db8::1]", 9, "udp"));
        for wrong in [
            "stun:a.org",
            "turn:a.org:x",
            "turn:a.org?transport=smoke",
            "a.org",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
