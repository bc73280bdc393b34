use echorift_storage::{Change, UserNumber};
use ruma::{DeviceId, OwnedUserId, UserId};

use crate::{AccountError, Accounts, oauth, store, store::accounts::Account};

/// A name, and no story.
const DISPLAY_NAME_BYTES_MAX: usize = 1_024;

/// An account to be made by an administrator.
#[derive(Debug, Clone)]
pub struct UserToCreate {
    pub localpart: String,
    pub password: String,
    /// The localpart if left out.
    pub display_name: Option<String>,
    pub is_administrator: bool,
}

impl Accounts {
    /// Makes an account with a local password. `remember` is written with it.
    ///
    /// Errors: `InvalidUsername`, `UserInUse`, `BadPassword`, `TooLarge`.
    pub async fn create_user(&self, wanted: UserToCreate, remember: Change) -> Result<(), AccountError> {
        let user_id = self.judge_new_name(Some(&wanted.localpart)).await?;
        let mut new = self
            .new_local_account(&user_id, &wanted.password, wanted.is_administrator)
            .await?;
        if let Some(name) = wanted.display_name {
            if name.len() > DISPLAY_NAME_BYTES_MAX {
                return Err(AccountError::TooLarge {
                    what: "the display name",
                    limit: DISPLAY_NAME_BYTES_MAX,
                });
            }
            new.display_name = Some(name);
        }
        self.insert_account(new, remember).await
    }

    /// The ID that an account of this name gets. Errors: `InvalidUsername`, `UserInUse`.
    pub async fn new_user_id(&self, localpart: &str) -> Result<OwnedUserId, AccountError> {
        self.judge_new_name(Some(localpart)).await
    }

    /// Ends all sessions of somebody, those on the server's own pages included, and deletes their devices. Errors: `NoSuchUser`, `Deactivated`.
    pub async fn log_out_user(&self, user: &UserId, remember: Change) -> Result<(), AccountError> {
        let user = self.active_account(user).await?.number;
        self.forget_browsers(user).await?;
        self.end_sessions(user, None, remember).await
    }

    /// Ends the sessions of one device, and deletes it; whether there was such a device.
    ///
    /// Errors: `NoSuchUser`, `Deactivated`.
    pub async fn log_out_device(
        &self,
        user: &UserId,
        device_id: &DeviceId,
        remember: Change,
    ) -> Result<bool, AccountError> {
        let user = self.active_account(user).await?.number;
        if self.find_device(user, device_id).await?.is_none() {
            return Ok(false);
        }
        self.delete_devices(user, &[device_id.to_owned()], remember)
            .await?;
        Ok(true)
    }

    /// Ends an account for good (CS API § Account deactivation). Errors: `NoSuchUser`, `Deactivated`.
    pub async fn end_account(
        &self,
        user: &UserId,
        erase: bool,
        remember: Change,
    ) -> Result<(), AccountError> {
        let account = self.active_account(user).await?;
        self.deactivate(account.number, user, erase, remember).await
    }

    /// Gives a local account a new password; with `logs_out`, all its sessions end.
    ///
    /// Errors: `NoSuchUser`, `Deactivated`, `DirectoryPassword`, `BadPassword`.
    pub async fn set_user_password(
        &self,
        user: &UserId,
        password: &str,
        logs_out: bool,
        remember: Change,
    ) -> Result<(), AccountError> {
        let number = self.active_account(user).await?.number;
        self.judge_password_change(number).await?;
        self.change_password(number, password, remember).await?;
        if logs_out {
            self.end_sessions(number, None, Change::new()).await?;
        }
        Ok(())
    }

    /// Makes somebody an administrator, or takes that from them. Where the directory names the administrators, it has the
    /// last word at their next log-in.
    ///
    /// Errors: `NoSuchUser`, `Deactivated`, `Guest`.
    pub async fn set_administrator(
        &self,
        user: &UserId,
        is_administrator: bool,
        remember: Change,
    ) -> Result<(), AccountError> {
        let account = self.active_account(user).await?;
        if is_administrator && account.is_guest {
            return Err(AccountError::Guest);
        }
        let number = account.number;
        let is_there = self.0.database.writer().transact(move |tx| {
            Box::pin(async move {
                if store::accounts::set_admin(tx, number, is_administrator).await? {
                    tx.apply(remember).await?;
                    return Ok(true);
                }
                Ok(false)
            })
        });
        if !is_there.await.map_err(AccountError::Storage)? {
            return Err(AccountError::Deactivated);
        }
        self.0
            .marks
            .change(number.0, |mark| mark.is_admin = is_administrator);
        self.0.checks.tell_of_ending(&[number]);
        Ok(())
    }

    /// An account that has not ended. Errors: `NoSuchUser`, `Deactivated`.
    async fn active_account(&self, user: &UserId) -> Result<Account, AccountError> {
        let account = self.find_account(user).await?.ok_or(AccountError::NoSuchUser)?;
        if account.is_deactivated {
            return Err(AccountError::Deactivated);
        }
        Ok(account)
    }

    /// Signs somebody out of the server's own pages.
    pub(crate) async fn forget_browsers(&self, user: UserNumber) -> Result<(), AccountError> {
        let forgotten =
            self.0.database.writer().transact(move |tx| {
                Box::pin(async move { oauth::store::browsers::delete_all(tx, user).await })
            });
        Ok(forgotten.await?)
    }
}
