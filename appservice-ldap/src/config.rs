//! The settings of the directory, as plain values, and the faults that can be seen without asking it.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::dn;
use crate::identity;
use crate::mapping::GroupsConfig;
pub use crate::mirror::settings::MirrorConfig;
use crate::referral::{self, Referrals};
use crate::template::{PLACEHOLDER, UserFilter};
use crate::url::DirectoryUrl;

/// More service connections than this help no directory, and each costs it a thread.
pub const POOL_SIZE_MAX: usize = 64;

/// The `[directory]` table, or one of `[directory.domains]`. An empty text or path means "not set".
///
/// Built by the server's configuration loader, which parses durations and reads secrets from files;
/// [`DirectoryConfig::validate`] then names everything that cannot work.
#[derive(Clone, PartialEq, Eq)]
pub struct DirectoryConfig {
    /// Name of the domain in the settings and in the log; empty for `[directory]` itself.
    pub domain: String,
    /// The domain's short name, which people put in front of theirs: `CORP` in `CORP\anna`.
    pub netbios_name: String,
    /// What people write behind their names: `corp.example.org` in `anna@corp.example.org`.
    pub upn_suffixes: Vec<String>,
    /// Appended to the localparts of this domain's people, so that they meet nobody of another: `.sales`.
    pub uid_suffix: String,
    /// Whether people may log in by the address in `attribute_mail`.
    pub login_by_mail: bool,
    /// Whether people may change their passwords in the directory through this server.
    pub password_change: bool,
    /// Whether somebody is told that their account is locked where the directory does not say whether the password
    /// was right, so that whoever asks may be a stranger.
    pub tell_locked: bool,
    /// `ldap://` or `ldaps://` addresses of equal servers, the favourite first.
    pub urls: Vec<String>,
    /// Upgrade `ldap://` connections to TLS before anything else is said (RFC 4511 § 4.14).
    pub start_tls: bool,
    /// PEM file with certificate authorities to trust beside those of the system.
    pub ca_file: PathBuf,
    /// Name of the service account that looks people up; empty: anonymous. With `{username}` in it
    /// there is no service account: people are bound under this name directly.
    pub bind_dn: String,
    /// Password of the service account.
    pub bind_password: String,
    /// Where people are searched, with everything below.
    pub base_dn: String,
    /// Filter that finds one person; `{username}` stands for the escaped login name.
    pub user_filter: String,
    /// Attribute that becomes the localpart of the Matrix user id.
    pub attribute_uid: String,
    /// Attribute that becomes the display name.
    pub attribute_name: String,
    /// Attribute with the e-mail address.
    pub attribute_mail: String,
    /// Attribute that never changes, not even when a person is renamed.
    pub attribute_id: String,
    /// DN of the group whose members may log in; empty: everybody who is found.
    pub login_group: String,
    /// DN of the group whose members administer the server; empty: the directory names none.
    pub admin_group: String,
    /// Whether members of a member group are members too.
    pub nested_groups: bool,
    /// Time for name lookup, TCP and TLS together, per address.
    pub connect_timeout: Duration,
    /// Time for each single operation on an open connection.
    pub request_timeout: Duration,
    /// Most connections of the service account at once, and most password checks at once.
    pub pool_size: usize,
    /// What is done about parts of the tree that other servers hold.
    pub referrals: Referrals,
    /// The hosts that are asked when a server refers to them; a leading dot stands for all names below.
    pub referral_hosts: Vec<String>,
    /// How people are kept in step with the directory.
    pub mirror: MirrorConfig,
    /// What groups mean in rooms.
    pub groups: GroupsConfig,
}

impl Default for DirectoryConfig {
    fn default() -> Self {
        Self {
            domain: String::new(),
            netbios_name: String::new(),
            upn_suffixes: Vec::new(),
            uid_suffix: String::new(),
            login_by_mail: false,
            password_change: false,
            tell_locked: false,
            urls: Vec::new(),
            start_tls: false,
            ca_file: PathBuf::new(),
            bind_dn: String::new(),
            bind_password: String::new(),
            base_dn: String::new(),
            user_filter: "(&(objectClass=person)(uid={username}))".to_owned(),
            attribute_uid: "uid".to_owned(),
            attribute_name: "cn".to_owned(),
            attribute_mail: "mail".to_owned(),
            attribute_id: "entryUUID".to_owned(),
            login_group: String::new(),
            admin_group: String::new(),
            nested_groups: true,
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(10),
            pool_size: 8,
            referrals: Referrals::default(),
            referral_hosts: Vec::new(),
            mirror: MirrorConfig::default(),
            groups: GroupsConfig::default(),
        }
    }
}

/// Shows everything but the password.
impl fmt::Debug for DirectoryConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DirectoryConfig")
            .field("domain", &self.domain)
            .field("urls", &self.urls)
            .field("start_tls", &self.start_tls)
            .field("bind_dn", &self.bind_dn)
            .field("base_dn", &self.base_dn)
            .field("user_filter", &self.user_filter)
            .field("login_group", &self.login_group)
            .field("admin_group", &self.admin_group)
            .finish_non_exhaustive()
    }
}

