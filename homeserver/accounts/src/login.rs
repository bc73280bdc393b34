use echorift_storage::{Change, Timestamp};

use crate::{
    AccountError, Accounts, Identity, PasswordProvider, PasswordWarning, ProviderAnswer, ProviderError,
    Refusal,
    marks::Mark,
    store::{
        self,
        accounts::{Account, NewAccount},
        short_tokens::{self, Purpose},
    },
    username::judge_localpart,
};

/// What the providers together said.
enum Verdict {
    Accepted(ProvedAccount),
    /// Nobody vouches: a local account of that name may still do. If none does, this is the answer.
    AskLocal(AccountError),
}

/// An account whose password was right.
pub(crate) struct ProvedAccount {
    pub(crate) account: Account,
    pub(crate) warning: Option<PasswordWarning>,
}

impl Accounts {
    /// The account of whoever proves by password to be `localpart`: the providers are asked in order, then the local
    /// accounts.
    ///
    /// Errors: `WrongCredentials` whatever the reason (the log tells it), `RefusedByDirectory` for somebody with the
    /// right password, `DirectoryUnavailable` if a provider could not be asked and no local account fits,
    /// `Deactivated`.
    pub(crate) async fn check_password(
        &self,
        localpart: &str,
        password: &str,
    ) -> Result<Account, AccountError> {
        let proved = self.prove_password(localpart, password).await?;
        Ok(proved.account)
    }

    /// As [`Accounts::check_password`], with what the provider warns of.
    pub(crate) async fn prove_password(
        &self,
        localpart: &str,
        password: &str,
    ) -> Result<ProvedAccount, AccountError> {
        let otherwise = match self.ask_providers(localpart, password).await? {
            Verdict::Accepted(proved) => return Ok(proved),
            Verdict::AskLocal(otherwise) => otherwise,
        };
        let account = store::accounts::find_by_localpart(&self.0.database, localpart).await?;
        let local =
            account.filter(|account| account.provider.is_none() && self.may_use_local_password(account));
        let hash = local
            .as_ref()
            .and_then(|account| account.password_hash.as_deref());
        let is_right = self.0.passwords.verify(password, hash).await?;
        match local {
            Some(account) if is_right => {
                // It may have been made or changed beside this process (`echorift user`, another node).
                self.0.marks.set(account.number.0, Mark::from_account(&account));
                Ok(ProvedAccount {
                    account,
                    warning: None,
                })
            }
            // What was deactivated has no password any more: say so to whoever knows the name.
            Some(account) if account.is_deactivated => Err(AccountError::Deactivated),
            Some(_) if matches!(otherwise, AccountError::DirectoryUnavailable) => {
                Err(AccountError::WrongCredentials)
            }
            Some(_) | None => Err(otherwise),
        }
    }

    /// The bucket in which attempts at an account's password are counted, wherever they are made.
    pub(crate) fn login_limit_key(&self, localpart: &str) -> String {
        format!("@{localpart}:{}", self.server_name())
    }

    fn may_use_local_password(&self, account: &Account) -> bool {
        self.0.options.passwords.local_accounts || account.is_admin
    }

    async fn ask_providers(&self, localpart: &str, password: &str) -> Result<Verdict, AccountError> {
        let mut otherwise = AccountError::WrongCredentials;
        for provider in &self.0.providers {
            let name = provider.name();
            match provider.check(localpart, password).await {
                Ok(ProviderAnswer::Accepted(identity)) => {
                    let warning = identity.password_warning;
                    if let Some(account) = self.admit(provider.as_ref(), identity).await? {
                        return Ok(Verdict::Accepted(ProvedAccount { account, warning }));
                    }
                    break;
                }
                Ok(ProviderAnswer::WrongPassword) => {
                    tracing::info!(
                        provider = name,
                        login = localpart,
                        "log-in refused: wrong password"
                    );
                    break;
                }
                Ok(ProviderAnswer::Refused { told, reason }) => {
                    tracing::info!(provider = name, login = localpart, reason, "log-in refused");
                    if told != Refusal::Nothing {
                        otherwise = AccountError::RefusedByDirectory(told);
                    }
                    break;
                }
                Ok(ProviderAnswer::Unknown) => {}
                Err(ProviderError::Unavailable(reason)) => {
                    tracing::warn!(provider = name, reason, "the directory cannot be asked");
                    otherwise = AccountError::DirectoryUnavailable;
                }
            }
        }
        Ok(Verdict::AskLocal(otherwise))
    }

