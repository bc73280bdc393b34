#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use super::*;
use crate::config::{Config, Fault};

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
