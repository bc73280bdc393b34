//! The configuration: a TOML file, overridden by environment variables, checked as a whole.
//!
//! `config/echorift.toml` documents every key with its default; [`Config::default_settings`] is what a
//! server without a file runs with.

mod application_services;
mod bots;
mod call_media;
mod calls;
mod client;
mod delayed_events;
mod directory_feed;
mod directory_mapping;
mod email;
mod fault;
mod federation;
mod listeners;
mod livekit;
mod media;
mod oauth;
mod outbound;
mod people;
mod push;
mod recaptcha;
mod reserved;
mod secret;
mod sections;
mod server_notices;
mod table;
mod units;
mod user_directory;
mod webhooks;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::Path;

use echorift_accounts::BotOptions;
use echorift_appservice_ldap::DirectoryConfig;
use figment::Figment;
use figment::providers::{Env, Format, Toml};
use figment::value::Dict;

pub(crate) use self::application_services::ApplicationServiceSettings;
pub(crate) use self::calls::CallsSettings;
pub(crate) use self::client::ClientSettings;
pub(crate) use self::directory_feed::FeedSettings;
pub(crate) use self::email::EmailSettings;
pub(crate) use self::fault::{Fault, Faults};
pub(crate) use self::federation::FederationSettings;
pub(crate) use self::listeners::{ListenerSettings, Service, TlsSettings};
pub(crate) use self::livekit::{LivekitSettings, ManagedSettings};
pub(crate) use self::media::{MediaSettings, PreviewSettings};
pub(crate) use self::oauth::OAuthSettings;
pub(crate) use self::outbound::OutboundSettings;
pub(crate) use self::people::{PasswordSettings, RegistrationSettings, SessionSettings};
pub(crate) use self::push::PushSettings;
pub(crate) use self::secret::Secret;
pub(crate) use self::sections::{
    CacheSettings, DatabaseSettings, LimitSettings, LogFormat, LogSettings, PresenceSettings,
    RateLimitSettings, RoomSettings, ServerSettings, SupportSettings,
};
pub(crate) use self::server_notices::NoticeSettings;
use self::table::{Notes, Table};
pub(crate) use self::user_directory::UserDirectorySettings;
pub(crate) use self::webhooks::WebhookSettings;

/// Every setting of a server, checked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Config {
    pub(crate) server: ServerSettings,
    pub(crate) listeners: Vec<ListenerSettings>,
    pub(crate) client: ClientSettings,
    pub(crate) database: DatabaseSettings,
    pub(crate) registration: RegistrationSettings,
    pub(crate) passwords: PasswordSettings,
    pub(crate) sessions: SessionSettings,
    pub(crate) oauth: OAuthSettings,
    /// `None` without a `[directory]` table: only local accounts can log in then.
    pub(crate) directory: Option<DirectoryConfig>,
    /// Further domains of the company, `[directory.domains]`, in the order in which they are asked.
    pub(crate) directory_domains: Vec<DirectoryConfig>,
    /// For `echorift directory feed`: the server that is fed.
    pub(crate) directory_feed: Option<FeedSettings>,
    pub(crate) rate_limits: RateLimitSettings,
    pub(crate) limits: LimitSettings,
    pub(crate) caches: CacheSettings,
    pub(crate) rooms: RoomSettings,
    pub(crate) user_directory: UserDirectorySettings,
    pub(crate) presence: PresenceSettings,
    pub(crate) push: PushSettings,
    pub(crate) webhooks: WebhookSettings,
    pub(crate) bots: BotOptions,
    pub(crate) email: EmailSettings,
    pub(crate) calls: CallsSettings,
    pub(crate) server_notices: NoticeSettings,
    pub(crate) federation: FederationSettings,
    pub(crate) media: MediaSettings,
    pub(crate) url_previews: PreviewSettings,
    pub(crate) outbound: OutboundSettings,
    pub(crate) application_services: ApplicationServiceSettings,
    pub(crate) support: SupportSettings,
    pub(crate) log: LogSettings,
    /// Keys that are set but belong to features this release does not have.
    pub(crate) without_effect: Vec<String>,
}

impl Config {
    /// Reads the file, if one is named, and `ECHORIFT__…` variables over it.
    ///
    /// Errors: every fault at once, in the order of `config/echorift.toml`.
    pub(crate) fn load(file: Option<&Path>) -> Result<Self, Faults> {
        let mut figment = Figment::new();
        if let Some(path) = file {
            if let Err(error) = std::fs::metadata(path) {
                return Err(file_fault(
                    path,
                    &format!("cannot be read: {error}"),
                    "Check the path after --config.",
                ));
            }
            figment = figment.merge(Toml::file_exact(path));
        }
        Self::from_figment(&figment.merge(Env::prefixed("ECHORIFT__").split("__")), file).map(|read| read.0)
    }

