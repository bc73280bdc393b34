use std::{path::PathBuf, time::Duration};

use ruma::{OwnedServerName, RoomVersionId};

use crate::{BotOptions, OAuthOptions, Recaptcha};

/// What the operator configures about accounts.
#[derive(Debug, Clone)]
pub struct AccountsOptions {
    pub server_name: OwnedServerName,
    /// Where clients reach this server (`m.homeserver` in answers to log-ins).
    pub public_base_url: String,
    /// Holds the key that signs access tokens.
    pub data_dir: PathBuf,
    pub registration: RegistrationOptions,
    pub passwords: PasswordOptions,
    pub sessions: SessionOptions,
    pub oauth: OAuthOptions,
    pub bots: BotOptions,
    /// What `m.room_versions` announces as default.
    pub default_room_version: RoomVersionId,
    /// Whether clients may ask for previews of pages (MSC4452).
    pub url_previews: bool,
}

/// Who may make an account (`[registration]`).
#[derive(Debug, Clone, Default)]
pub struct RegistrationOptions {
    pub enabled: bool,
    /// `m.login.dummy` alone suffices.
    pub without_verification: bool,
    /// Whoever knows it may register (`m.login.registration_token`).
    pub token: Option<String>,
    /// Whoever has confirmed an e-mail address may register (`m.login.email.identity`); needs a mailer.
    pub by_email: bool,
    /// Whoever asks gets an account that may look at rooms which welcome guests (CS API § Guest access).
    pub allow_guests: bool,
    /// A challenge on every way to an account (`m.login.recaptcha`).
    pub recaptcha: Option<Recaptcha>,
    /// Signs requests of operators' scripts (`/_synapse/admin/v1/register`).
    pub shared_secret: Option<String>,
}

/// How local passwords are kept (`[passwords]`).
#[derive(Debug, Clone)]
pub struct PasswordOptions {
    /// If false, local passwords serve administrators only: the way in when the directory is away.
    pub local_accounts: bool,
    /// Memory and rounds of argon2id.
    pub hash_memory_kib: u32,
    pub hash_iterations: u32,
}

/// How long tokens live (`[sessions]`).
#[derive(Debug, Clone)]
pub struct SessionOptions {
    pub access_token_lifetime: Duration,
    /// Counted anew at each refresh.
    pub refresh_token_lifetime: Duration,
    /// For clients that ask for no refresh token.
    pub without_refresh_lifetime: Duration,
}

impl SessionOptions {
    /// No access token is valid for longer.
    pub(crate) fn longest_access_token_ms(&self) -> i64 {
        milliseconds(self.access_token_lifetime.max(self.without_refresh_lifetime))
    }
}

pub(crate) fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
