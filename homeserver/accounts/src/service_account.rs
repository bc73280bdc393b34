use echorift_storage::{Change, UserNumber};
use ruma::{MxcUri, OwnedUserId};

use crate::{
    AccountError, Accounts,
    profile::{AVATAR_URL, DISPLAY_NAME},
    store::{self, accounts::NewAccount},
    username::judge_localpart,
};

/// Who such accounts belong to. No password opens them: no provider has this name.
pub(crate) const PROVIDER: &str = "server";

/// An account as which the server itself acts.
#[derive(Debug, Clone, Copy)]
pub struct ServiceAccount<'a> {
    pub localpart: &'a str,
    pub display_name: &'a str,
    pub avatar_url: Option<&'a MxcUri>,
}

impl Accounts {
    /// The account, made if need be, with its profile as it is to be now.
    ///
    /// Errors: `UserInUse` if the name is somebody's, `InvalidUsername`.
    pub async fn service_account(&self, wanted: ServiceAccount<'_>) -> Result<OwnedUserId, AccountError> {
        let user_id = judge_localpart(wanted.localpart, self.server_name())?;
        let database = &self.0.database;
        let known = store::accounts::find_by_localpart(database, wanted.localpart).await?;
        let number = match known {
            Some(account) if account.provider.as_deref() == Some(PROVIDER) => account.number,
            Some(_) => return Err(AccountError::UserInUse),
            None => {
                let number = UserNumber(self.0.users.intern(user_id.as_str()).await?);
                let new = NewAccount {
                    number,
                    localpart: wanted.localpart.to_owned(),
                    password_hash: None,
                    provider: Some(PROVIDER.into()),
                    external_id: None,
                    mail: None,
                    is_admin: false,
                    is_guest: false,
                    display_name: None,
                };
                match self.insert_account(new, Change::new()).await {
                    // Two first uses at once: the other one has made the account.
                    Ok(()) | Err(AccountError::UserInUse) => number,
                    Err(error) => return Err(error),
                }
            }
        };
        let profile = self.profile(&user_id).await?.unwrap_or_default();
        if profile.display_name.as_deref() != Some(wanted.display_name) {
            let name = Some(wanted.display_name.into());
            self.set_profile_field(&user_id, number, DISPLAY_NAME, name)
                .await?;
        }
        if profile.avatar_url.as_deref() != wanted.avatar_url {
            let avatar = wanted.avatar_url.map(|url| url.as_str().into());
            self.set_profile_field(&user_id, number, AVATAR_URL, avatar)
                .await?;
        }
        Ok(user_id)
    }
}
