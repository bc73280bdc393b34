use echorift_storage::{Change, StorageError, Tx, UserNumber};

use crate::{AccountError, Accounts, email_validation::ConfirmedEmail, oauth, store};

impl Accounts {
    /// Refuses to touch a password that this server does not keep. Error: `DirectoryPassword`.
    pub(crate) async fn judge_password_change(&self, user: UserNumber) -> Result<(), AccountError> {
        match self.load_account(user).await?.provider {
            Some(_) => Err(AccountError::DirectoryPassword),
            None => Ok(()),
        }
    }

    /// Gives a local account a new password. `remember` is written with it. Errors: `BadPassword`.
    pub(crate) async fn change_password(
        &self,
        user: UserNumber,
        password: &str,
        remember: Change,
    ) -> Result<(), AccountError> {
        let hash = self.0.passwords.hash(password).await?;
        let changed = self.0.database.writer().transact(move |tx| {
            Box::pin(async move {
                tx.apply(remember).await?;
                set_password(tx, user, &hash).await
            })
        });
        changed.await.map_err(AccountError::Storage)
    }

    /// Gives the account with this confirmed address a new password, and uses the confirmation up; whose it was.
    ///
    /// Errors: `NotConfirmed` if the confirmation was used already or the address belongs to no account any more,
    /// `DirectoryPassword`, `BadPassword`.
    pub(crate) async fn reset_password(
        &self,
        email: ConfirmedEmail,
        password: &str,
    ) -> Result<UserNumber, AccountError> {
        let owner = store::emails::find_owner(&self.0.database, &email.address).await?;
        let user = owner.ok_or(AccountError::NotConfirmed)?;
        self.judge_password_change(user).await?;
        let hash = self.0.passwords.hash(password).await?;
        let changed = self.0.database.writer().transact(move |tx| {
            Box::pin(async move {
                if !store::email_validations::remove(tx, &email.sid).await? {
                    return Err(AccountError::NotConfirmed);
                }
                Ok(set_password(tx, user, &hash).await?)
            })
        });
        changed.await?;
        Ok(user)
    }
}

/// Writes a password. Whoever knew the old one may be signed in on the server's own pages: not any more.
async fn set_password(tx: &mut Tx, user: UserNumber, hash: &str) -> Result<(), StorageError> {
    store::accounts::set_password(tx, user, hash).await?;
    oauth::store::browsers::delete_all(tx, user).await
}
