//! `[registration]`, `[passwords]`, `[sessions]` and `[directory]`: who may come in, and for how long.

use std::collections::BTreeSet;
use std::time::Duration;

use echorift_appservice_ldap::mirror::MirrorConfig;
use echorift_appservice_ldap::{DirectoryConfig, POOL_SIZE_MAX, Referrals};

use ruma::ServerName;

use super::directory_mapping;
use super::recaptcha::RecaptchaSettings;
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
    /// `m.login.email.identity`.
    pub(crate) by_email: bool,
    /// `kind=guest` at `POST /register`.
    pub(crate) allow_guests: bool,
    /// Opens `POST /_synapse/admin/v1/register`, whether or not `enabled`.
    pub(crate) shared_secret: Option<Secret>,
    /// `m.login.recaptcha`.
    pub(crate) recaptcha: Option<RecaptchaSettings>,
}

impl RegistrationSettings {
    pub(super) fn read(table: &mut Table<'_, '_>, has_mail: bool) -> Self {
        let settings = Self {
            enabled: table.flag("enabled", false),
            without_verification: table.flag("without_verification", false),
            token: table.secret("token"),
            by_email: table.flag("by_email", false),
            allow_guests: table.flag("allow_guests", false),
            shared_secret: table.secret("shared_secret"),
            recaptcha: table.table("recaptcha", RecaptchaSettings::read),
        };
        if settings.by_email && !has_mail {
            table.refuse(
                "by_email",
                "needs letters to be sent",
                "Set email.smtp, or close this way.",
            );
        }
        let has_way = settings.without_verification || settings.token.is_some() || settings.by_email;
        if settings.enabled && !has_way {
            table.refuse(
                "enabled",
                "opens registration, but nobody could complete it",
                "Set registration.token, or by_email or without_verification = true, or close it again.",
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

/// A company with more domains than this has a directory of directories.
const DOMAINS_MAX: usize = 32;

/// Reads `[directory]` and its `[directory.domains]`: the company's LDAP or Active Directory, the first domain first.
/// What cannot work is told by the directory itself.
pub(super) fn read_directories(table: &mut Table<'_, '_>, own: &ServerName) -> Vec<DirectoryConfig> {
    let domains = table.named_tables("domains", |name, table| read_domain(name, table, own));
    let mut directories = vec![read_domain("", table, own)];
    if domains.len() > DOMAINS_MAX {
        let problem = format!("has more than {DOMAINS_MAX} domains");
        table.refuse("domains", &problem, "Ask a global catalog for all of them.");
    }
    directories.extend(domains);
    refuse_namesakes(&directories, table);
    directories
}

/// What people type has to lead to one domain.
fn refuse_namesakes(directories: &[DirectoryConfig], table: &mut Table<'_, '_>) {
    let mut known = BTreeSet::new();
    for directory in directories {
        let short = Some(&directory.netbios_name).filter(|name| !name.is_empty());
        let short = short.map(|name| ("netbios_name", name));
        let suffixes = directory
            .upn_suffixes
            .iter()
            .map(|suffix| ("upn_suffixes", suffix));
        for (key, name) in short.into_iter().chain(suffixes) {
            if !known.insert((key, name.to_lowercase())) {
                let problem = format!("has two domains with {name} in {key}");
                table.refuse("domains", &problem, "Give each domain names of its own.");
            }
        }
    }
}

fn read_domain(name: &str, table: &mut Table<'_, '_>, own: &ServerName) -> DirectoryConfig {
    let usual = DirectoryConfig::default();
    let usual_pool = u32::try_from(usual.pool_size).unwrap_or(1);
    let pool_max = u32::try_from(POOL_SIZE_MAX).unwrap_or(u32::MAX);
    let pool_size = table.whole("pool_size", usual_pool, 1..=pool_max);
    let config = DirectoryConfig {
        domain: name.to_owned(),
        netbios_name: table.text("netbios_name", ""),
        upn_suffixes: table.list("upn_suffixes", &[]),
        uid_suffix: table.text("uid_suffix", ""),
        login_by_mail: table.flag("login_by_mail", usual.login_by_mail),
        password_change: table.flag("password_change", usual.password_change),
        tell_locked: table.flag("tell_locked", usual.tell_locked),
        urls: table.list("urls", &[]),
        start_tls: table.flag("start_tls", usual.start_tls),
        ca_file: table.text("ca_file", "").into(),
        bind_dn: table.text("bind_dn", &usual.bind_dn),
        bind_password: table
            .secret("bind_password")
            .map(|s| s.reveal().to_owned())
            .unwrap_or_default(),
        base_dn: table.text("base_dn", &usual.base_dn),
        user_filter: table.text("user_filter", &usual.user_filter),
        attribute_uid: table.text("attribute_uid", &usual.attribute_uid),
        attribute_name: table.text("attribute_name", &usual.attribute_name),
        attribute_mail: table.text("attribute_mail", &usual.attribute_mail),
        attribute_id: table.text("attribute_id", &usual.attribute_id),
        login_group: table.text("login_group", &usual.login_group),
        admin_group: table.text("admin_group", &usual.admin_group),
        nested_groups: table.flag("nested_groups", usual.nested_groups),
        connect_timeout: table.duration("connect_timeout", "5s"),
        request_timeout: table.duration("request_timeout", "10s"),
        pool_size: usize::try_from(pool_size).unwrap_or(1),
        referrals: table.choice(
            "referrals",
            ("refuse", Referrals::Refuse),
            &[("ignore", Referrals::Ignore), ("follow", Referrals::Follow)],
        ),
        referral_hosts: table.list("referral_hosts", &[]),
        mirror: read_mirror(table, &usual.mirror),
        groups: directory_mapping::read(table, own),
    };
    if !config.groups.mappings.is_empty() && !config.mirror.is_enabled {
        table.refuse(
            "sync",
            "is not set, and groups are mapped: nobody would read them",
            "Set sync = true, or take the mappings out.",
        );
    }
    if !config.admin_group.is_empty()
        && config
            .groups
            .mappings
            .iter()
            .any(|mapping| mapping.administrators)
    {
        table.refuse(
            "admin_group",
            "and a mapping with administrators = true would take back what the other gives",
            "Leave it empty, and map this group with administrators = true as well.",
        );
    }
    for fault in config.validate() {
        let fix = as_sentence(&fault.fix);
        if fault.key == "bind_password" {
            table.refuse_hidden(fault.key, &fault.problem, &fix);
        } else {
            table.refuse(fault.key, &fault.problem, &fix);
        }
    }
    config
}

/// Reads how people are kept in step with the directory: keys of the same table.
fn read_mirror(table: &mut Table<'_, '_>, usual: &MirrorConfig) -> MirrorConfig {
    let owned: Vec<&str> = usual.owned_fields.iter().map(String::as_str).collect();
    MirrorConfig {
        is_enabled: table.flag("sync", usual.is_enabled),
        is_fed: table.choice("sync_from", ("here", false), &[("feed", true)]),
        interval: table.duration("sync_interval", "5m"),
        filter: table.text("sync_filter", &usual.filter),
        group_base_dn: table.text("group_base_dn", &usual.group_base_dn),
        group_filter: table.text("group_filter", &usual.group_filter),
        creates_ahead: table.choice("create_accounts", ("ahead", true), &[("login", false)]),
        owned_fields: table.list("owned_fields", &owned).into_iter().collect(),
        attribute_title: table.text("attribute_title", &usual.attribute_title),
        attribute_department: table.text("attribute_department", &usual.attribute_department),
        attribute_manager: table.text("attribute_manager", &usual.attribute_manager),
        attribute_phone: table.text("attribute_phone", &usual.attribute_phone),
        attribute_photo: table.text("attribute_photo", &usual.attribute_photo),
        attribute_group_id: table.text("attribute_group_id", &usual.attribute_group_id),
        locked_percent_max: read_percent(table, "safety_max_locked", usual.locked_percent_max),
    }
}

/// A whole number of percent, `10%`.
fn read_percent(table: &mut Table<'_, '_>, key: &str, usual: u32) -> u32 {
    let text = table.text(key, &format!("{usual}%"));
    let percent = text
        .strip_suffix('%')
        .and_then(|number| number.trim().parse().ok());
    match percent.filter(|percent| *percent <= 100) {
        Some(percent) => percent,
        None => {
            table.refuse(
                key,
                "is no part of a whole",
                "Write a percentage from 0% to 100%.",
            );
            usual
        }
    }
}

/// `set x` becomes `Set x.`, as the other faults have it.
fn as_sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string())
        .unwrap_or_default();
    let end = if text.ends_with('.') { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}
