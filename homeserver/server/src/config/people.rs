//! `[registration]`, `[passwords]`, `[sessions]` and `[directory]`: who may come in, and for how long.

use std::path::PathBuf;
use std::time::Duration;

use super::secret::Secret;
use super::table::Table;

/// `[registration]`: accounts that people or scripts make themselves.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RegistrationSettings {
    pub(crate) enabled: bool,
    /// `m.login.dummy` alone suffices: for tests and closed networks.
    pub(crate) without_verification: bool,
    /// `m.login.registration_token`.
    pub(crate) token: Option<Secret>,
    /// Opens `POST /_synapse/admin/v1/register`, whether or not `enabled`.
    pub(crate) shared_secret: Option<Secret>,
}

impl RegistrationSettings {
    pub(super) fn read(table: &mut Table<'_, '_>) -> Self {
        let settings = Self {
            enabled: table.flag("enabled", false),
            without_verification: table.flag("without_verification", false),
            token: table.secret("token"),
            shared_secret: table.secret("shared_secret"),
        };
        if settings.enabled && !settings.without_verification && settings.token.is_none() {
            table.refuse(
                "enabled",
                "opens registration, but nobody could complete it",
                "Set registration.token, or without_verification = true, or close it again.",
            );
        }
        settings
    }
}

/// `[passwords]`: accounts whose password this server keeps.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PasswordSettings {
    pub(crate) local_accounts: bool,
    pub(crate) hash_memory_kib: u32,
    pub(crate) hash_iterations: u32,
}

impl PasswordSettings {
    pub(super) fn read(table: &mut Table<'_, '_>, has_directory: bool) -> Self {
        let settings = Self {
            local_accounts: table.flag("local_accounts", true),
            // The lower bound is argon2's own (8 KiB a lane); the upper keeps one login below 1 GiB.
            hash_memory_kib: table.whole("hash_memory_kib", 19_456, 8..=1_048_576),
            hash_iterations: table.whole("hash_iterations", 2, 1..=20),
        };
        if !settings.local_accounts && !has_directory {
            table.refuse(
                "local_accounts",
                "is false, and there is no directory: nobody could log in",
                "Add a [directory] table, or allow local accounts.",
            );
        }
        settings
    }
}

/// `[sessions]`: how long tokens live.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SessionSettings {
    pub(crate) access_token_lifetime: Duration,
    /// Sliding: every refresh starts it anew.
    pub(crate) refresh_token_lifetime: Duration,
    /// For clients that do not ask for refresh tokens; at its end they are logged out softly.
    pub(crate) without_refresh_lifetime: Duration,
}

impl SessionSettings {
    pub(super) fn read(table: &mut Table<'_, '_>) -> Self {
        let settings = Self {
            access_token_lifetime: table.duration("access_token_lifetime", "15m"),
            refresh_token_lifetime: table.duration("refresh_token_lifetime", "7d"),
            without_refresh_lifetime: table.duration("without_refresh_lifetime", "7d"),
        };
        for (key, lifetime) in [
            ("access_token_lifetime", settings.access_token_lifetime),
            ("refresh_token_lifetime", settings.refresh_token_lifetime),
            ("without_refresh_lifetime", settings.without_refresh_lifetime),
        ] {
            if lifetime < Duration::from_secs(1) {
                table.refuse(
                    key,
                    "is shorter than a second",
                    "Tokens need a lifetime that a login survives.",
                );
            }
        }
        settings
    }
}

/// `[directory]`: the company's LDAP or Active Directory.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DirectorySettings {
    pub(crate) urls: Vec<String>,
    pub(crate) start_tls: bool,
    pub(crate) ca_file: Option<PathBuf>,
    /// The service account; `{username}` in it means direct bind as the person.
    pub(crate) bind_dn: String,
    pub(crate) bind_password: Option<Secret>,
    pub(crate) base_dn: String,
    pub(crate) user_filter: String,
    pub(crate) attribute_uid: String,
    pub(crate) attribute_name: String,
    pub(crate) attribute_mail: String,
    pub(crate) attribute_id: String,
    pub(crate) login_group: Option<String>,
    pub(crate) admin_group: Option<String>,
    pub(crate) nested_groups: bool,
    pub(crate) connect_timeout: Duration,
    pub(crate) request_timeout: Duration,
    pub(crate) pool_size: u32,
}

impl DirectorySettings {
    pub(super) fn read(table: &mut Table<'_, '_>) -> Self {
        let filled = |text: String| if text.is_empty() { None } else { Some(text) };
        let settings = Self {
            urls: table.list("urls", &[]),
            start_tls: table.flag("start_tls", false),
            ca_file: filled(table.text("ca_file", "")).map(PathBuf::from),
            bind_dn: table.text("bind_dn", ""),
            bind_password: table.secret("bind_password"),
            base_dn: table.text("base_dn", ""),
            user_filter: table.text("user_filter", "(&(objectClass=person)(uid={username}))"),
            attribute_uid: table.text("attribute_uid", "uid"),
            attribute_name: table.text("attribute_name", "cn"),
            attribute_mail: table.text("attribute_mail", "mail"),
            attribute_id: table.text("attribute_id", "entryUUID"),
            login_group: filled(table.text("login_group", "")),
            admin_group: filled(table.text("admin_group", "")),
            nested_groups: table.flag("nested_groups", true),
            connect_timeout: table.duration("connect_timeout", "5s"),
            request_timeout: table.duration("request_timeout", "10s"),
            pool_size: table.whole("pool_size", 4, 1..=64),
        };
        if settings.urls.is_empty() {
            table.refuse(
                "urls",
                "is missing",
                "Write urls = [\"ldaps://dc1.example.org\"].",
            );
        }
        if settings.base_dn.is_empty() {
            table.refuse(
                "base_dn",
                "is missing",
                "Write the subtree that holds your people.",
            );
        }
        settings
    }
}
