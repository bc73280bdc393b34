//! `[calls.livekit]`: the SFU that carries the media of calls.

mod external;
mod turn;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use echorift_calls::{EmbeddedTurn, NodeAddress, SfuPorts, UdpPorts};
use reqwest::Url;

use self::external::Draft;
use super::secret::Secret;
use super::table::Table;

pub(crate) use self::external::ExternalSfu;

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
                external::refuse_doubles(table, &sfus);
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
            turn: table.table("turn", turn::read),
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

#[cfg(test)]
mod tests;
