//! `[federation]`: with which servers this one exchanges what, and how they find each other.

use std::collections::HashMap;

use echorift_federation::{FederationMode, Glob, HostAndPort, Partner, PolicyOptions};
use ruma::{OwnedServerName, ServerName};

use super::table::Table;

/// `[federation]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FederationSettings {
    pub(crate) policy: PolicyOptions,
    pub(crate) hosts: HashMap<OwnedServerName, HostAndPort>,
    pub(crate) trusted_key_servers: Vec<OwnedServerName>,
    pub(crate) share_device_names: bool,
    /// Serve `/.well-known/matrix/*` ourselves.
    pub(crate) well_known_client: bool,
}

impl FederationSettings {
    pub(super) fn read(table: &mut Table<'_, '_>) -> Self {
        let modes = [("closed", FederationMode::Closed), ("off", FederationMode::Off)];
        let mode = table.choice("mode", ("open", FederationMode::Open), &modes);
        let allow = read_server_globs(table, "allow");
        if mode == FederationMode::Open && !allow.is_empty() {
            table.refuse(
                "allow",
                "has no effect, for an open server federates with everybody",
                "Set mode = \"closed\", or remove the list.",
            );
        }
        let deny = read_server_globs(table, "deny");
        let trusted_key_servers = read_servers(table, "trusted_key_servers");
        let share_device_names = table.flag("share_device_names", false);
        let well_known_client = table.flag("well_known_client", true);
        let hosts = read_hosts(table);
        let partners = table.tables("partner", read_partner).unwrap_or_default();
        Self {
            policy: PolicyOptions {
                mode,
                allow,
                deny,
                partners: partners.into_iter().flatten().collect(),
            },
            hosts,
            trusted_key_servers,
            share_device_names,
            well_known_client,
        }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.policy.mode != FederationMode::Off
    }
}

fn read_servers(table: &mut Table<'_, '_>, key: &str) -> Vec<OwnedServerName> {
    let texts = table.list(key, &[]);
    let mut servers = Vec::with_capacity(texts.len());
    for text in texts {
        match ServerName::parse(&text) {
            Ok(server) => servers.push(server),
            Err(_) => table.refuse(
                key,
                &format!("holds {text:?}, which is no server name"),
                "Write names as in user ids, for example \"example.org\".",
            ),
        }
    }
    servers
}

/// Patterns that could match a server name: no spaces, no schemes, no user ids.
fn read_server_globs(table: &mut Table<'_, '_>, key: &str) -> Vec<Glob> {
    let texts = table.list(key, &[]);
    if let Some(wrong) = texts.iter().find(|text| !is_server_glob(text)) {
        table.refuse(
            key,
            &format!("holds {wrong:?}, which matches no server name"),
            "Write names such as \"example.org\", or \"*.example.org\" for all below one.",
        );
    }
    texts.iter().map(|text| Glob::new(text)).collect()
}

fn is_server_glob(text: &str) -> bool {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-.:*?[]".contains(letter);
    !text.is_empty() && text.chars().all(is_plain)
}

fn read_hosts(table: &mut Table<'_, '_>) -> HashMap<OwnedServerName, HostAndPort> {
    let fix = "Write \"server.name\" = \"host:port\", for example \"hs1\" = \"127.0.0.1:8448\".";
    let mut hosts = HashMap::new();
    for (name, value) in table.entries("hosts") {
        match (ServerName::parse(&name), HostAndPort::parse(&value)) {
            (Ok(server), Some(host)) => {
                hosts.insert(server, host);
            }
            (Err(_), _) => table.refuse("hosts", &format!("holds {name:?}, which is no server name"), fix),
            (_, None) => {
                let problem = format!("holds {value:?} for {name}, which is no host with a port");
                table.refuse("hosts", &problem, fix);
            }
        }
    }
    hosts
}

fn read_partner(table: &mut Table<'_, '_>) -> Option<Partner> {
    let server = table.text("server", "");
    if !is_server_glob(&server) {
        table.refuse(
            "server",
            "names no server",
            "Write the partner's server name, for example \"partner.example\" or \"*.partner.example\".",
        );
    }
    let rooms = read_limit(
        table,
        "rooms",
        |text| text.starts_with(['!', '#', '*']),
        "\"#joint-*:example.org\"",
    );
    let users = read_limit(
        table,
        "users",
        |text| text.starts_with(['@', '*']),
        "\"@sales-*:example.org\"",
    );
    let event_types = read_limit(table, "event_types", |text| !text.is_empty(), "\"m.room.*\"");
    let media = table.flag("media", true);
    let fields = table.optional_list("profile_fields");
    let calls = table.flag("calls", true);
    let region = table.flag("region", false);
    let is_limited = rooms.is_some() || users.is_some() || event_types.is_some() || fields.is_some();
    if region && (is_limited || !media || !calls) {
        table.refuse(
            "region",
            "means that there are no limits, and some are written",
            "Remove the limits, or region = true.",
        );
    }
    is_server_glob(&server).then(|| Partner {
        server: Glob::new(&server),
        rooms,
        users,
        event_types,
        media,
        profile_fields: fields,
        calls,
        region,
    })
}

/// A list of patterns that, where it is written, is all that is allowed.
fn read_limit(
    table: &mut Table<'_, '_>,
    key: &str,
    is_plausible: impl Fn(&str) -> bool,
    example: &str,
) -> Option<Vec<Glob>> {
    let texts = table.optional_list(key)?;
    if let Some(wrong) = texts.iter().find(|text| !is_plausible(text)) {
        let problem = format!("holds {wrong:?}, which could never match");
        table.refuse(key, &problem, &format!("Write patterns such as {example}."));
    }
    Some(texts.iter().map(|text| Glob::new(text)).collect())
}
