use echorift_storage::UserNumber;

use crate::{AccountError, Accounts, store};

impl Accounts {
    /// Refuses a password change that cannot be made here. Error: `DirectoryPassword`.
    pub(crate) async fn judge_password_change(&self, user: UserNumber) -> Result<(), AccountError> {
        match self.load_account(user).await?.provider {
            Some(_) => Err(AccountError::DirectoryPassword),
            None => Ok(()),
        }
    }

    /// Gives a local account a new password. Errors: `BadPassword`.
    pub(crate) async fn change_password(&self, user: UserNumber, password: &str) -> Result<(), AccountError> {
        let hash = self.0.passwords.hash(password).await?;
        let changed = self.0.database.writer().transact(move |tx| {
            Box::pin(async move { store::accounts::set_password(tx, user, &hash).await })
        });
        Ok(changed.await?)
    }
}
