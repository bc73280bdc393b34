//! `[calls.livekit]`: the SFU that carries the media of calls.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use echorift_calls::{EmbeddedTurn, NodeAddress, SfuPorts, TurnTls, UdpPorts};
use reqwest::Url;

use super::secret::Secret;
use super::table::Table;

/// LiveKit takes shorter ones and complains; they sign what lets people into calls.
const SECRET_CHARS_MIN: usize = 32;

/// Where calls go.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum LivekitSettings {
    Off,
    /// This server runs the SFU.
    Managed(Box<ManagedSettings>),
    /// Others do: at least one, the preferred first.
    External(Vec<ExternalSfu>),
}

/// An SFU of this server's own.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ManagedSettings {
    pub(crate) binary: String,
    pub(crate) ports: SfuPorts,
    pub(crate) node: NodeAddress,
    pub(crate) region: Option<String>,
    /// Where the operator wrote them.
    pub(crate) key: Option<(String, Secret)>,
    pub(crate) stun_servers: Vec<String>,
    pub(crate) turn: Option<EmbeddedTurn>,
    pub(crate) drain: Duration,
    pub(crate) keep_on_stop: bool,
}

/// An SFU that others run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ExternalSfu {
    /// Empty for the one that stands in `[calls.livekit]` itself.
    pub(crate) name: String,
    pub(crate) region: Option<String>,
    pub(crate) url: String,
    pub(crate) api_url: String,
    pub(crate) api_key: String,
    pub(crate) api_secret: Secret,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Managed,
    External,
    Off,
}

impl LivekitSettings {
    /// Everything is read in any mode, so that wrong keys are told.
    pub(super) fn read(table: &mut Table<'_, '_>, public_base_url: &str) -> Self {
        let others = [("external", Mode::External), ("off", Mode::Off)];
        let mode = table.choice("mode", ("managed", Mode::Managed), &others);
        let is_external = mode == Mode::External;
        let managed = ManagedSettings::read(table, public_base_url);
        let only = Draft::read(table, String::new(), managed.region.clone());
        let named = table.tables("server", |table| {
            let name = table.text("name", "");
            let region = filled(table.text("region", ""));
            let draft = Draft::read(table, name, region);
            is_external.then(|| draft.finish_named(table)).flatten()
        });
        match mode {
            Mode::Off => Self::Off,
            Mode::Managed => Self::Managed(Box::new(ManagedSettings {
                key: only.managed_key(table),
                ..managed
            })),
            Mode::External => {
                let only = (only.is_written() || named.is_none()).then(|| only.finish(table));
                let named = named.unwrap_or_default();
                let sfus: Vec<ExternalSfu> = only.into_iter().chain(named).flatten().collect();
                refuse_doubles(table, &sfus);
                Self::External(sfus)
            }
        }
    }
}

impl ManagedSettings {
    fn read(table: &mut Table<'_, '_>, public_base_url: &str) -> Self {
        let fix = "Write a range such as \"50000-50100\", a single port, or \"0\" for a free one.";
        let udp = table.parsed("rtc_udp_ports", "50000-50100", parse_udp_ports, fix);
        let ports = SfuPorts {
            signal: read_port(table, "port", 7880),
            rtc_tcp: read_port(table, "rtc_tcp_port", 7881),
            rtc_udp: udp.unwrap_or(UdpPorts::Range(50_000, 50_100)),
        };
        if ports.signal != 0 && ports.signal == ports.rtc_tcp {
            let fix = "Give each a port of its own; the defaults are 7880 and 7881.";
            table.refuse("rtc_tcp_port", "is the same as calls.livekit.port", fix);
        }
        let drain = table.duration("drain", "10s");
        if drain > Duration::from_secs(3_600) {
            let fix = "Write an hour at most; with keep_on_stop = true calls need not end at all.";
            table.refuse("drain", "would hold up the stop of the server", fix);
        }
        Self {
            binary: table.text("binary", "livekit-server"),
            ports,
            node: read_node(table, public_base_url),
            region: filled(table.text("region", "")),
            key: None,
            stun_servers: read_stun_servers(table),
            turn: table.table("turn", read_turn),
            drain,
            keep_on_stop: table.flag("keep_on_stop", false),
        }
    }
}

