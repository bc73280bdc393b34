use echorift_storage::Timestamp;
use quick_cache::sync::Cache;
use ruma::{OwnedServerName, OwnedUserId};
use sha2::{Digest as _, Sha256};

use super::OpenIdToken;
use crate::{CallError, Calls};

/// How long another server's word about a token is taken without asking again: a client that enters asks for several tokens,
/// and one that is cut off asks again at once.
const BELIEVED_MS: i64 = 60 * 1_000;
/// How many tokens of other servers are remembered, by hash.
const TOKENS_MAX: usize = 10_000;

type TokenHash = [u8; 32];

/// What other servers said about their users' tokens.
pub(crate) struct OpenIdCache(Cache<(OwnedServerName, TokenHash), (Timestamp, OwnedUserId)>);

impl Default for OpenIdCache {
    fn default() -> Self {
        Self(Cache::new(TOKENS_MAX))
    }
}

impl Calls {
    /// Whose a token is. Other servers are asked, and believed only about users of theirs.
    ///
    /// Errors: `BadOpenIdToken`, also if the other server cannot be asked; `Forbidden` if there are no calls with it.
    pub(crate) async fn openid_user(&self, token: &OpenIdToken) -> Result<OwnedUserId, CallError> {
        let server = &token.server;
        if *server == self.rooms().server_name() {
            let user = self.accounts().openid_user(&token.access_token).await?;
            return user.ok_or(CallError::BadOpenIdToken);
        }
        let peers = self.peers().map_err(|_| CallError::BadOpenIdToken)?;
        if !peers.may_call(server) {
            return Err(CallError::Forbidden);
        }
        let key = (
            server.clone(),
            Sha256::digest(token.access_token.as_bytes()).into(),
        );
        let now = self.now();
        if let Some((until, user)) = self.0.openid.0.get(&key)
            && until > now
        {
            return Ok(user);
        }
        let user = match peers.openid_user(server, &token.access_token).await {
            Ok(user) => user.ok_or(CallError::BadOpenIdToken)?,
            Err(error) => {
                tracing::info!(%server, %error, "an OpenID token could not be verified");
                return Err(CallError::BadOpenIdToken);
            }
        };
        if user.server_name() != server {
            // SS API § OpenID: the token would otherwise stand for anybody.
            tracing::warn!(%server, %user, "a server claimed that a user of another one holds its OpenID token");
            return Err(CallError::BadOpenIdToken);
        }
        let until = now.plus_ms(BELIEVED_MS);
        self.0.openid.0.insert(key, (until, user.clone()));
        Ok(user)
    }
}
