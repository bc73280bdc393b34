//! The part of `echorift check` that is about calls. A server without them starts all the same, so that most of what is found
//! here is a warning.

use std::net::{IpAddr, Ipv4Addr};

use echorift_calls::{
    NodeAddress, Sfu, UdpPorts, address_towards, ask_health, find_program, livekit_version,
};

use super::check::Report;
use crate::config::{Config, LivekitSettings, ManagedSettings, Service};
use crate::sfu;

/// Somebody elsewhere; the address is in no use (RFC 5737).
const OTHERS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// Looks at the SFUs. `is_running`: whether a server runs with this configuration at this moment.
pub(super) async fn look_at(config: &Config, is_running: bool, report: &mut Report) {
    let http = match sfu::health_client() {
        Ok(http) => http,
        Err(error) => {
            report.failure(&error.to_string(), "Without TLS no SFU can be asked.");
            return;
        }
    };
    match &config.calls.livekit {
        LivekitSettings::Off => report.good("there are no calls (calls.livekit.mode is off)"),
        LivekitSettings::External(_) => look_at_external(config, &http, report).await,
        LivekitSettings::Managed(settings) => {
            let running = is_running.then_some(&http);
            look_at_managed(config, settings, running, report).await;
        }
    }
}

/// Whether each answers, and knows our key.
async fn look_at_external(config: &Config, http: &reqwest::Client, report: &mut Report) {
    for options in sfu::external(config) {
        let (url, api_url) = (options.url.clone(), options.api_url.clone());
        match Sfu::new(options).rooms().await {
            Ok(rooms) => report.good(&format!(
                "the SFU {url} answers at {api_url}, with {} rooms",
                rooms.len()
            )),
            Err(error) => {
                let unwell = ask_health(http, &api_url).await.err();
                let finding = match unwell {
                    Some(unwell) => format!("the SFU at {api_url} is not well: {unwell}"),
                    None => format!("the SFU at {api_url} is well, but does not do as asked: {error}"),
                };
                report.failure(
                    &finding,
                    "Check api_url, api_key and api_secret, and that LiveKit runs.",
                );
            }
        }
    }
}

/// `running` asks the SFU of a server that runs at this moment.
async fn look_at_managed(
    config: &Config,
    settings: &ManagedSettings,
    running: Option<&reqwest::Client>,
    report: &Report,
) {
    let Some(binary) = find_program(&settings.binary) else {
        report.warning(
            &format!("there will be no calls: the program {:?} was not found", settings.binary),
            "Install livekit-server (docs/calls.md), name it in calls.livekit.binary, or set calls.livekit.mode = \"off\".",
        );
        return;
    };
    match livekit_version(&binary).await {
        Ok(version) => report.good(&format!("{} is {version}", binary.display())),
        Err(error) => report.warning(
            &format!("{} does not run: {error}", binary.display()),
            "Calls need a livekit-server that this machine can run.",
        ),
    }
    match running {
        Some(http) => look_at_running(settings, http, report).await,
        None => look_at_ports(settings, report),
    }
    look_at_address(config, settings, report);
    let has_plain = config
        .listeners
        .iter()
        .any(|listener| listener.tls.is_none() && listener.serves.contains(&Service::Client));
    if !has_plain {
        let base_url = &config.server.public_base_url;
        report.warning(
            &format!("the SFU can tell of calls by {base_url} only"),
            "This machine must reach that address and trust its certificate, or there must be a [[listener]] without TLS on \
             127.0.0.1 that serves client.",
        );
    }
}

async fn look_at_running(settings: &ManagedSettings, http: &reqwest::Client, report: &Report) {
    if settings.ports.signal == 0 {
        return;
    }
    let api_url = format!("http://127.0.0.1:{}", settings.ports.signal);
    match ask_health(http, &api_url).await {
        Ok(()) => report.good("the SFU is well"),
        Err(unwell) => report.warning(
            &format!("the SFU is not well: {unwell}"),
            "The server's log says why; livekit.log in server.data_dir holds its last words.",
        ),
    }
}

fn look_at_ports(settings: &ManagedSettings, report: &Report) {
    let taken = settings.ports.taken(settings.turn.as_ref());
    for port in &taken {
        report.warning(
            &format!("{port}"),
            "Calls need it: choose another port, or stop what uses this one, unless it is an SFU that this server has left \
             running.",
        );
    }
    match settings.ports.range_in_use() {
        Some((0, all)) => report.good(&format!("{all} UDP ports are free for media")),
        Some((some, all)) => report.warning(
            &format!("{some} of {all} UDP ports for media are in use (calls.livekit.rtc_udp_ports)"),
            "The SFU passes over them; choose another range if that leaves too few.",
        ),
        None if taken.is_empty() => report.good("the SFU's ports are free"),
        None => {}
    }
}

/// Where clients are told to send media, and whether they can.
fn look_at_address(config: &Config, settings: &ManagedSettings, report: &Report) {
    let ports = match settings.ports.rtc_udp {
        UdpPorts::One(port) => format!("UDP port {port}"),
        UdpPorts::Range(first, last) => format!("UDP ports {first} to {last}"),
    };
    let and_tcp = format!("{ports} and TCP port {}", settings.ports.rtc_tcp);
    let address = match settings.node {
        NodeAddress::Given(address) => Some(address),
        NodeAddress::Detected => address_towards(OTHERS),
        NodeAddress::External => {
            report.good(&format!(
                "clients send media to this machine's address on the internet, {and_tcp}"
            ));
            return;
        }
    };
    let Some(address) = address else {
        report.warning(
            "this machine has no address to which clients could send media",
            "Write it in calls.livekit.node_ip.",
        );
        return;
    };
    let finding = format!("clients send media to {address}, {and_tcp}");
    let is_public_server = config.server.public_base_url.starts_with("https://");
    if is_public_server && is_private(address) {
        report.warning(
            &format!("{finding}; that is a private address"),
            "Only its own network reaches it. Behind NAT write the public one in calls.livekit.node_ip, or set use_external_ip.",
        );
    } else {
        report.good(&format!("{finding}, which must be open for them"));
    }
}

fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_private() || address.is_loopback() || address.is_link_local(),
        IpAddr::V6(address) => {
            address.is_unique_local() || address.is_loopback() || address.is_unicast_link_local()
        }
    }
}
