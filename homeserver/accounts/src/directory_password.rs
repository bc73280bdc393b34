//! Passwords that a directory keeps, changed there with the old one as the proof.

use std::sync::Arc;

use echorift_web::LimitKind;

use crate::{
    AccountError, Accounts, ChangeAnswer, PasswordProvider, ProviderError, Refusal, WhosePassword, store,
    store::accounts::Account,
};

impl Accounts {
    /// Whether anybody's password can be changed in a directory.
    pub(crate) fn changes_directory_passwords(&self) -> bool {
        self.0
            .providers
            .iter()
            .any(|provider| provider.changes_passwords())
    }

    /// Whether the account's own password can be changed here.
    pub(crate) fn may_change_password(&self, account: &Account) -> bool {
        account.provider.is_none() || self.changing_provider(account).is_some()
    }

    fn changing_provider(&self, account: &Account) -> Option<&Arc<dyn PasswordProvider>> {
        let name = account.provider.as_deref()?;
        let mut providers = self.0.providers.iter();
        providers.find(|provider| provider.name() == name && provider.changes_passwords())
    }

    /// Changes the password of a person of the directory, who proves with the old one who they are.
    ///
    /// Errors: `DirectoryPassword` if this is not offered, `WrongCredentials`, `RefusedPassword` in the directory's
    /// words, `RefusedByDirectory`, `DirectoryUnavailable`, `Limited`.
    pub(crate) async fn change_directory_password(
        &self,
        account: &Account,
        old: &str,
        new: &str,
    ) -> Result<(), AccountError> {
        let provider = self
            .changing_provider(account)
            .ok_or(AccountError::DirectoryPassword)?;
        self.limit_password_attempts(&account.localpart)?;
        let whose = match &account.external_id {
            Some(id) => WhosePassword::ExternalId(id),
            None => WhosePassword::Login(&account.localpart),
        };
        match provider.change_password(whose, old, new).await {
            Ok(answer) => self.take_change(provider.name(), answer).await,
            Err(error) => Err(unavailable(provider.name(), &error)),
        }
    }

    /// As [`Accounts::change_directory_password`] for somebody who cannot log in before: their password has expired, or
    /// an administrator gave it to them. `login` is what they type as their name.
    pub(crate) async fn change_password_before_login(
        &self,
        login: &str,
        old: &str,
        new: &str,
    ) -> Result<(), AccountError> {
        self.limit_password_attempts(login)?;
        let mut otherwise = AccountError::WrongCredentials;
        for provider in &self.0.providers {
            let name = provider.name();
            match provider
                .change_password(WhosePassword::Login(login), old, new)
                .await
            {
                Ok(ChangeAnswer::Unknown | ChangeAnswer::NotOffered) => {}
                Ok(answer) => return self.take_change(name, answer).await,
                Err(error) => otherwise = unavailable(name, &error),
            }
        }
        Err(otherwise)
    }

    /// Attempts count with the log-ins of whoever is named: no second place to guess at passwords.
    fn limit_password_attempts(&self, localpart: &str) -> Result<(), AccountError> {
        let key = self.login_limit_key(localpart);
        let limited = self.0.limits.check(LimitKind::Login, &key);
        limited.map_err(AccountError::Limited)
    }

    async fn take_change(&self, provider: &str, answer: ChangeAnswer) -> Result<(), AccountError> {
        match answer {
            ChangeAnswer::Changed { external_id } => self.sign_out_browsers(provider, &external_id).await,
            ChangeAnswer::WrongPassword | ChangeAnswer::Unknown => Err(AccountError::WrongCredentials),
            ChangeAnswer::Weak(reason) => Err(AccountError::RefusedPassword(reason)),
            ChangeAnswer::Refused { told, reason } => {
                tracing::info!(provider, reason, "a password was not changed");
                Err(match told {
                    Refusal::Nothing => AccountError::WrongCredentials,
                    told => AccountError::RefusedByDirectory(told),
                })
            }
            ChangeAnswer::NotOffered => Err(AccountError::DirectoryPassword),
        }
    }

    /// Whoever knew the old password may be signed in on the server's own pages: not any more.
    async fn sign_out_browsers(&self, provider: &str, external_id: &str) -> Result<(), AccountError> {
        match store::accounts::find_by_external_id(&self.0.database, provider, external_id).await? {
            Some(account) => self.forget_browsers(account.number).await,
            // Before the first log-in there is no account.
            None => Ok(()),
        }
    }
}

fn unavailable(provider: &str, error: &ProviderError) -> AccountError {
    tracing::warn!(provider, %error, "the directory cannot be asked to change a password");
    AccountError::DirectoryUnavailable
}