/// One setting that cannot work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFault {
    /// Name of the key inside `[directory]`.
    pub key: &'static str,
    /// What was found; never a secret.
    pub value: String,
    /// What is wrong with it.
    pub problem: String,
    /// What to write instead.
    pub fix: String,
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            key,
            value,
            problem,
            fix,
        } = self;
        write!(formatter, "directory.{key} = {value:?}: {problem}; {fix}")
    }
}

impl DirectoryConfig {
    /// Every fault of the settings at once; empty if they can work. Reads no file and asks no server.
    pub fn validate(&self) -> Vec<ConfigFault> {
        let mut faults = Vec::new();
        self.validate_urls(&mut faults);
        self.validate_names(&mut faults);
        self.validate_attributes(&mut faults);
        self.validate_domain(&mut faults);
        self.validate_limits(&mut faults);
        referral::validate(self, &mut faults);
        self.mirror.validate(self.is_direct_bind(), &mut faults);
        faults
    }

    /// The groups whose members may log in; empty: everybody.
    pub(crate) fn login_groups(&self) -> Vec<&str> {
        let mapped = self.groups.mappings.iter().filter(|mapping| mapping.login);
        let mapped = mapped.map(|mapping| mapping.group.as_str());
        let first = Some(self.login_group.as_str()).filter(|group| !group.is_empty());
        first.into_iter().chain(mapped).collect()
    }

    /// Whether people are bound under their own name, without a service account.
    pub(crate) fn is_direct_bind(&self) -> bool {
        self.bind_dn.contains(PLACEHOLDER)
    }

    fn validate_urls(&self, faults: &mut Vec<ConfigFault>) {
        if self.urls.is_empty() {
            faults.push(fault(
                "urls",
                "[]",
                "no server is named",
                "list at least one ldaps:// address",
            ));
        }
        for text in &self.urls {
            match DirectoryUrl::parse(text, self.start_tls) {
                Err(problem) => faults.push(fault(
                    "urls",
                    text,
                    problem,
                    "write ldaps://host, ldap://host or either with :port",
                )),
                Ok(url) if url.is_ldaps && self.start_tls => faults.push(fault(
                    "start_tls",
                    "true",
                    format!("{text} is encrypted from the start"),
                    "set start_tls = false, or use ldap:// addresses",
                )),
                Ok(_) => {}
            }
        }
    }

    fn validate_names(&self, faults: &mut Vec<ConfigFault>) {
        let dn_fix = "write a distinguished name such as ou=people,dc=example,dc=org";
        if self.base_dn.is_empty() {
            faults.push(fault(
                "base_dn",
                "",
                "people cannot be searched without it",
                dn_fix,
            ));
        }
        for (key, value) in [
            ("base_dn", &self.base_dn),
            ("login_group", &self.login_group),
            ("admin_group", &self.admin_group),
        ] {
            if !value.is_empty() && dn::normalise(value).is_none() {
                faults.push(fault(key, value, "this is no distinguished name", dn_fix));
            }
        }
        if let Err(problem) = UserFilter::parse(&self.user_filter) {
            faults.push(fault(
                "user_filter",
                &self.user_filter,
                problem,
                "write a filter such as (&(objectClass=person)(uid={username}))",
            ));
        }
        if !self.bind_dn.is_empty() && !self.is_direct_bind() && self.bind_password.is_empty() {
            // Servers take a name without a password for an anonymous bind (RFC 4513 § 5.1.2).
            faults.push(fault(
                "bind_password",
                "",
                "the service account has no password",
                "set bind_password_file, or leave bind_dn empty to search anonymously",
            ));
        }
    }

    fn validate_attributes(&self, faults: &mut Vec<ConfigFault>) {
        for (key, value) in [
            ("attribute_uid", &self.attribute_uid),
            ("attribute_name", &self.attribute_name),
            ("attribute_mail", &self.attribute_mail),
            ("attribute_id", &self.attribute_id),
        ]
        .into_iter()
        .chain(self.mirror.attributes())
        {
            let is_name = value.starts_with(|first: char| first.is_ascii_alphabetic())
                && value.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
            if !is_name {
                faults.push(fault(
                    key,
                    value,
                    "this is no attribute name",
                    "write the name of one attribute, such as uid or sAMAccountName",
                ));
            }
        }
    }

