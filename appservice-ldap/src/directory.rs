//! The directory as the login uses it: who is this, is the password theirs, may they come in.

use std::sync::Arc;

use echorift_storage::{Clock, Timestamp};
use ldap3::{Scope, SearchEntry};
use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;

use crate::account_state::{STATE_ATTRIBUTES, bind_refusal, state_refusal};
use crate::config::DirectoryConfig;
use crate::connection::{Connection, Dialling, Fault, Query};
use crate::endpoints::{Credentials, Endpoints, accepted, attempt};
use crate::entry::Entry;
use crate::groups::{self, Person, Servers};
use crate::identity::{DirectoryUser, id_filter_value};
use crate::login_name::{LoginName, readings};
use crate::password_policy::{PasswordWarning, PolicyAnswer, PolicyError};
use crate::pool::Pool;
use crate::provider::provider_name;
use crate::referral::{Away, Place, Reference, Rules, Trail};
use crate::refusal::LoginRefusal;
use crate::status::Answers;
use crate::template::{DirectName, UserFilter};
use crate::tls::{self, DirectoryError};
use crate::url::DirectoryUrl;

/// Longer names and passwords are nobody's; the directory is not bothered with them.
const USERNAME_BYTES_MAX: usize = 256;
pub(crate) const PASSWORD_BYTES_MAX: usize = 1024;
/// One entry is a person, two are a mistake, more say nothing new.
const PEOPLE_MAX: usize = 2;

/// A directory of people. Cheap to clone; clones share the connections.
#[derive(Debug, Clone)]
pub struct Directory {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    /// See [`crate::provider::provider_name`].
    pub provider_name: &'static str,
    pub config: DirectoryConfig,
    pub user_filter: UserFilter,
    pub endpoints: Endpoints,
    pool: Pool,
    /// Bounds the connections on which passwords are checked.
    password_checks: Semaphore,
    pub referrals: Rules,
    /// Bounds the searches that go on at other servers: one of these that is down holds nobody of the first up.
    away_searches: Semaphore,
    pub answers: Answers,
    pub clock: Clock,
    /// Somebody was found to have left: who mirrors people looks the directory through.
    pub look_again: Notify,
}

impl Directory {
    /// Takes the settings; connects at the first login. Errors: every setting that cannot work.
    pub fn new(config: DirectoryConfig, clock: Clock) -> Result<Self, DirectoryError> {
        let faults = config.validate();
        let urls: Result<Vec<_>, _> = config
            .urls
            .iter()
            .map(|text| DirectoryUrl::parse(text, config.start_tls))
            .collect();
        let (Ok(urls), Ok(user_filter), []) = (urls, UserFilter::parse(&config.user_filter), &*faults) else {
            return Err(DirectoryError::Config(faults));
        };
        let dialling = Dialling {
            tls: tls::client_config(&config.ca_file)?,
            start_tls: config.start_tls,
            connect_timeout: config.connect_timeout,
            request_timeout: config.request_timeout,
        };
        Ok(Self {
            inner: Arc::new(Inner {
                provider_name: provider_name(&config.domain),
                user_filter,
                referrals: Rules::new(&config, &urls, &dialling),
                endpoints: Endpoints::new(urls, dialling),
                pool: Pool::new(config.pool_size),
                password_checks: Semaphore::new(config.pool_size),
                away_searches: Semaphore::new(config.pool_size),
                answers: Answers::default(),
                clock,
                look_again: Notify::new(),
                config,
            }),
        })
    }

    /// Checks a login and gives the person. A refusal is logged here with its reason.
    pub async fn authenticate(&self, username: &str, password: &str) -> Result<DirectoryUser, LoginRefusal> {
        self.log_in(username, password).await.map(|(user, _)| user)
    }

    /// As [`Directory::authenticate`], with what the directory warns of.
    pub async fn log_in(
        &self,
        username: &str,
        password: &str,
    ) -> Result<(DirectoryUser, Option<PasswordWarning>), LoginRefusal> {
        if readings(username, &self.inner.config).is_none() {
            // The name says that the person is of another domain, which is asked as well.
            return Err(LoginRefusal::UnknownUser);
        }
        let outcome = self.inner.authenticate(username, password).await;
        self.noted(username, outcome)
    }

