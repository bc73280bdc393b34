use echorift_storage::Change;
use ruma::UserId;

use crate::{AccountError, Accounts, marks::Mark, store};

impl Accounts {
    /// Locks an account or unlocks it (CS API § Account locking): its sessions stay and are of no use meanwhile.
    /// `remember` is written with it.
    ///
    /// Error: `NoSuchUser`, also for deactivated accounts.
    pub async fn set_locked(
        &self,
        user: &UserId,
        is_locked: bool,
        remember: Change,
    ) -> Result<(), AccountError> {
        self.mark(user, (Some(is_locked), None), remember).await
    }

    /// Suspends an account or lets it act again (CS API § Account suspension). `remember` is written with it.
    ///
    /// Error: `NoSuchUser`, also for deactivated accounts.
    pub async fn set_suspended(
        &self,
        user: &UserId,
        is_suspended: bool,
        remember: Change,
    ) -> Result<(), AccountError> {
        self.mark(user, (None, Some(is_suspended)), remember).await
    }

    async fn mark(
        &self,
        user: &UserId,
        (is_locked, is_suspended): (Option<bool>, Option<bool>),
        remember: Change,
    ) -> Result<(), AccountError> {
        let account = self.find_account(user).await?.ok_or(AccountError::NoSuchUser)?;
        let number = account.number;
        let is_there = self.0.database.writer().transact(move |tx| {
            Box::pin(async move {
                if store::accounts::set_marks(tx, number, is_locked, is_suspended).await? {
                    tx.apply(remember).await?;
                    return Ok(true);
                }
                Ok(false)
            })
        });
        if !is_there.await.map_err(AccountError::Storage)? {
            return Err(AccountError::NoSuchUser);
        }
        self.0.marks.change(number.0, |mark| {
            *mark = Mark {
                is_locked: is_locked.unwrap_or(mark.is_locked),
                is_suspended: is_suspended.unwrap_or(mark.is_suspended),
                ..*mark
            };
        });
        self.0.checks.tell_of_ending(&[number]);
        Ok(())
    }
}
