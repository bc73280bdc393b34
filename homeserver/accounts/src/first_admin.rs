use echorift_storage::Timestamp;
use ruma::OwnedUserId;

use crate::{
    AccountError, Accounts, secret,
    store::{
        self,
        accounts::Account,
        short_tokens::{self, Purpose},
    },
};

/// The token is good until there is an administrator, whenever that is.
const NEVER: Timestamp = Timestamp(i64::MAX);

impl Accounts {
    /// Makes the token with which the first administrator registers, even where registration is closed
    /// (`m.login.registration_token`). Earlier ones lose their worth, and so does it once an administrator exists.
    ///
    /// `None` if there is an administrator already.
    pub async fn create_first_admin_token(&self) -> Result<Option<String>, AccountError> {
        let token = secret::random_secret();
        let hash = secret::hash(&token);
        let is_made = self
            .0
            .database
            .writer()
            .transact(move |tx| {
                Box::pin(async move {
                    if store::accounts::has_admin(tx).await? {
                        return Ok::<_, AccountError>(false);
                    }
                    short_tokens::delete_all(tx, Purpose::FirstAdmin).await?;
                    short_tokens::insert(tx, Purpose::FirstAdmin, &hash, None, NEVER).await?;
                    Ok(true)
                })
            })
            .await?;
        Ok(is_made.then_some(token))
    }

    pub(crate) async fn is_first_admin_token(&self, token: &str) -> Result<bool, AccountError> {
        let (hash, now) = (secret::hash(token), self.0.clock.now());
        Ok(
            short_tokens::find(&self.0.database, Purpose::FirstAdmin, &hash, now)
                .await?
                .is_some(),
        )
    }

    /// Whether a first administrator is waited for.
    pub async fn awaits_first_admin(&self) -> Result<bool, AccountError> {
        let database = &self.0.database;
        Ok(short_tokens::any(database, Purpose::FirstAdmin).await?
            && !store::accounts::is_administered(database).await?)
    }

    /// Makes the first administrator and uses the token up, both or neither.
    ///
    /// Errors: `UnknownToken` if someone else was first; otherwise as for any registration.
    pub(crate) async fn register_first_admin(
        &self,
        user_id: &OwnedUserId,
        password: &str,
        token_hash: String,
    ) -> Result<Account, AccountError> {
        let new = self.new_local_account(user_id, password, true).await?;
        let (number, now) = (new.number, self.0.clock.now());
        self.0
            .database
            .writer()
            .transact(move |tx| {
                Box::pin(async move {
                    let is_good = short_tokens::take(tx, Purpose::FirstAdmin, &token_hash, now)
                        .await?
                        .is_some();
                    if !is_good || store::accounts::has_admin(tx).await? {
                        return Err(AccountError::UnknownToken { soft_logout: false });
                    }
                    store::accounts::insert(tx, &new, now).await
                })
            })
            .await?;
        self.0.marks.change(number.0, |mark| mark.is_admin = true);
        self.load_account(number).await
    }
}