    /// The person as the directory knows them now, without a password: are they still there, still allowed in?
    /// With direct bind nobody but the person may look, and the answer is `Unavailable`.
    pub async fn find(&self, username: &str) -> Result<DirectoryUser, LoginRefusal> {
        let outcome = self.inner.find(username).await;
        self.noted(username, outcome)
    }

    /// The name of the domain; empty for `[directory]` itself.
    pub fn domain(&self) -> &str {
        &self.inner.config.domain
    }

    /// What metrics and health call the domain.
    pub fn label(&self) -> &str {
        label(self.domain())
    }

    /// Whether people and groups are kept in step with it.
    pub fn is_mirrored(&self) -> bool {
        self.inner.config.mirror.is_enabled
    }

    /// Whether the settings name a group that administers.
    pub(crate) fn names_admins(&self) -> bool {
        !self.inner.config.admin_group.is_empty()
    }

    pub(crate) fn tells_locked(&self) -> bool {
        self.inner.config.tell_locked
    }

    /// Like [`Directory::find`] by [`DirectoryUser::immutable_id`], which a rename does not change.
    pub async fn find_by_id(&self, immutable_id: &str) -> Result<DirectoryUser, LoginRefusal> {
        let outcome = self.inner.find_by_id(immutable_id).await;
        self.noted(immutable_id, outcome)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    fn noted<T>(&self, username: &str, outcome: Result<T, LoginRefusal>) -> Result<T, LoginRefusal> {
        self.inner.answers.note(&outcome, self.inner.clock.now());
        if let Err(refusal) = &outcome {
            self.log(refusal, username);
        }
        outcome
    }

    pub(crate) fn log(&self, refusal: &LoginRefusal, username: &str) {
        refusal.log(username, &self.inner.config.domain);
    }
}

impl From<Fault> for LoginRefusal {
    fn from(fault: Fault) -> Self {
        Self::Unavailable(fault.to_string())
    }
}

impl Inner {
    async fn authenticate(
        &self,
        username: &str,
        password: &str,
    ) -> Result<(DirectoryUser, Option<PasswordWarning>), LoginRefusal> {
        check_username(username)?;
        if password.is_empty() {
            return Err(LoginRefusal::EmptyPassword);
        }
        if password.len() > PASSWORD_BYTES_MAX {
            return Err(LoginRefusal::WrongPassword);
        }
        if self.config.is_direct_bind() {
            return self.authenticate_directly(username, password).await;
        }
        let entry = self.find_entry(username).await?;
        let warning = self.prove_password(&entry, password).await?;
        Ok((self.admit(&entry).await?, warning))
    }

    async fn find(&self, username: &str) -> Result<DirectoryUser, LoginRefusal> {
        let entry = self.find_entry(username).await?;
        self.admit(&entry).await
    }

    async fn find_by_id(&self, id: &str) -> Result<DirectoryUser, LoginRefusal> {
        let entry = self.find_entry_by_id(id).await?;
        self.admit(&entry).await
    }

    pub(crate) async fn find_entry_by_id(&self, id: &str) -> Result<Entry, LoginRefusal> {
        let attribute = &self.config.attribute_id;
        let filter = format!(
            "(&{}({attribute}={}))",
            self.user_filter.for_anyone(),
            id_filter_value(attribute, id)
        );
        only(self.search_people(&filter).await?)
    }

    /// The one entry of a login name, by the first reading of it that names anybody.
    pub(crate) async fn find_entry(&self, username: &str) -> Result<Entry, LoginRefusal> {
        check_username(username)?;
        for name in readings(username, &self.config).unwrap_or_default() {
            let filter = name.filter(&self.config, &self.user_filter);
            match only(self.search_people(&filter).await?) {
                Err(LoginRefusal::UnknownUser) => {}
                found => return found,
            }
        }
        Err(LoginRefusal::UnknownUser)
    }