    /// Reads the text of a configuration file, without variables.
    #[cfg(test)]
    pub(crate) fn parse(toml: &str) -> Result<Self, Faults> {
        Self::from_figment(&Figment::from(Toml::string(toml)), None).map(|read| read.0)
    }

    /// What a server runs with that was given neither a file nor variables.
    #[cfg(test)]
    pub(crate) fn default_settings() -> Result<Self, Faults> {
        Self::from_figment(&Figment::new(), None).map(|read| read.0)
    }

    /// The settings, and every key that was looked for.
    fn from_figment(figment: &Figment, file: Option<&Path>) -> Result<(Self, BTreeSet<String>), Faults> {
        let values = match figment.find_value("") {
            Ok(value) => value.into_dict().unwrap_or_default(),
            Err(error) if error.missing() => Dict::new(),
            Err(error) => {
                let path = file.unwrap_or(Path::new("the environment"));
                let problem = format!("is not valid TOML: {error}");
                return Err(file_fault(
                    path,
                    problem.trim_end(),
                    "Correct the file at that line.",
                ));
            }
        };
        let mut notes = Notes::new(figment);
        let mut root = Table::root(&mut notes, values);
        let mut config = Self::read(&mut root);
        root.finish();
        let Notes {
            faults,
            known,
            without_effect,
            ..
        } = notes;
        config.without_effect = without_effect;
        if faults.is_empty() {
            Ok((config, known))
        } else {
            Err(Faults(faults))
        }
    }

    fn read(root: &mut Table<'_, '_>) -> Self {
        let server = root.table("server", ServerSettings::read);
        let directories = root.optional_table("directory", |table| {
            let feed = table.table("feed", FeedSettings::read);
            (people::read_directories(table, &server.name), feed)
        });
        let (directories, directory_feed) = directories.unwrap_or_default();
        let domains: Vec<&str> = directories.iter().map(|one| one.domain.as_str()).collect();
        let oauth = root.table("oauth", |table| OAuthSettings::read(table, &domains));
        let mut directories = directories.into_iter();
        let directory = directories.next();
        let listeners = listeners::read_all(root);
        let client = root.table("client", ClientSettings::read);
        let database = root.table("database", |table| {
            DatabaseSettings::read(table, &server.data_dir)
        });
        let email = root.table("email", |table| EmailSettings::read(table, &server.name));
        let registration = root.table("registration", |table| {
            RegistrationSettings::read(table, email.mail.is_some())
        });
        let passwords = root.table("passwords", |table| {
            PasswordSettings::read(table, directory.is_some())
        });
        let calls = root.table("calls", |table| {
            CallsSettings::read(table, &server.public_base_url)
        });
        Self {
            server,
            listeners,
            client,
            database,
            registration,
            passwords,
            sessions: root.table("sessions", SessionSettings::read),
            oauth,
            directory,
            directory_domains: directories.collect(),
            directory_feed,
            rate_limits: root.table("rate_limits", RateLimitSettings::read),
            limits: root.table("limits", LimitSettings::read),
            caches: root.table("caches", CacheSettings::read),
            rooms: root.table("rooms", RoomSettings::read),
            user_directory: root.table("user_directory", UserDirectorySettings::read),
            presence: root.table("presence", PresenceSettings::read),
            push: root.table("push", PushSettings::read),
            webhooks: root.table("webhooks", WebhookSettings::read),
            bots: root.table("bots", bots::read),
            email,
            server_notices: root.table("server_notices", server_notices::read),
            calls,
            federation: root.table("federation", FederationSettings::read),
            media: root.table("media", MediaSettings::read),
            url_previews: root.table("url_previews", PreviewSettings::read),
            outbound: root.table("outbound", OutboundSettings::read),
            application_services: root.table("application_services", ApplicationServiceSettings::read),
            support: root.table("support", SupportSettings::read),
            log: root.table("log", LogSettings::read),
            without_effect: Vec::new(),
        }
    }
}

fn file_fault(path: &Path, problem: &str, fix: &str) -> Faults {
    Faults(vec![Fault {
        key: String::new(),
        value: None,
        place: path.display().to_string(),
        problem: format!("{} {problem}", path.display()),
        fix: fix.to_owned(),
    }])
}
