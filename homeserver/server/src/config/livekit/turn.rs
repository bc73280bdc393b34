//! `[calls.livekit.turn]`: the TURN server inside LiveKit.

use std::net::IpAddr;

use echorift_calls::{EmbeddedTurn, TurnTls};

use super::super::table::Table;
use super::{parse_range, read_port};

/// `None` unless it is enabled.
pub(super) fn read(table: &mut Table<'_, '_>) -> Option<EmbeddedTurn> {
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
        (_, _) => refuse_tls(table, &turn),
    }
    Some(turn)
}

/// LiveKit would not start with any of these.
fn refuse_tls(table: &mut Table<'_, '_>, turn: &EmbeddedTurn) {
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
