//! `[[listener]]`: the addresses that the server answers on, and what each of them serves.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::table::Table;

/// A group of routes that a listener can serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Service {
    /// `/_matrix/client`, `/_echorift/client`, and `/livekit` for calls.
    Client,
    /// `/_matrix/federation` and `/_matrix/key`.
    Federation,
    /// `/_matrix/media` and `/_matrix/client/v1/media`.
    Media,
    /// `/.well-known`, the pages for signing in and, beside [`Service::Client`], the web client.
    Web,
    /// `/_synapse/admin/v1/register`.
    Admin,
    /// `/health/live` and `/health/ready`.
    Health,
    /// `/metrics`.
    Metrics,
}

const SERVICES: [(&str, Service); 7] = [
    ("client", Service::Client),
    ("federation", Service::Federation),
    ("media", Service::Media),
    ("web", Service::Web),
    ("admin", Service::Admin),
    ("health", Service::Health),
    ("metrics", Service::Metrics),
];

/// What a listener serves unless told: everything but the metrics, which are not for everybody.
const SERVES_BY_DEFAULT: [&str; 6] = ["client", "federation", "media", "web", "admin", "health"];

/// One `[[listener]]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ListenerSettings {
    pub(crate) address: SocketAddr,
    pub(crate) serves: Vec<Service>,
    pub(crate) tls: Option<TlsSettings>,
}

/// The files of a TLS listener, both PEM.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TlsSettings {
    pub(crate) certificate: PathBuf,
    pub(crate) private_key: PathBuf,
}

/// Reads every `[[listener]]`; without any, the one that plain `echorift serve` has.
pub(super) fn read_all(root: &mut Table<'_, '_>) -> Vec<ListenerSettings> {
    let written = root.tables("listener", ListenerSettings::read);
    match written {
        Some(listeners) => {
            if listeners.is_empty() {
                root.refuse(
                    "listener",
                    "is empty",
                    "A server needs at least one [[listener]].",
                );
            }
            let mut addresses: Vec<_> = listeners
                .iter()
                .map(|l| l.address)
                .filter(|a| a.port() != 0)
                .collect();
            addresses.sort_unstable();
            if addresses.windows(2).any(|pair| pair.first() == pair.last()) {
                root.refuse(
                    "listener",
                    "names an address twice",
                    "Merge the two tables' `serves`.",
                );
            }
            listeners
        }
        // Not written: read an empty table, so that the defaults stand in one place.
        None => vec![root.table("listener", ListenerSettings::read)],
    }
}

impl ListenerSettings {
    fn read(table: &mut Table<'_, '_>) -> Self {
        let fix = "Write an IP address and a port, for example \"127.0.0.1:8008\" or \"[::]:8448\".";
        let address = table.parsed("address", "127.0.0.1:8008", |text| text.parse().ok(), fix);
        let mut serves = Vec::new();
        for word in table.list("serves", &SERVES_BY_DEFAULT) {
            match SERVICES.iter().find(|(name, _)| *name == word) {
                Some((_, service)) => serves.push(*service),
                None => {
                    let words: Vec<&str> = SERVICES.iter().map(|(name, _)| *name).collect();
                    let fix = format!("The choices are: {}.", words.join(", "));
                    table.refuse("serves", &format!("holds the unknown word {word:?}"), &fix);
                }
            }
        }
        serves.sort_unstable();
        serves.dedup();
        Self {
            address: address.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8008))),
            serves,
            tls: TlsSettings::read(table),
        }
    }
}

impl TlsSettings {
    fn read(table: &mut Table<'_, '_>) -> Option<Self> {
        let wanted = table.flag("tls", false);
        let certificate = table.text("tls_certificate", "");
        let private_key = table.text("tls_private_key", "");
        if !wanted {
            return None;
        }
        for (key, file) in [
            ("tls_certificate", &certificate),
            ("tls_private_key", &private_key),
        ] {
            if file.is_empty() {
                table.refuse(
                    key,
                    "is missing, though `tls` is true",
                    "Name a PEM file, or set tls = false.",
                );
            } else if let Err(error) = std::fs::File::open(file) {
                table.refuse(
                    key,
                    &format!("cannot be read: {error}"),
                    "Name a PEM file that the server may read.",
                );
            }
        }
        Some(Self {
            certificate: certificate.into(),
            private_key: private_key.into(),
        })
    }
}
