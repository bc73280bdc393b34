//! The tables that are neither about listeners nor about people.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use echorift_rooms::{EncryptionDefault, PublishPolicy};
use echorift_web::{LimitKind, RateLimit};
use ruma::{OwnedServerName, OwnedUserId, RoomVersionId, ServerName, UserId};

use super::table::Table;

/// `[server]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ServerSettings {
    pub(crate) name: OwnedServerName,
    /// Without a slash at its end.
    pub(crate) public_base_url: String,
    pub(crate) data_dir: PathBuf,
    /// Reverse proxies whose `X-Forwarded-For` is believed.
    pub(crate) trusted_proxies: Vec<IpAddr>,
    /// A folder with the web client that is served instead of the one inside the binary.
    pub(crate) client_dir: Option<PathBuf>,
}

impl ServerSettings {
    pub(super) fn read(table: &mut Table<'_, '_>) -> Self {
        let fix = "Write a host name, with a port if it needs one, for example \"example.org\".";
        let name = table.parsed("name", "localhost", |text| ServerName::parse(text).ok(), fix);
        let fallback = match &name {
            Some(name) if name.host() != "localhost" => format!("https://{name}"),
            _ => "http://localhost:8008".to_owned(),
        };
        let fix = "Write the address that clients open, for example \"https://chat.example.org\".";
        let public_base_url = table.parsed("public_base_url", &fallback, parse_base_url, fix);
        let mut trusted_proxies = Vec::new();
        for text in table.list("trusted_proxies", &[]) {
            match text.parse() {
                Ok(address) => trusted_proxies.push(address),
                Err(_) => table.refuse(
                    "trusted_proxies",
                    &format!("holds {text:?}, which is not an IP address"),
                    "List the addresses of your reverse proxies, for example [\"127.0.0.1\"].",
                ),
            }
        }
        Self {
            name: name.unwrap_or_else(|| ruma::owned_server_name!("localhost")),
            public_base_url: public_base_url.unwrap_or(fallback),
            data_dir: table.text("data_dir", "./data").into(),
            trusted_proxies,
            client_dir: read_client_dir(table),
        }
    }
}

/// A folder without a page is no client, and a mistake of the path.
fn read_client_dir(table: &mut Table<'_, '_>) -> Option<PathBuf> {
    let text = table.text("client_dir", "");
    if text.is_empty() {
        return None;
    }
    let folder = PathBuf::from(text);
    if let Err(error) = std::fs::File::open(folder.join("index.html")) {
        table.refuse(
            "client_dir",
            &format!("has no index.html that can be read: {error}"),
            "Name the folder of a built client, or nothing for the one inside the server.",
        );
    }
    Some(folder)
}

/// An `http` or `https` URL without query, fragment and slash at its end.
fn parse_base_url(text: &str) -> Option<String> {
    let url = reqwest::Url::parse(text).ok()?;
    let is_plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty();
    is_plain.then(|| text.trim_end_matches('/').to_owned())
}

/// `[database]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DatabaseSettings {
    /// `sqlite:PATH` or `postgres://…`. May hold a password: not for the log.
    pub(crate) url: String,
    pub(crate) max_connections: u32,
}

impl DatabaseSettings {
    pub(super) fn read(table: &mut Table<'_, '_>, data_dir: &Path) -> Self {
        let beside_the_data = format!("sqlite:{}", data_dir.join("echorift.db").display());
        let url = table.text("url", &beside_the_data);
        let known = ["sqlite:", "postgres://", "postgresql://"]
            .iter()
            .any(|scheme| url.starts_with(scheme));
        if !known {
            table.refuse_hidden(
                "url",
                "names no database that the server knows",
                "Write sqlite:PATH or postgres://user:password@host/name.",
            );
        }
        Self {
            url,
            max_connections: table.whole("max_connections", 16, 2..=1_000),
        }
    }
}

/// `[rate_limits]`: a bucket per kind, and per user or address.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RateLimitSettings {
    pub(crate) enabled: bool,
    pub(crate) kinds: Vec<(LimitKind, RateLimit)>,
}

/// The kinds with their defaults. Logins and registrations are what attackers repeat; a call client may
/// send two messages a second in bursts of thirty.
const RATES: [(LimitKind, &str, f64, u32); 14] = [
    (LimitKind::Messages, "messages", 10.0, 50),
    // Each device in a call restarts its leaving every few seconds.
    (LimitKind::DelayedEvents, "delayed_events", 2.0, 20),
    (LimitKind::Login, "login", 0.2, 10),
    (LimitKind::Registration, "registration", 0.2, 5),
    (LimitKind::Joins, "joins", 1.0, 20),
    (LimitKind::Invites, "invites", 2.0, 50),
    (LimitKind::Rooms, "rooms", 0.5, 20),
    (LimitKind::Presence, "presence", 0.5, 10),
    (LimitKind::Media, "media", 5.0, 50),
    // A search for each key that somebody presses.
    (LimitKind::DirectorySearch, "directory_search", 5.0, 50),
    // A QR code is looked at every second by both sides.
    (LimitKind::Oauth, "oauth", 5.0, 100),
    // Who enters a call asks once for each media server that carries it.
    (LimitKind::Calls, "calls", 10.0, 100),
    // A busy server sends a transaction at a time, and asks for devices, profiles and media beside.
    (LimitKind::Federation, "federation", 100.0, 500),
    // A monitoring that has much to say, and no more than people can read.
    (LimitKind::Webhooks, "webhooks", 5.0, 100),
];

