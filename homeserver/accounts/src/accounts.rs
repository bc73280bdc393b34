use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, OnceLock},
};

use echorift_mail::Mailer;
use echorift_storage::{Clock, Database, Names, Sequence, UserNumber};
use echorift_web::{RateLimits, Verifier};
use parking_lot::RwLock;
use ruma::{OwnedUserId, ServerName, UserId};

use crate::{
    AccountError, AccountObserver, AccountsOptions, ApplicationServices, PasswordProvider, ProfileObserver,
    SessionObserver,
    access_tokens::KnownTokens,
    account_data_cache::AccountDataCache,
    last_seen::LastSeen,
    maintenance,
    marks::Marks,
    oauth::OAuth,
    password::Passwords,
    registration::Attempts,
    remote_profiles::Remote,
    shared_secret::Nonces,
    signing_key::TokenKey,
    store::{self, accounts::Account},
    uia::UiaSessions,
    verify::TokenChecks,
};

/// The accounts of this server. Clones share everything.
#[derive(Clone)]
pub struct Accounts(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) options: AccountsOptions,
    pub(crate) database: Database,
    pub(crate) users: Names,
    pub(crate) rooms: Names,
    pub(crate) clock: Clock,
    pub(crate) limits: Arc<RateLimits>,
    /// Asked in this order before the local accounts.
    pub(crate) providers: Vec<Arc<dyn PasswordProvider>>,
    pub(crate) passwords: Passwords,
    pub(crate) key: TokenKey,
    pub(crate) session_numbers: Sequence,
    pub(crate) audit_numbers: Sequence,
    pub(crate) checks: TokenChecks,
    pub(crate) known_tokens: KnownTokens,
    pub(crate) marks: Marks,
    pub(crate) uia: UiaSessions,
    pub(crate) attempts: Attempts,
    pub(crate) nonces: Nonces,
    pub(crate) oauth: OAuth,
    pub(crate) last_seen: LastSeen,
    pub(crate) account_data: AccountDataCache,
    pub(crate) profile_observer: OnceLock<Arc<dyn ProfileObserver>>,
    pub(crate) account_observer: OnceLock<Arc<dyn AccountObserver>>,
    pub(crate) remote: Remote,
    /// Unset where no application service can be registered.
    pub(crate) services: OnceLock<Arc<dyn ApplicationServices>>,
    /// What people of which provider cannot change in their profiles. Taken for moments only.
    pub(crate) reserved_fields: RwLock<BTreeMap<&'static str, Arc<BTreeSet<String>>>>,
    /// Those of other features, told when the server starts.
    pub(crate) capabilities: dashmap::DashMap<String, serde_json::Value>,
    /// Empty where no mail is configured.
    pub(crate) mailer: OnceLock<Mailer>,
    /// Held while a farewell is said, so that each is said once; only other farewells wait for it.
    pub(crate) farewells: tokio::sync::Mutex<()>,
}

impl Accounts {
    /// Reads the token key (or makes it) and what every request is compared with, and starts the housekeeping, which
    /// ends when the last clone is dropped.
    ///
    /// Errors: `SigningKey`, `Hash` for argon2 settings that cannot be used, `Storage`.
    pub async fn start(
        options: AccountsOptions,
        database: &Database,
        users: Names,
        clock: Clock,
        limits: Arc<RateLimits>,
        providers: Vec<Arc<dyn PasswordProvider>>,
    ) -> Result<Self, AccountError> {
        let oauth = OAuth::new(&options.oauth, &options.public_base_url)?;
        let key = TokenKey::open(&options.data_dir)?;
        let passwords = Passwords::new(&options.passwords)?;
        let checks =
            TokenChecks::load(database, clock.now(), options.sessions.longest_access_token_ms()).await?;
        let marks = Marks::load(database).await?;
        let accounts = Self(Arc::new(Inner {
            rooms: Names::rooms(database),
            session_numbers: Sequence::new("session_number", database),
            audit_numbers: Sequence::new("audit_number", database),
            database: database.clone(),
            known_tokens: KnownTokens::new(),
            uia: UiaSessions::new(),
            attempts: Attempts::new(),
            nonces: Nonces::new(),
            oauth,
            last_seen: LastSeen::new(),
            account_data: AccountDataCache::new(),
            profile_observer: OnceLock::new(),
            account_observer: OnceLock::new(),
            remote: Remote::new(),
            services: OnceLock::new(),
            reserved_fields: RwLock::default(),
            capabilities: dashmap::DashMap::new(),
            mailer: OnceLock::new(),
            farewells: tokio::sync::Mutex::default(),
            options,
            users,
            clock,
            limits,
            providers,
            passwords,
            key,
            checks,
            marks,
        }));
        tokio::spawn(maintenance::run(Arc::downgrade(&accounts.0)));
        Ok(accounts)
    }