    fn validate_domain(&self, faults: &mut Vec<ConfigFault>) {
        let is_plain =
            |text: &str| !text.contains(['\\', '@', '/', '"']) && !text.contains(char::is_whitespace);
        if !is_plain(&self.netbios_name) {
            faults.push(fault(
                "netbios_name",
                &self.netbios_name,
                "this is no short name of a domain",
                "write the part before the backslash alone, such as CORP",
            ));
        }
        for suffix in self
            .upn_suffixes
            .iter()
            .filter(|suffix| suffix.is_empty() || !is_plain(suffix))
        {
            faults.push(fault(
                "upn_suffixes",
                suffix,
                "this is no suffix of names",
                "write the part behind the @ alone, such as corp.example.org",
            ));
        }
        if identity::localpart(&format!("a{}", self.uid_suffix)) != Some(format!("a{}", self.uid_suffix)) {
            faults.push(fault(
                "uid_suffix",
                &self.uid_suffix,
                "user ids cannot hold it",
                "write small letters, digits and . _ - / + alone, such as .sales",
            ));
        }
        let is_readable = !self.start_tls && self.urls.iter().any(|url| url.starts_with("ldap://"));
        if self.password_change && is_readable {
            faults.push(fault(
                "password_change",
                "true",
                "new passwords would travel in clear",
                "use ldaps:// addresses or start_tls = true, or set password_change = false",
            ));
        }
    }

    fn validate_limits(&self, faults: &mut Vec<ConfigFault>) {
        for (key, value) in [
            ("connect_timeout", self.connect_timeout),
            ("request_timeout", self.request_timeout),
        ] {
            if value.is_zero() {
                faults.push(fault(
                    key,
                    "0s",
                    "nothing answers in no time",
                    "write a time such as 5s",
                ));
            }
        }
        if self.pool_size == 0 || self.pool_size > POOL_SIZE_MAX {
            faults.push(fault(
                "pool_size",
                &self.pool_size.to_string(),
                "the pool is empty or larger than a directory likes",
                &format!("write a number from 1 to {POOL_SIZE_MAX}"),
            ));
        }
    }
}

pub(crate) fn fault(key: &'static str, value: &str, problem: impl Into<String>, fix: &str) -> ConfigFault {
    ConfigFault {
        key,
        value: value.to_owned(),
        problem: problem.into(),
        fix: fix.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn working() -> DirectoryConfig {
        DirectoryConfig {
            urls: vec!["ldaps://dc1.example.org".to_owned()],
            bind_dn: "cn=echorift,dc=example,dc=org".to_owned(),
            bind_password: "secret".to_owned(),
            base_dn: "ou=people,dc=example,dc=org".to_owned(),
            ..DirectoryConfig::default()
        }
    }

    fn faulty_keys(config: &DirectoryConfig) -> Vec<&'static str> {
        config.validate().into_iter().map(|fault| fault.key).collect()
    }

    #[test]
    fn a_working_table_has_no_faults() {
        assert_eq!(working().validate(), []);
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let config = DirectoryConfig {
            urls: vec!["http://dc1".to_owned()],
            base_dn: "people".to_owned(),
            user_filter: "(uid=fixed)".to_owned(),
            attribute_id: "entry uuid".to_owned(),
            bind_password: String::new(),
            pool_size: 0,
            connect_timeout: Duration::ZERO,
            ..working()
        };
        let keys = faulty_keys(&config);
        assert_eq!(
            keys,
            [
                "urls",
                "base_dn",
                "user_filter",
                "bind_password",
                "attribute_id",
                "connect_timeout",
                "pool_size"
            ]
        );
    }

    #[test]
    fn start_tls_on_an_encrypted_address_is_a_fault() {
        assert_eq!(
            faulty_keys(&DirectoryConfig {
                start_tls: true,
                ..working()
            }),
            ["start_tls"]
        );
    }

    #[test]
    fn direct_bind_needs_no_service_password() {
        let config = DirectoryConfig {
            bind_dn: "uid={username},ou=people,dc=example,dc=org".to_owned(),
            bind_password: String::new(),
            ..working()
        };
        assert_eq!(config.validate(), []);
    }

    #[test]
    fn a_domain_that_cannot_be_told_apart_is_a_fault() {
        let config = DirectoryConfig {
            netbios_name: "CORP\\".to_owned(),
            upn_suffixes: vec!["@corp.example.org".to_owned()],
            uid_suffix: " Sales".to_owned(),
            ..working()
        };
        assert_eq!(
            faulty_keys(&config),
            ["netbios_name", "upn_suffixes", "uid_suffix"]
        );
    }

    #[test]
    fn passwords_are_changed_over_encrypted_connections_only() {
        let config = |url: &str, start_tls| DirectoryConfig {
            urls: vec![url.to_owned()],
            password_change: true,
            start_tls,
            ..working()
        };
        assert_eq!(faulty_keys(&config("ldap://dc1", false)), ["password_change"]);
        assert_eq!(faulty_keys(&config("ldap://dc1", true)), [""; 0]);
        assert_eq!(faulty_keys(&config("ldaps://dc1", false)), [""; 0]);
    }

    #[test]
    fn the_password_is_not_printed() {
        assert!(!format!("{:?}", working()).contains("secret"));
    }
}