impl RateLimitSettings {
    pub(super) fn read(table: &mut Table<'_, '_>) -> Self {
        let enabled = table.flag("enabled", true);
        let kinds = RATES.into_iter().map(|(kind, name, per_second, burst)| {
            let limit = table.table(name, |table| RateLimit {
                per_second: table.rate("per_second", per_second),
                burst: table.whole("burst", burst, 1..=1_000_000),
            });
            (kind, limit)
        });
        Self {
            enabled,
            kinds: kinds.collect(),
        }
    }
}

/// `[limits]`: what one connection and one process may take.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LimitSettings {
    pub(crate) request_body_bytes_max: u64,
    pub(crate) idle_timeout: Duration,
    pub(crate) body_timeout: Duration,
    pub(crate) connections_max: u32,
    pub(crate) shutdown_grace: Duration,
}

impl LimitSettings {
    pub(super) fn read(table: &mut Table<'_, '_>) -> Self {
        Self {
            request_body_bytes_max: table.bytes("request_body", "1MiB"),
            idle_timeout: table.duration("idle_timeout", "75s"),
            body_timeout: table.duration("body_timeout", "60s"),
            connections_max: table.whole("connections", 20_000, 1..=1_000_000),
            shutdown_grace: table.duration("shutdown_grace", "10s"),
        }
    }
}

/// `[caches]`: memory spent so that the database is not asked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CacheSettings {
    pub(crate) event_bytes: u64,
    pub(crate) rooms: u32,
}

impl CacheSettings {
    pub(super) fn read(table: &mut Table<'_, '_>) -> Self {
        Self {
            event_bytes: table.bytes("events", "128MiB"),
            rooms: table.whole("rooms", 5_000, 1..=10_000_000),
        }
    }
}

/// `[rooms]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RoomSettings {
    pub(crate) default_version: RoomVersionId,
    pub(crate) public_directory_without_login: bool,
    /// Whether other servers may read the list of public rooms.
    pub(crate) public_directory_over_federation: bool,
    pub(crate) publish: PublishPolicy,
    pub(crate) encryption_by_default: EncryptionDefault,
}

impl RoomSettings {
    pub(super) fn read(table: &mut Table<'_, '_>) -> Self {
        let fix = "Write a stable room version, \"1\" to \"12\".";
        let default_version = table.parsed("default_version", "12", parse_room_version, fix);
        Self {
            default_version: default_version.unwrap_or(RoomVersionId::V12),
            public_directory_without_login: table.flag("public_directory_without_login", false),
            public_directory_over_federation: table.flag("public_directory_over_federation", false),
            publish: table.choice(
                "publish",
                ("admins", PublishPolicy::Admins),
                &[
                    ("everyone", PublishPolicy::Everyone),
                    ("nobody", PublishPolicy::Nobody),
                ],
            ),
            encryption_by_default: table.choice(
                "encryption_by_default",
                ("off", EncryptionDefault::Off),
                &[
                    ("private", EncryptionDefault::Private),
                    ("all", EncryptionDefault::All),
                ],
            ),
        }
    }
}

fn parse_room_version(text: &str) -> Option<RoomVersionId> {
    let number: u8 = text.parse().ok()?;
    if (1..=12).contains(&number) {
        RoomVersionId::try_from(text).ok()
    } else {
        None
    }
}

/// `[presence]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PresenceSettings {
    pub(crate) enabled: bool,
    /// Whether other servers are told, and believed.
    pub(crate) federation: bool,
}

impl PresenceSettings {
    pub(super) fn read(table: &mut Table<'_, '_>) -> Self {
        Self {
            enabled: table.flag("enabled", true),
            federation: table.flag("federation", true),
        }
    }
}

/// `[support]`: whom people may turn to (CS API § `GET /.well-known/matrix/support`).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SupportSettings {
    pub(crate) matrix_id: Option<OwnedUserId>,
    pub(crate) email: Option<String>,
    pub(crate) page: Option<String>,
}

impl SupportSettings {
    pub(super) fn read(table: &mut Table<'_, '_>) -> Self {
        let filled = |text: String| if text.is_empty() { None } else { Some(text) };
        let fix = "Write a full user id, for example \"@help:example.org\", or nothing.";
        let parse = |text: &str| {
            if text.is_empty() {
                Some(None)
            } else {
                UserId::parse(text).ok().map(Some)
            }
        };
        Self {
            matrix_id: table.parsed("matrix_id", "", parse, fix).flatten(),
            email: filled(table.text("email", "")),
            page: filled(table.text("page", "")),
        }
    }
}

/// `[log]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LogSettings {
    pub(crate) format: LogFormat,
    /// A filter as `tracing` understands it.
    pub(crate) level: String,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

impl LogSettings {
    pub(super) fn read(table: &mut Table<'_, '_>) -> Self {
        let fix = "Write error, warn, info, debug or trace, or a list such as \"info,echorift_rooms=debug\".";
        let parse = |text: &str| {
            tracing_subscriber::EnvFilter::try_new(text)
                .is_ok()
                .then(|| text.to_owned())
        };
        Self {
            format: table.choice("format", ("text", LogFormat::Text), &[("json", LogFormat::Json)]),
            level: table.parsed("level", "info", parse, fix).unwrap_or_default(),
        }
    }
}