    /// The account of a person that a provider vouches for, made at their first log-in. `None`, with a line in the
    /// log, if the name belongs to someone else here.
    async fn admit(
        &self,
        provider: &dyn PasswordProvider,
        identity: Identity,
    ) -> Result<Option<Account>, AccountError> {
        let name = provider.name();
        let identity = Identity {
            localpart: identity.localpart.to_lowercase(),
            mail: identity.mail.map(|mail| mail.to_lowercase()),
            ..identity
        };
        let database = &self.0.database;
        let by_id = match &identity.external_id {
            Some(id) => store::accounts::find_by_external_id(database, name, id).await?,
            None => None,
        };
        let known = match by_id {
            Some(account) => Some(account),
            None => store::accounts::find_by_localpart(database, &identity.localpart).await?,
        };
        let Some(account) = known else {
            return self.make_directory_account(name, identity).await;
        };
        let localpart = &identity.localpart;
        if account.provider.as_deref() != Some(name) {
            tracing::warn!(
                provider = name,
                localpart,
                owner = account.provider.as_deref().unwrap_or("this server"),
                "log-in refused: the directory vouches for this name, but an account that is not the directory's has it"
            );
            return Ok(None);
        }
        if account.external_id.is_some() && account.external_id != identity.external_id {
            tracing::warn!(
                provider = name,
                localpart,
                "log-in refused: the account belongs to another person of the directory, who had this name before"
            );
            return Ok(None);
        }
        let mut account = self.update_directory_account(account, identity).await?;
        if account.is_locked && account.locked_by.as_deref() == Some(name) {
            // They were gone, and are back before the directory was looked through again.
            self.unlock_mirrored(name, &[account.number]).await?;
            account = self.load_account(account.number).await?;
        }
        Ok(Some(account))
    }

    async fn make_directory_account(
        &self,
        provider: &str,
        identity: Identity,
    ) -> Result<Option<Account>, AccountError> {
        let localpart = identity.localpart.clone();
        let Ok(user_id) = judge_localpart(&localpart, self.server_name()) else {
            tracing::warn!(
                provider,
                localpart,
                "log-in refused: the directory's name for the person is no user name"
            );
            return Ok(None);
        };
        let new = NewAccount {
            number: echorift_storage::UserNumber(self.0.users.intern(user_id.as_str()).await?),
            localpart: localpart.clone(),
            password_hash: None,
            provider: Some(provider.to_owned()),
            external_id: identity.external_id,
            mail: identity.mail,
            is_admin: identity.is_admin.unwrap_or(false),
            is_guest: false,
            display_name: identity.display_name,
        };
        match self.insert_account(new, Change::new()).await {
            // Two first log-ins at once: the other one has made the account.
            Ok(()) | Err(AccountError::UserInUse) => {}
            Err(error) => return Err(error),
        }
        tracing::info!(
            provider,
            localpart,
            "made the account of a person of the directory at their first log-in"
        );
        Ok(store::accounts::find_by_localpart(&self.0.database, &localpart).await?)
    }

    async fn update_directory_account(
        &self,
        mut account: Account,
        identity: Identity,
    ) -> Result<Account, AccountError> {
        let is_admin = identity.is_admin.unwrap_or(account.is_admin);
        let external_id = identity.external_id.or_else(|| account.external_id.clone());
        let is_same = (is_admin, &external_id, &identity.mail)
            == (account.is_admin, &account.external_id, &account.mail);
        if is_same || account.is_deactivated {
            return Ok(account);
        }
        (account.is_admin, account.external_id, account.mail) = (is_admin, external_id, identity.mail);
        let row = account.clone();
        self.0
            .database
            .writer()
            .transact(move |tx| {
                Box::pin(async move {
                    let (id, mail) = (row.external_id.as_deref(), row.mail.as_deref());
                    store::accounts::update_from_directory(tx, row.number, id, mail, row.is_admin).await
                })
            })
            .await?;
        self.0
            .marks
            .change(account.number.0, |mark| mark.is_admin = is_admin);
        Ok(account)
    }

    /// The account that a single-use token was made for. Error: `WrongCredentials`.
    pub(crate) async fn check_login_token(&self, token: &str) -> Result<Account, AccountError> {
        let (hash, now) = (crate::secret::hash(token), self.0.clock.now());
        let take = self.0.database.writer().transact(move |tx| {
            Box::pin(async move { short_tokens::take(tx, Purpose::Login, &hash, now).await })
        });
        let user: Option<Option<_>> = take.await.map_err(AccountError::Storage)?;
        match user.flatten() {
            Some(user) => self.load_account(user).await,
            None => Err(AccountError::WrongCredentials),
        }
    }

    /// Makes a single-use log-in token that is valid until `expires`.
    pub(crate) async fn make_login_token(
        &self,
        user: echorift_storage::UserNumber,
        expires: Timestamp,
    ) -> Result<String, AccountError> {
        let token = crate::secret::random_secret();
        let hash = crate::secret::hash(&token);
        self.0
            .database
            .writer()
            .transact(move |tx| {
                Box::pin(
                    async move { short_tokens::insert(tx, Purpose::Login, &hash, Some(user), expires).await },
                )
            })
            .await?;
        Ok(token)
    }
}