    pub(crate) fn immutable_id(&self, entry: &Entry) -> Result<String, LoginRefusal> {
        DirectoryUser::from_entry(entry, &self.config).map(|user| user.immutable_id)
    }

    /// Binds as the person, on a connection of their own: the service account's never changes hands.
    async fn prove_password(
        &self,
        entry: &Entry,
        password: &str,
    ) -> Result<Option<PasswordWarning>, LoginRefusal> {
        let (_, policy) = self.bind_person(&entry.dn, password, Some(entry)).await?;
        self.judge_policy(policy, entry)
    }

    /// What the policy says of a right password. A server that wants it changed does nothing else for the person, but
    /// an account that may not be used at all is told of that first.
    fn judge_policy(
        &self,
        policy: PolicyAnswer,
        entry: &Entry,
    ) -> Result<Option<PasswordWarning>, LoginRefusal> {
        match policy.error {
            Some(PolicyError::ChangeAfterReset) => {
                let state = state_refusal(entry, self.clock.now());
                Err(state.unwrap_or(LoginRefusal::PasswordMustChange))
            }
            _ => Ok(policy.warning),
        }
    }

    pub(crate) async fn bind_person(
        &self,
        name: &str,
        password: &str,
        entry: Option<&Entry>,
    ) -> Result<(Connection, PolicyAnswer), LoginRefusal> {
        // An empty name would make this an anonymous bind.
        if name.is_empty() {
            return Err(LoginRefusal::IncompleteEntry {
                attribute: "dn".to_owned(),
            });
        }
        let limit = self.config.request_timeout;
        let Ok(Ok(_permit)) = timeout(limit, self.password_checks.acquire()).await else {
            return Err(Fault::Busy(self.config.pool_size).into());
        };
        let credentials = Credentials {
            name: name.to_owned(),
            password: password.to_owned(),
        };
        let (connection, result) = match entry.and_then(|entry| entry.held_by.as_ref()) {
            Some(server) => attempt(server, &self.referrals.dialling(server), &credentials).await?,
            None => self.endpoints.connect(&credentials).await?,
        };
        if result.rc != 0 {
            return Err(bind_refusal(&result, entry));
        }
        Ok((connection, PolicyAnswer::of(&result)))
    }

    /// Without a service account: bind under the filled-in name, then read the own entry.
    async fn authenticate_directly(
        &self,
        username: &str,
        password: &str,
    ) -> Result<(DirectoryUser, Option<PasswordWarning>), LoginRefusal> {
        let username = self.bindable(username);
        let name = DirectName::fill(&self.config.bind_dn, &username).ok_or(LoginRefusal::BadUsername)?;
        let (mut connection, policy) = self.bind_person(name.as_str(), password, None).await?;
        if policy.error == Some(PolicyError::ChangeAfterReset) {
            // Nothing can be read before the change.
            return Err(LoginRefusal::PasswordMustChange);
        }
        let entry = self.read_own_entry(&mut connection, &name, &username).await?;
        if let DirectName::Account(_) = name {
            // An account name and the filter may mean two people: the password has to be that of the entry.
            self.prove_password(&entry, password).await?;
        }
        let user = self.admit_on(&mut connection, &entry).await?;
        Ok((user, policy.warning))
    }

    /// The part of what was typed that goes into `bind_dn`: the account, without the domain.
    pub(crate) fn bindable(&self, username: &str) -> String {
        let readings = readings(username, &self.config).unwrap_or_default();
        let account = readings.into_iter().find_map(|name| match name {
            LoginName::Account(account) => Some(account),
            LoginName::Principal(_) | LoginName::Mail(_) => None,
        });
        account.unwrap_or_else(|| username.to_owned())
    }

    /// The entry of whoever is bound on this connection under this name.
    pub(crate) async fn read_own_entry(
        &self,
        connection: &mut Connection,
        name: &DirectName,
        username: &str,
    ) -> Result<Entry, LoginRefusal> {
        let attributes = self.attributes();
        let (base, scope) = match name {
            // Reading the very entry that was bound leaves no way to bind as one person and log in as another.
            DirectName::Dn(dn) => (dn, Scope::Base),
            DirectName::Account(_) => (&self.config.base_dn, Scope::Subtree),
        };
        let query = Query {
            base,
            scope,
            filter: &self.user_filter.for_username(username),
            attributes: &attributes,
            entries_max: PEOPLE_MAX,
        };
        only(connection.search(query).await?)
    }

