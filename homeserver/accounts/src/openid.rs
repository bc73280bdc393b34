use std::time::Duration;

use echorift_storage::UserNumber;
use ruma::{OwnedUserId, UserId};

use crate::{
    AccountError, Accounts,
    options::milliseconds,
    secret,
    store::short_tokens::{self, Purpose},
};

/// As the specification's example has it.
pub(crate) const OPENID_TOKEN_LIFETIME: Duration = Duration::from_secs(3600);

impl Accounts {
    /// Makes a token with which other services can ask who `user` is (CS API § OpenID).
    pub(crate) async fn make_openid_token(&self, user: UserNumber) -> Result<String, AccountError> {
        let token = secret::random_secret();
        let (hash, expires) = (
            secret::hash(&token),
            self.0.clock.now().plus_ms(milliseconds(OPENID_TOKEN_LIFETIME)),
        );
        let made = self.0.database.writer().transact(move |tx| {
            Box::pin(
                async move { short_tokens::insert(tx, Purpose::OpenId, &hash, Some(user), expires).await },
            )
        });
        made.await?;
        Ok(token)
    }

    /// Whose an OpenID token is (SS API § OpenID); `None` if it is unknown or over.
    pub async fn openid_user(&self, token: &str) -> Result<Option<OwnedUserId>, AccountError> {
        let (hash, now) = (secret::hash(token), self.0.clock.now());
        let found = short_tokens::find(&self.0.database, Purpose::OpenId, &hash, now).await?;
        let Some(user) = found.flatten() else {
            return Ok(None);
        };
        let user_id = self.0.users.name(user.0).await?;
        Ok(UserId::parse(&*user_id).ok())
    }
}
