use super::{
    client::{AUTHORIZATION_CODE, DEVICE_CODE, REFRESH_TOKEN},
    error::OAuthError,
    pkce,
    scope::Scope,
    store::{self, clients::Client, codes::Grant, devices::Decision},
};
use crate::{
    AccountError, Accounts, secret,
    sessions::{OpenedSession, SessionRequest, Tokens},
    store as accounts_store,
};
use echorift_storage::{Timestamp, UserNumber};

/// What a device that asks too often has to wait longer (RFC 8628 § 3.5).
const SLOW_DOWN_MS: i64 = 5_000;

/// What the token endpoint gives.
pub(crate) struct TokenAnswer {
    pub(crate) tokens: Tokens,
    pub(crate) scope: String,
}

/// What is used up together with the opening of the session that it was good for.
enum Used {
    Code(String),
    DeviceCode(String),
}

impl Accounts {
    /// Exchanges an authorisation code (CS API § Authorisation code flow). One that comes again ends the session
    /// that it was exchanged for, as one of its two users must be a thief (RFC 6749 § 4.1.2).
    pub(crate) async fn redeem_code(
        &self,
        client: &Client,
        code: &str,
        redirect_uri: &str,
        verifier: &str,
    ) -> Result<TokenAnswer, OAuthError> {
        judge_grant_type(client, AUTHORIZATION_CODE)?;
        let hash = secret::hash(code);
        let grant = store::codes::find(&self.0.database, &hash).await?;
        let grant = grant.ok_or(OAuthError::InvalidGrant("the code is unknown or over"))?;
        if grant.session.is_some() {
            return Err(self.end_session_of_code(&hash).await?);
        }
        judge_code(&grant, client, redirect_uri, verifier, self.0.clock.now())?;
        let used = Used::Code(hash.clone());
        match self
            .open_client_session(client, grant.user, grant.device_id, used)
            .await
        {
            Ok(opened) => Ok(TokenAnswer {
                tokens: opened.tokens,
                scope: grant.scope,
            }),
            // Two at the same moment: neither is to be trusted.
            Err(OAuthError::InvalidGrant(_)) => Err(self.end_session_of_code(&hash).await?),
            Err(error) => Err(error),
        }
    }

    /// What is to be answered to whoever presents a code that was used.
    async fn end_session_of_code(&self, hash: &str) -> Result<OAuthError, OAuthError> {
        let grant = store::codes::find(&self.0.database, hash).await?;
        if let Some(session) = grant.and_then(|grant| grant.session) {
            self.end_session(session).await?;
            tracing::warn!(session, "an authorisation code came again: its session was ended");
        }
        Ok(OAuthError::InvalidGrant("the code was used before"))
    }

    /// Exchanges a refresh token (CS API § Refresh token grant).
    pub(crate) async fn refresh_for_client(
        &self,
        client: &Client,
        token: &str,
    ) -> Result<TokenAnswer, OAuthError> {
        judge_grant_type(client, REFRESH_TOKEN)?;
        let refreshed = self.refresh(token, Some(&client.id)).await?;
        Ok(TokenAnswer {
            tokens: refreshed.tokens,
            scope: Scope::of_device(&refreshed.device_id),
        })
    }

    /// Answers a device that waits to be let in (RFC 8628 § 3.5).
    pub(crate) async fn poll_device(&self, client: &Client, code: &str) -> Result<TokenAnswer, OAuthError> {
        judge_grant_type(client, DEVICE_CODE)?;
        let (hash, now) = (secret::hash(code), self.0.clock.now());
        let waiting = store::devices::find(&self.0.database, &hash).await?;
        let waiting = waiting
            .filter(|waiting| waiting.client_id == client.id)
            .ok_or(OAuthError::InvalidGrant("the device code is unknown or was used"))?;
        if waiting.expires <= now {
            return Err(OAuthError::ExpiredToken);
        }
        let user = match waiting.decision {
            Decision::Allowed(user) => user,
            Decision::Denied => return Err(OAuthError::AccessDenied),
            Decision::Pending => {
                let is_hasty = waiting
                    .asked
                    .is_some_and(|asked| asked.plus_ms(waiting.interval_ms) > now);
                let more = if is_hasty { SLOW_DOWN_MS } else { 0 };
                let interval = waiting.interval_ms.saturating_add(more);
                let noted = self.0.database.writer().transact(move |tx| {
                    Box::pin(async move { store::devices::note_question(tx, &hash, interval, now).await })
                });
                noted.await?;
                return Err(if is_hasty {
                    OAuthError::SlowDown
                } else {
                    OAuthError::AuthorizationPending
                });
            }
        };
        let opened = self
            .open_client_session(client, user, waiting.device_id, Used::DeviceCode(hash))
            .await?;
        Ok(TokenAnswer {
            tokens: opened.tokens,
            scope: waiting.scope,
        })
    }

    /// Ends the session of a token, and with it both its tokens and its device (CS API § Token revocation). Tokens
    /// that mean nothing are passed over.
    pub(crate) async fn revoke_token(&self, token: &str) -> Result<(), OAuthError> {
        if let Some(session) = self.session_of_token(token).await? {
            self.end_session(session).await?;
        }
        Ok(())
    }

    /// Opens the session and uses up what it was opened for, both or neither.
    async fn open_client_session(
        &self,
        client: &Client,
        user: UserNumber,
        device_id: String,
        used: Used,
    ) -> Result<OpenedSession, OAuthError> {
        let account = self.load_account(user).await?;
        let request = SessionRequest {
            device_id: Some(device_id.into()),
            device_name: Some(client.metadata.shown_name()),
            wants_refresh_token: true,
            client_id: Some(client.id.clone()),
        };
        let prepared = self.prepare_session(&account, request).await?;
        let (new, now) = (prepared.new.clone(), self.0.clock.now());
        let ended = self
            .0
            .database
            .writer()
            .transact(move |tx| {
                Box::pin(async move {
                    let is_unused = match &used {
                        Used::Code(hash) => store::codes::redeem(tx, hash, new.number).await?,
                        Used::DeviceCode(hash) => store::devices::take(tx, hash).await?,
                    };
                    if !is_unused {
                        return Err(AccountError::UnknownToken { soft_logout: false });
                    }
                    accounts_store::sessions::open(tx, &new, now).await
                })
            })
            .await?;
        Ok(self.finish_session(prepared, &ended)?)
    }
}

fn judge_grant_type(client: &Client, grant_type: &str) -> Result<(), OAuthError> {
    if client.metadata.may_use(grant_type) {
        Ok(())
    } else {
        Err(OAuthError::UnauthorizedClient)
    }
}

/// Whether the code is presented by whom it was given to (RFC 6749 § 4.1.3, RFC 7636 § 4.6).
fn judge_code(
    grant: &Grant,
    client: &Client,
    redirect_uri: &str,
    verifier: &str,
    now: Timestamp,
) -> Result<(), OAuthError> {
    let fault = if grant.expires <= now {
        "the code is unknown or over"
    } else if grant.client_id != client.id {
        "the code was given to another client"
    } else if grant.redirect_uri != redirect_uri {
        "redirect_uri is not the one that the code was sent to"
    } else if !pkce::verifies(verifier, &grant.code_challenge) {
        "code_verifier does not fit the challenge"
    } else {
        return Ok(());
    };
    Err(OAuthError::InvalidGrant(fault))
}