    /// People below `base_dn`, as the service account sees them. Other servers are asked if the first knows nobody.
    async fn search_people(&self, filter: &str) -> Result<Vec<Entry>, LoginRefusal> {
        let account = self.service_account()?;
        let attributes = self.attributes();
        let query = Query {
            base: &self.config.base_dn,
            scope: Scope::Subtree,
            filter,
            attributes: &attributes,
            entries_max: PEOPLE_MAX,
        };
        let mut lease = self.pool.lease(&self.endpoints, &account).await?;
        let mut answer = lease.connection.search_here(query).await;
        if lease.was_idle && answer.as_ref().is_err_and(Fault::is_of_connection) {
            lease.replace(&self.endpoints, &account).await?;
            answer = lease.connection.search_here(query).await;
        }
        let trail = self.trail(lease.connection.url(), query, answer)?;
        lease.give_back();
        match trail {
            (entries, Some(trail)) if entries.is_empty() => self.search_away(trail, &attributes).await,
            (entries, _) => Ok(entries),
        }
    }

    /// What a server has answered, and if referrals are followed, where the search goes on.
    fn trail(
        &self,
        url: &str,
        query: Query<'_>,
        answer: Result<(Vec<Entry>, Vec<Reference>), Fault>,
    ) -> Result<(Vec<Entry>, Option<Trail<'_>>), Fault> {
        let (entries, references) = match answer {
            Err(fault) if self.referrals.follows() => match fault.referral() {
                Some(reference) => (Vec::new(), vec![reference]),
                None => return Err(fault),
            },
            answer => answer?,
        };
        if !self.referrals.follows() || references.is_empty() || !entries.is_empty() {
            return Ok((entries, None));
        }
        let place = Place::from(query);
        let mut trail = Trail::begin(&self.referrals, url, &place);
        trail.add(references, &place, 0)?;
        Ok((entries, Some(trail)))
    }

    async fn search_away(&self, trail: Trail<'_>, attributes: &[&str]) -> Result<Vec<Entry>, LoginRefusal> {
        let limit = self.config.request_timeout;
        let Ok(Ok(_permit)) = timeout(limit, self.away_searches.acquire()).await else {
            return Err(Fault::Busy(self.config.pool_size).into());
        };
        let found = Away::new(self).search(trail, attributes, PEOPLE_MAX).await?;
        Ok(found.into_iter().map(Entry::from).collect())
    }

    /// Whole entries, as the service account sees them, wherever they are.
    pub(crate) async fn look_up(&self, query: Query<'_>) -> Result<Vec<SearchEntry>, Fault> {
        let account = self.account()?;
        let mut lease = self.pool.lease(&self.endpoints, &account).await?;
        let mut answer = lease.connection.search_page(query, 1, Vec::new()).await;
        if lease.was_idle && answer.as_ref().is_err_and(Fault::is_of_connection) {
            lease.replace(&self.endpoints, &account).await?;
            answer = lease.connection.search_page(query, 1, Vec::new()).await;
        }
        let url = lease.connection.url().to_owned();
        let fault = match answer {
            Ok(page) => {
                lease.give_back();
                return Ok(page.entries);
            }
            Err(fault) => fault,
        };
        let reference = fault.referral().filter(|_| self.referrals.follows());
        let Some(reference) = reference else {
            return Err(fault);
        };
        lease.give_back();
        let place = Place::from(query);
        let mut trail = Trail::begin(&self.referrals, &url, &place);
        trail.add(vec![reference], &place, 0)?;
        let found = Away::new(self)
            .search(trail, query.attributes, query.entries_max)
            .await?;
        Ok(found.into_iter().map(|found| found.entry).collect())
    }