fn filled(text: String) -> Option<String> {
    if text.is_empty() { None } else { Some(text) }
}

fn read_port(table: &mut Table<'_, '_>, key: &str, default: u16) -> u16 {
    let port = table.whole(key, u32::from(default), 0..=65_535);
    u16::try_from(port).unwrap_or(default)
}

fn parse_udp_ports(text: &str) -> Option<UdpPorts> {
    match text.split_once('-') {
        None => text.trim().parse().ok().map(UdpPorts::One),
        Some(_) => parse_range(text).map(|(first, last)| UdpPorts::Range(first, last)),
    }
}

/// `first-last`, both above 0 and in this order.
fn parse_range(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-')?;
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (0 < first && first < last).then_some((first, last))
}

/// Where clients send media. A server that is reached on this machine alone needs no other address than its own: there
/// may be none.
fn read_node(table: &mut Table<'_, '_>, public_base_url: &str) -> NodeAddress {
    let fix = "Write the IP address at which clients reach this machine, or nothing.";
    let parse = |text: &str| match text {
        "" => Some(None),
        text => text.parse::<IpAddr>().ok().map(Some),
    };
    let given = table.parsed("node_ip", "", parse, fix).flatten();
    let is_external = table.flag("use_external_ip", false);
    match (given, is_external) {
        (Some(_), true) => {
            let fix = "Write one of them: node_ip if you know the address.";
            table.refuse(
                "use_external_ip",
                "asks for an address that node_ip has named",
                fix,
            );
            NodeAddress::External
        }
        (Some(address), false) => NodeAddress::Given(address),
        (None, true) => NodeAddress::External,
        (None, false) if is_local(public_base_url) => NodeAddress::Given(Ipv4Addr::LOCALHOST.into()),
        (None, false) => NodeAddress::Detected,
    }
}

fn is_local(base_url: &str) -> bool {
    let url = Url::parse(base_url).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    host == "localhost" || address.is_some_and(|address| address.is_loopback())
}

fn read_stun_servers(table: &mut Table<'_, '_>) -> Vec<String> {
    let servers = table.list("stun_servers", &[]);
    let is_place = |server: &String| {
        let place = server.rsplit_once(':');
        place.is_some_and(|(host, port)| {
            !host.is_empty() && !host.contains('/') && port.parse::<u16>().is_ok()
        })
    };
    if let Some(wrong) = servers.iter().find(|server| !is_place(server)) {
        let problem = format!("holds {wrong:?}, which is no host with a port");
        table.refuse(
            "stun_servers",
            &problem,
            "Write servers such as \"stun.example.org:3478\".",
        );
    }
    servers
}

fn read_turn(table: &mut Table<'_, '_>) -> Option<EmbeddedTurn> {
    let is_enabled = table.flag("enabled", false);
    let fix = "Write a range such as \"30000-30100\".";
    let relay_ports = table.parsed("relay_ports", "30000-40000", parse_range, fix);
    let (certificate, key) = (table.text("certificate", ""), table.text("private_key", ""));
    let tls = match table.flag("external_tls", false) {
        true => TurnTls::Outside,
        false => TurnTls::Inside {
            certificate: certificate.into(),
            key: key.into(),
        },
    };
    let turn = EmbeddedTurn {
        domain: table.text("domain", ""),
        udp_port: read_port(table, "udp_port", 3478),
        tls_port: read_port(table, "tls_port", 0),
        tls,
        relay_ports: relay_ports.unwrap_or((30_000, 40_000)),
        allowed_peers: table.list("allowed_peers", &[]),
    };
    if !is_enabled {
        return None;
    }
    let networks = turn.allowed_peers.iter();
    if let Some(wrong) = networks.into_iter().find(|text| !is_network(text)) {
        let problem = format!("holds {wrong:?}, which is no network");
        table.refuse(
            "allowed_peers",
            &problem,
            "Write networks such as \"10.0.0.0/8\".",
        );
    }
    match (turn.udp_port, turn.tls_port) {
        (0, 0) => table.refuse("udp_port", "leaves no way in", "Write udp_port or tls_port."),
        (_, 0) => {}
        (_, _) => refuse_turn_tls(table, &turn),
    }
    Some(turn)
}