    /// All endpoints of this crate. The server adds [`Accounts::verifier`] as an extension to all its routes.
    pub fn router(&self) -> axum::Router {
        let router = crate::http::router();
        let router = if self.0.options.oauth.enabled {
            router.merge(crate::oauth::http::router())
        } else {
            router
        };
        router.with_state(self.clone())
    }

    pub fn verifier(&self) -> Verifier {
        Verifier(Arc::new(self.clone()))
    }

    pub fn server_name(&self) -> &ServerName {
        &self.0.options.server_name
    }

    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Names who is told of changed profiles; only the first call counts.
    pub fn observe_profiles(&self, observer: Arc<dyn ProfileObserver>) {
        let _ = self.0.profile_observer.set(observer);
    }

    /// Names who is told of ended sessions; only the first call counts.
    pub fn observe_sessions(&self, observer: Arc<dyn SessionObserver>) {
        self.0.checks.observe(observer);
    }

    /// Names who is told of ended accounts; only the first call counts. Farewells that a crash has interrupted are
    /// said again.
    pub fn observe_accounts(&self, observer: Arc<dyn AccountObserver>) {
        if self.0.account_observer.set(observer).is_ok() {
            let accounts = self.clone();
            tokio::spawn(async move { accounts.resume_farewells().await });
        }
    }

    /// Whether `user` is of this server and has an account that was not deactivated.
    pub async fn user_exists(&self, user: &UserId) -> Result<bool, AccountError> {
        Ok(self
            .find_account(user)
            .await?
            .is_some_and(|account| !account.is_deactivated))
    }

    /// Whether `user` is of this server and can log in some day: they have an account that was not deactivated, or none
    /// yet where a directory makes accounts. An application service makes its users when they are asked for here.
    pub async fn can_exist(&self, user: &UserId) -> Result<bool, AccountError> {
        self.ask_services_for(user).await?;
        let account = self.find_account(user).await?;
        let may_come = self.is_local(user) && !self.0.providers.is_empty();
        Ok(account.map_or(may_come, |account| !account.is_deactivated))
    }

    /// Whether `user` administers this server.
    pub async fn is_admin(&self, user: &UserId) -> Result<bool, AccountError> {
        let number = self.0.users.find(user.as_str()).await?;
        Ok(number.is_some_and(|number| self.0.marks.of(number).is_admin))
    }

    /// Whether the account may only look (CS API § Account suspension). Asks memory only.
    pub fn is_suspended(&self, user: UserNumber) -> bool {
        self.0.marks.of(user.0).is_suspended
    }

    /// Whether the account's sessions are of no use for the time being (CS API § Account locking). Asks memory only.
    pub fn is_locked(&self, user: UserNumber) -> bool {
        self.0.marks.of(user.0).is_locked
    }

    /// Adds what other features can do to the capabilities that clients are told (CS API § Capabilities negotiation).
    pub fn add_capabilities(&self, capabilities: impl IntoIterator<Item = (String, serde_json::Value)>) {
        for (name, value) in capabilities {
            self.0.capabilities.insert(name, value);
        }
    }

    /// Whether the account is a guest's (CS API § Guest access). Asks memory only.
    pub fn is_guest(&self, user: UserNumber) -> bool {
        self.0.marks.of(user.0).is_guest
    }

    pub(crate) fn is_local(&self, user: &UserId) -> bool {
        user.server_name() == self.server_name()
    }

    /// The account of a local user, deactivated ones included.
    pub(crate) async fn find_account(&self, user: &UserId) -> Result<Option<Account>, AccountError> {
        if !self.is_local(user) {
            return Ok(None);
        }
        Ok(store::accounts::find_by_localpart(&self.0.database, user.localpart()).await?)
    }

    /// The account of someone who has a session.
    pub(crate) async fn load_account(&self, user: UserNumber) -> Result<Account, AccountError> {
        let account = store::accounts::find_by_number(&self.0.database, user).await?;
        account.ok_or(AccountError::NoSuchUser)
    }

    pub(crate) fn user_id(&self, account: &Account) -> Result<OwnedUserId, AccountError> {
        UserId::parse_with_server_name(account.localpart.as_str(), self.server_name())
            .map_err(|error| echorift_storage::StorageError::corrupt("accounts.localpart", error).into())
    }
}