    /// A connection of the service account to the server that holds this entry.
    pub(crate) async fn connect_for(&self, entry: &Entry) -> Result<Connection, Fault> {
        let account = self.account()?;
        match &entry.held_by {
            Some(server) => accepted(attempt(server, &self.referrals.dialling(server), &account).await?),
            None => self.endpoints.connect_as_service(&account).await,
        }
    }

    async fn admit(&self, entry: &Entry) -> Result<DirectoryUser, LoginRefusal> {
        let account = self.service_account()?;
        let mut lease = self.pool.lease(&self.endpoints, &account).await?;
        let mut outcome = self.admit_on(&mut lease.connection, entry).await;
        if lease.was_idle && matches!(outcome, Err(LoginRefusal::Unavailable(_))) {
            lease.replace(&self.endpoints, &account).await?;
            outcome = self.admit_on(&mut lease.connection, entry).await;
        }
        if !matches!(outcome, Err(LoginRefusal::Unavailable(_))) {
            lease.give_back();
        }
        outcome
    }

    /// Decides on a person whose password is right: state of the account, groups.
    async fn admit_on(
        &self,
        connection: &mut Connection,
        entry: &Entry,
    ) -> Result<DirectoryUser, LoginRefusal> {
        if let Some(refusal) = state_refusal(entry, self.clock.now()) {
            return Err(refusal);
        }
        let user = DirectoryUser::from_entry(entry, &self.config)?;
        let config = &self.config;
        let person = Person {
            entry,
            uid: entry.text(&config.attribute_uid).unwrap_or_default(),
        };
        let login_groups = config.login_groups();
        let wanted = [&[config.admin_group.as_str()], &login_groups[..]].concat();
        let mut servers = Servers::new(connection, self);
        let is_in = groups::memberships(&mut servers, person, &wanted, config.nested_groups).await?;
        let (is_admin, may_log_in) = match is_in.split_first() {
            Some((is_admin, is_in)) => (*is_admin, is_in.is_empty() || is_in.contains(&true)),
            None => (false, false),
        };
        if !may_log_in {
            return Err(LoginRefusal::NotInLoginGroup);
        }
        Ok(DirectoryUser { is_admin, ..user })
    }

    pub(crate) fn service_account(&self) -> Result<Credentials, LoginRefusal> {
        if self.config.is_direct_bind() {
            return Err(LoginRefusal::Unavailable(
                "with direct bind only people themselves may look".to_owned(),
            ));
        }
        let DirectoryConfig {
            bind_dn,
            bind_password,
            ..
        } = &self.config;
        Ok(Credentials {
            name: bind_dn.clone(),
            password: bind_password.clone(),
        })
    }

    /// As [`Inner::service_account`], where there is no login to refuse.
    pub(crate) fn account(&self) -> Result<Credentials, Fault> {
        self.service_account()
            .map_err(|refusal| Fault::NoServer(refusal.to_string()))
    }

    pub(crate) fn attributes(&self) -> Vec<&str> {
        let config = &self.config;
        [
            &config.attribute_uid,
            &config.attribute_name,
            &config.attribute_mail,
            &config.attribute_id,
        ]
        .into_iter()
        .map(String::as_str)
        .chain(["memberOf"])
        .chain(STATE_ATTRIBUTES)
        .collect()
    }
}

/// See [`Directory::label`].
pub(crate) fn label(domain: &str) -> &str {
    if domain.is_empty() { "default" } else { domain }
}

fn check_username(username: &str) -> Result<(), LoginRefusal> {
    let is_plausible = !username.trim().is_empty()
        && username.len() <= USERNAME_BYTES_MAX
        && !username.chars().any(char::is_control);
    if is_plausible {
        Ok(())
    } else {
        Err(LoginRefusal::BadUsername)
    }
}

/// The person, if the search found exactly one.
fn only(mut entries: Vec<Entry>) -> Result<Entry, LoginRefusal> {
    match (entries.pop(), entries.is_empty()) {
        (None, _) => Err(LoginRefusal::UnknownUser),
        (Some(entry), true) => Ok(entry),
        (Some(_), false) => Err(LoginRefusal::Ambiguous),
    }
}