/// LiveKit would not start with any of these.
fn refuse_turn_tls(table: &mut Table<'_, '_>, turn: &EmbeddedTurn) {
    if !turn.domain.contains('.') {
        let fix = "Write the name in the certificate, for example \"turn.example.org\".";
        table.refuse("domain", "is needed with tls_port", fix);
    }
    let TurnTls::Inside { certificate, key } = &turn.tls else {
        return;
    };
    for (setting, file) in [("certificate", certificate), ("private_key", key)] {
        if let Err(error) = std::fs::File::open(file) {
            let fix = "Name a PEM file that the server may read, or set external_tls if a proxy speaks TLS.";
            table.refuse(
                setting,
                &format!("is needed with tls_port and cannot be read: {error}"),
                fix,
            );
        }
    }
}

fn is_network(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else {
        return false;
    };
    let bits: Option<u8> = bits.parse().ok();
    match address.parse() {
        Ok(IpAddr::V4(_)) => bits.is_some_and(|bits| bits <= 32),
        Ok(IpAddr::V6(_)) => bits.is_some_and(|bits| bits <= 128),
        Err(_) => false,
    }
}

/// What is written of an external SFU. Key and secret may be the managed one's.
struct Draft {
    name: String,
    region: Option<String>,
    url: String,
    api_url: String,
    api_key: String,
    api_secret: Option<Secret>,
}

impl Draft {
    fn read(table: &mut Table<'_, '_>, name: String, region: Option<String>) -> Self {
        Self {
            name,
            region,
            url: table.text("url", ""),
            api_url: table.text("api_url", ""),
            api_key: table.text("api_key", ""),
            api_secret: table.secret("api_secret"),
        }
    }

    fn is_written(&self) -> bool {
        !(self.url.is_empty()
            && self.api_url.is_empty()
            && self.api_key.is_empty()
            && self.api_secret.is_none())
    }

    fn finish_named(self, table: &mut Table<'_, '_>) -> Option<ExternalSfu> {
        // Part of a path and a label of metrics. These two are endpoints beside it.
        let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        let is_taken = ["sfu", "healthz"].contains(&self.name.as_str());
        if self.name.is_empty() || self.name.len() > 32 || is_taken || !self.name.chars().all(is_plain) {
            let fix = "Write a short name in small letters, digits and hyphens, for example \"eu\".";
            table.refuse("name", "names no SFU", fix);
        }
        self.finish(table)
    }

    /// Notes what is missing or wrong.
    fn finish(self, table: &mut Table<'_, '_>) -> Option<ExternalSfu> {
        let url = parse_url(&self.url, &["wss", "ws"]);
        if url.is_none() {
            let fix = "Write where clients connect, for example \"wss://livekit.example.org\".";
            table.refuse("url", "is no address of a LiveKit server", fix);
        }
        // LiveKit speaks both on one port.
        let api_url = match self.api_url.as_str() {
            "" => self.url.replacen("ws", "http", 1),
            written => written.to_owned(),
        };
        if parse_url(&api_url, &["https", "http"]).is_none() && url.is_some() {
            let fix = "Write where this server reaches it, for example \"http://10.0.0.7:7880\".";
            table.refuse("api_url", "is no http or https address", fix);
        }
        if self.api_key.is_empty() {
            table.refuse(
                "api_key",
                "is missing",
                "Write a key of the LiveKit server (its `keys`).",
            );
        }
        if self.api_secret.is_none() {
            table.refuse_hidden(
                "api_secret",
                "is missing",
                "Write the secret of the key, or api_secret_file.",
            );
        }
        Some(ExternalSfu {
            name: self.name,
            region: self.region,
            url: url?,
            api_url: api_url.trim_end_matches('/').to_owned(),
            api_key: self.api_key,
            api_secret: self.api_secret?,
        })
    }

