use std::time::Duration;

use echorift_storage::Timestamp;
use echorift_web::LimitKind;
use ruma::OwnedUserId;

use super::store::{self, browsers::BrowserSession};
use crate::{
    AccountError, Accounts, options::milliseconds, secret, store::accounts::Account, username::localpart_of,
};

/// How long somebody may act on what cannot be undone after they have proved who they are.
const PROOF_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// Somebody who is signed in on the server's own pages.
#[derive(Debug, Clone)]
pub(crate) struct SignedIn {
    pub(crate) account: Account,
    pub(crate) user_id: OwnedUserId,
    proved: Timestamp,
}

impl SignedIn {
    /// Whether they have proved who they are of late.
    pub(crate) fn is_fresh(&self, now: Timestamp) -> bool {
        self.proved.plus_ms(milliseconds(PROOF_LIFETIME)) > now
    }
}

impl Accounts {
    /// Whoever is signed in with this cookie.
    pub(crate) async fn find_signed_in(&self, cookie: &str) -> Result<Option<SignedIn>, AccountError> {
        let now = self.0.clock.now();
        let session = store::browsers::find(&self.0.database, &secret::hash(cookie), now).await?;
        let Some(session) = session else {
            return Ok(None);
        };
        let account = self.load_account(session.user).await?;
        if account.is_deactivated || account.is_locked {
            return Ok(None);
        }
        Ok(Some(SignedIn {
            user_id: self.user_id(&account)?,
            account,
            proved: session.proved,
        }))
    }

    /// The account of whoever types a name and a password on the server's own pages: the same providers and the same
    /// limits as for `m.login.password`.
    ///
    /// Errors: as for [`Accounts::check_password`], `Locked`, and `Limited`.
    pub(crate) async fn prove_by_password(
        &self,
        typed: &str,
        password: &str,
    ) -> Result<Account, AccountError> {
        let localpart =
            localpart_of(typed.trim(), self.server_name()).ok_or(AccountError::WrongCredentials)?;
        self.0
            .limits
            .check(LimitKind::Login, &self.login_limit_key(&localpart))
            .map_err(AccountError::Limited)?;
        let account = self.check_password(&localpart, password).await?;
        admit(account)
    }

    /// Signs somebody in who has proved who they are; the new cookie. The old one ends, so that nobody who knew it
    /// shares the session.
    pub(crate) async fn sign_in(&self, account: &Account, old_cookie: &str) -> Result<String, AccountError> {
        let cookie = secret::random_secret();
        let (hash, old) = (secret::hash(&cookie), secret::hash(old_cookie));
        let now = self.0.clock.now();
        let session = BrowserSession {
            user: account.number,
            proved: now,
            expires: now.plus_ms(milliseconds(self.0.options.oauth.browser_session_lifetime)),
        };
        let signed_in = self.0.database.writer().transact(move |tx| {
            Box::pin(async move {
                store::browsers::delete(tx, &old).await?;
                store::browsers::insert(tx, &hash, &session).await
            })
        });
        signed_in.await.map_err(AccountError::Storage)?;
        Ok(cookie)
    }

    pub(crate) async fn sign_out(&self, cookie: &str) -> Result<(), AccountError> {
        let hash = secret::hash(cookie);
        let signed_out = self
            .0
            .database
            .writer()
            .transact(move |tx| Box::pin(async move { store::browsers::delete(tx, &hash).await }));
        signed_out.await.map_err(AccountError::Storage)
    }
}

/// Errors: `Deactivated`, `Locked`.
pub(crate) fn admit(account: Account) -> Result<Account, AccountError> {
    if account.is_deactivated {
        Err(AccountError::Deactivated)
    } else if account.is_locked {
        Err(AccountError::Locked)
    } else {
        Ok(account)
    }
}