    /// The pair that the managed SFU is to use, if it is not to have one of its own making.
    fn managed_key(self, table: &mut Table<'_, '_>) -> Option<(String, Secret)> {
        match (self.api_key.is_empty(), self.api_secret) {
            (true, None) => None,
            (false, Some(secret)) => {
                if secret.reveal().chars().count() < SECRET_CHARS_MIN {
                    let problem = format!("has less than {SECRET_CHARS_MIN} characters");
                    table.refuse_hidden(
                        "api_secret",
                        &problem,
                        "Write a longer one, or neither key nor secret.",
                    );
                }
                Some((self.api_key, secret))
            }
            (true, Some(_)) => {
                table.refuse(
                    "api_key",
                    "is missing beside its secret",
                    "Write both, or neither.",
                );
                None
            }
            (false, None) => {
                table.refuse_hidden(
                    "api_secret",
                    "is missing beside its key",
                    "Write both, or neither.",
                );
                None
            }
        }
    }
}

/// The address without a slash at its end.
fn parse_url(text: &str, schemes: &[&str]) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_plain = schemes.contains(&url.scheme()) && url.has_host() && url.query().is_none();
    is_plain.then(|| text.trim_end_matches('/').to_owned())
}

fn refuse_doubles(table: &mut Table<'_, '_>, sfus: &[ExternalSfu]) {
    for (index, sfu) in sfus.iter().enumerate() {
        let others = sfus.get(index + 1..).unwrap_or_default();
        if others
            .iter()
            .any(|other| other.name == sfu.name || other.url == sfu.url)
        {
            let problem = format!("names {:?} ({}) twice", sfu.name, sfu.url);
            table.refuse(
                "server",
                &problem,
                "Give every SFU a name and an address of its own.",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Config, Fault};
    use super::*;

    fn read(toml: &str) -> LivekitSettings {
        Config::parse(toml).unwrap().calls.livekit
    }

    fn managed(toml: &str) -> ManagedSettings {
        match read(toml) {
            LivekitSettings::Managed(settings) => *settings,
            other => panic!("{other:?}"),
        }
    }

    fn refused(toml: &str) -> Vec<String> {
        let faults: Vec<Fault> = Config::parse(toml).unwrap_err().0;
        assert!(faults.iter().all(|fault| !fault.fix.is_empty()));
        faults.into_iter().map(|fault| fault.key).collect()
    }

    #[test]
    fn an_sfu_of_this_servers_own_is_the_default() {
        let settings = managed("");
        assert_eq!(settings.ports.rtc_udp, UdpPorts::Range(50_000, 50_100));
        assert_eq!((settings.key, settings.turn), (None, None));
    }

    #[test]
    fn media_goes_where_the_server_is_reached() {
        let node = |base_url: &str, more: &str| {
            managed(&format!(
                "[server]\npublic_base_url = {base_url:?}\n[calls.livekit]\n{more}"
            ))
            .node
        };
        let local = NodeAddress::Given(IpAddr::V4(Ipv4Addr::LOCALHOST));
        assert_eq!(node("http://localhost:8008", ""), local);
        assert_eq!(node("http://[::1]:8008", ""), local);
        assert_eq!(node("https://chat.example.org", ""), NodeAddress::Detected);
        assert_eq!(
            node("https://chat.example.org", "use_external_ip = true"),
            NodeAddress::External
        );
        let given = NodeAddress::Given("192.0.2.1".parse().unwrap());
        assert_eq!(node("http://localhost:8008", "node_ip = \"192.0.2.1\""), given);
    }

    #[test]
    fn udp_ports_are_a_range_or_one() {
        let ports = |text: &str| {
            managed(&format!("[calls.livekit]\nrtc_udp_ports = {text:?}"))
                .ports
                .rtc_udp
        };
        assert_eq!(ports("7882"), UdpPorts::One(7882));
        assert_eq!(ports("0"), UdpPorts::One(0));
        assert_eq!(ports("1000-1001"), UdpPorts::Range(1000, 1001));
        for wrong in ["7-7", "9-3", "0-5", "1-70000", "some", ""] {
            let toml = format!("[calls.livekit]\nrtc_udp_ports = {wrong:?}");
            assert_eq!(refused(&toml), ["calls.livekit.rtc_udp_ports"], "{wrong:?}");
        }
    }

    #[test]
    fn several_external_sfus_keep_their_order() {
        let settings = read(
            "[calls.livekit]\nmode = \"external\"\n\
             [[calls.livekit.server]]\nname = \"eu\"\nregion = \"europe\"\nurl = \"wss://eu.example.org/\"\napi_key = \"k\"\n\
             api_secret = \"s\"\n\
             [[calls.livekit.server]]\nname = \"us\"\nurl = \"wss://us.example.org\"\napi_url = \"http://10.0.0.1:7880\"\n\
             api_key = \"k\"\napi_secret = \"s\"",
        );
        let LivekitSettings::External(sfus) = settings else {
            panic!("{settings:?}");
        };
        let places: Vec<_> = sfus
            .iter()
            .map(|sfu| (sfu.name.as_str(), sfu.url.as_str(), sfu.api_url.as_str()))
            .collect();
        assert_eq!(
            places,
            [
                ("eu", "wss://eu.example.org", "https://eu.example.org"),
                ("us", "wss://us.example.org", "http://10.0.0.1:7880"),
            ]
        );
        assert_eq!(sfus[0].region.as_deref(), Some("europe"));
    }

    #[test]
    fn what_could_never_work_is_refused() {
        let in_livekit = |toml: &str| refused(&format!("[calls.livekit]\n{toml}"));
        assert_eq!(
            in_livekit("mode = \"external\""),
            [
                "calls.livekit.url",
                "calls.livekit.api_key",
                "calls.livekit.api_secret"
            ]
        );
        assert_eq!(in_livekit("mode = \"maybe\""), ["calls.livekit.mode"]);
        assert_eq!(in_livekit("port = 7881"), ["calls.livekit.rtc_tcp_port"]);
        assert_eq!(in_livekit("api_key = \"k\""), ["calls.livekit.api_secret"]);
        assert_eq!(
            in_livekit("api_key = \"k\"\napi_secret = \"short\""),
            ["calls.livekit.api_secret"]
        );
        assert_eq!(
            in_livekit("node_ip = \"192.0.2.1\"\nuse_external_ip = true"),
            ["calls.livekit.use_external_ip"]
        );
        assert_eq!(in_livekit("node_ip = \"example.org\""), ["calls.livekit.node_ip"]);
        assert_eq!(
            in_livekit("stun_servers = [\"stun:x\"]"),
            ["calls.livekit.stun_servers"]
        );
        assert_eq!(
            refused("[calls.livekit.turn]\nenabled = true\ntls_port = 5349"),
            [
                "calls.livekit.turn.domain",
                "calls.livekit.turn.certificate",
                "calls.livekit.turn.private_key",
            ]
        );
        assert_eq!(
            refused("[calls.livekit.turn]\nenabled = true\nudp_port = 0\nallowed_peers = [\"10.0.0.0\"]"),
            ["calls.livekit.turn.allowed_peers", "calls.livekit.turn.udp_port"]
        );
        let double = "name = \"eu\"\nurl = \"wss://a\"\napi_key = \"k\"\napi_secret = \"s\"\n";
        let toml = format!(
            "[calls.livekit]\nmode = \"external\"\n[[calls.livekit.server]]\n{double}[[calls.livekit.server]]\n{double}"
        );
        assert_eq!(refused(&toml), ["calls.livekit.server"]);
    }

    #[test]
    fn secrets_do_not_show() {
        let secret = "0123456789abcdef0123456789abcdef";
        let settings = managed(&format!(
            "[calls.livekit]\napi_key = \"k\"\napi_secret = {secret:?}"
        ));
        assert!(!format!("{settings:?}").contains(secret));
    }
}
