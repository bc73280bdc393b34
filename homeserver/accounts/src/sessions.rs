use std::time::Duration;

use echorift_storage::{Change, Timestamp, UserNumber};
use ruma::{OwnedDeviceId, OwnedUserId};

use crate::{
    AccountError, Accounts,
    claims::Claims,
    options::milliseconds,
    secret,
    store::{
        self,
        accounts::Account,
        sessions::{NewSession, RefreshTokens, RefreshableSession, Revoked},
    },
};

/// Longer device IDs and names are refused: they are shown to others and stored for each session.
pub(crate) const DEVICE_ID_BYTES_MAX: usize = 255;
pub(crate) const DEVICE_NAME_BYTES_MAX: usize = 1024;
/// As other servers have them, so that people can compare them by eye.
pub(crate) const DEVICE_ID_LETTERS: usize = 10;

/// What a client asks for when it logs in or registers.
#[derive(Debug, Clone, Default)]
pub(crate) struct SessionRequest {
    /// The device to continue; a new one if absent.
    pub(crate) device_id: Option<OwnedDeviceId>,
    pub(crate) device_name: Option<String>,
    pub(crate) wants_refresh_token: bool,
    /// The OAuth client that asks; `None` for `/login` and `/register`.
    pub(crate) client_id: Option<String>,
}

/// What the client gets.
#[derive(Debug, Clone)]
pub(crate) struct OpenedSession {
    pub(crate) user_id: OwnedUserId,
    pub(crate) device_id: OwnedDeviceId,
    pub(crate) tokens: Tokens,
}

#[derive(Debug, Clone)]
pub(crate) struct Tokens {
    pub(crate) access_token: String,
    pub(crate) refresh_token: Option<String>,
    /// How long the access token is valid.
    pub(crate) expires_in: Duration,
}

/// A session that is ready to be written.
pub(crate) struct PreparedSession {
    pub(crate) new: NewSession,
    user_id: OwnedUserId,
    refresh_token: Option<String>,
    lifetime: Duration,
}

/// What a refresh token was exchanged for.
pub(crate) struct RefreshedSession {
    pub(crate) device_id: String,
    pub(crate) tokens: Tokens,
}

/// A refresh token as text is `FAMILY.SECRET`. The family names the session, so that a token which was replaced long
/// ago is still recognised as one of its tokens; only hashes of both are stored.
struct RefreshToken {
    family: String,
    secret: String,
}

impl RefreshToken {
    fn parse(text: &str) -> Option<Self> {
        let (family, secret) = text.split_once('.')?;
        Some(Self {
            family: family.to_owned(),
            secret: secret.to_owned(),
        })
    }

    fn text(&self) -> String {
        format!("{}.{}", self.family, self.secret)
    }
}

/// What a refresh token turns out to be.
#[derive(Debug, PartialEq, Eq)]
enum Presented {
    /// The newest token: the session moves on.
    Current,
    /// The token before it, while nobody has used what it was exchanged for: the answer was lost.
    Repeated,
    /// A token that was replaced and whose successor is in use: one of the two users is a thief.
    Reused,
}

fn judge_refresh(tokens: &RefreshTokens, presented: &str) -> Presented {
    if tokens.current == presented || tokens.sibling.as_deref() == Some(presented) {
        Presented::Current
    } else if tokens.previous.as_deref() == Some(presented) {
        Presented::Repeated
    } else {
        Presented::Reused
    }
}

impl Accounts {
    /// Opens a session for a person who has proved who they are.
    ///
    /// A device that is continued loses its old session. Errors: `Deactivated`, `Locked`, `TooLarge`.
    pub(crate) async fn open_session(
        &self,
        account: &Account,
        request: SessionRequest,
    ) -> Result<OpenedSession, AccountError> {
        let prepared = self.prepare_session(account, request).await?;
        let (new, now) = (prepared.new.clone(), self.0.clock.now());
        let ended = self
            .0
            .database
            .writer()
            .transact(move |tx| Box::pin(async move { store::sessions::open(tx, &new, now).await }))
            .await?;
        self.finish_session(prepared, &ended)
    }

    /// Everything about a new session but the writing, which may belong to a larger step.
    ///
    /// Errors: `Deactivated`, `Locked`, `TooLarge`.
    pub(crate) async fn prepare_session(
        &self,
        account: &Account,
        request: SessionRequest,
    ) -> Result<PreparedSession, AccountError> {
        if account.is_deactivated {
            return Err(AccountError::Deactivated);
        }
        if account.is_locked {
            return Err(AccountError::Locked);
        }
        let user_id = self.user_id(account)?;
        let device_id = request.device_id.filter(|id| !id.as_str().is_empty());
        let device_id = device_id.unwrap_or_else(|| secret::random_letters(DEVICE_ID_LETTERS).into());
        limit("the device ID", device_id.as_str(), DEVICE_ID_BYTES_MAX)?;
        limit(
            "the device name",
            request.device_name.as_deref().unwrap_or_default(),
            DEVICE_NAME_BYTES_MAX,
        )?;

        let now = self.0.clock.now();
        let options = &self.0.options.sessions;
        let refresh = request.wants_refresh_token.then(|| RefreshToken {
            family: secret::random_name(),
            secret: secret::random_secret(),
        });
        let (lifetime, session_lifetime) = match refresh {
            Some(_) => (options.access_token_lifetime, options.refresh_token_lifetime),
            None => (options.without_refresh_lifetime, options.without_refresh_lifetime),
        };
        let new = NewSession {
            number: self.0.session_numbers.next().await?,
            user: account.number,
            device_id: device_id.to_string(),
            device_name: request.device_name,
            expires: now.plus_ms(milliseconds(session_lifetime)),
            refresh: refresh
                .as_ref()
                .map(|token| (secret::hash(&token.family), secret::hash(&token.secret))),
            client_id: request.client_id,
        };
        Ok(PreparedSession {
            new,
            user_id,
            refresh_token: refresh.as_ref().map(RefreshToken::text),
            lifetime,
        })
    }

    /// The tokens of a session that was written; `ended` are those that it took the place of.
    pub(crate) fn finish_session(
        &self,
        prepared: PreparedSession,
        ended: &[Revoked],
    ) -> Result<OpenedSession, AccountError> {
        self.0.checks.revoke(ended);
        let PreparedSession { new, user_id, .. } = prepared;
        let access_token = self.access_token(
            user_id.as_str(),
            new.user,
            &new.device_id,
            new.number,
            0,
            prepared.lifetime,
        )?;
        Ok(OpenedSession {
            user_id,
            device_id: new.device_id.into(),
            tokens: Tokens {
                access_token,
                refresh_token: prepared.refresh_token,
                expires_in: prepared.lifetime,
            },
        })
    }

    /// Exchanges a refresh token (CS API § Refreshing access tokens).
    ///
    /// Errors: `UnknownToken`; a token that was replaced and is used again ends the session, as one of its two users
    /// must be a thief. `Locked` for locked accounts.
    ///
    /// `client` is the OAuth client that presents it, `None` for `/refresh`: the token is good for the one that it
    /// was given to.
    pub(crate) async fn refresh(
        &self,
        text: &str,
        client: Option<&str>,
    ) -> Result<RefreshedSession, AccountError> {
        let presented = RefreshToken::parse(text).ok_or(AccountError::UnknownToken { soft_logout: false })?;
        let (family, hash) = (secret::hash(&presented.family), secret::hash(&presented.secret));
        if !store::sessions::has_family(&self.0.database, &family).await? {
            return Err(AccountError::UnknownToken { soft_logout: false });
        }
        let next = RefreshToken {
            family: presented.family,
            secret: secret::random_secret(),
        };
        let next_hash = secret::hash(&next.secret);
        let now = self.0.clock.now();
        let options = &self.0.options.sessions;
        let expires = now.plus_ms(milliseconds(options.refresh_token_lifetime));
        let client = client.map(ToOwned::to_owned);
        let outcome = self
            .0
            .database
            .writer()
            .transact(move |tx| {
                Box::pin(async move {
                    let session = store::sessions::find_by_family(tx, &family).await?;
                    let session = session.ok_or(AccountError::UnknownToken { soft_logout: false })?;
                    if session.client_id != client {
                        return Err(AccountError::UnknownToken { soft_logout: false });
                    }
                    if session.revoked.is_some() {
                        return Err(AccountError::UnknownToken {
                            soft_logout: session.is_soft_revoked,
                        });
                    }
                    if session.expires <= now {
                        return Err(AccountError::UnknownToken { soft_logout: true });
                    }
                    let Some(refreshed) = advance(&session, &hash, next_hash, expires) else {
                        store::sessions::revoke_softly(tx, session.number, now).await?;
                        return Ok(Err(session));
                    };
                    store::sessions::update_refreshed(tx, &refreshed).await?;
                    Ok::<_, AccountError>(Ok(refreshed))
                })
            })
            .await?;
        let session = match outcome {
            Ok(session) => session,
            Err(session) => {
                self.0.checks.revoke(&[Revoked {
                    session: session.number,
                    user: session.user,
                    at: now,
                    is_soft: true,
                }]);
                let (session, device_id) = (session.number, session.device_id);
                tracing::warn!(
                    session,
                    device_id,
                    "a used refresh token came again: the session was ended"
                );
                return Err(AccountError::UnknownToken { soft_logout: true });
            }
        };
        self.look_up_standing(session.user).await?;
        if self.0.marks.of(session.user.0).is_locked {
            return Err(AccountError::Locked);
        }
        let user_id = self.0.users.name(session.user.0).await?;
        let lifetime = options.access_token_lifetime;
        let access_token = self.access_token(
            &user_id,
            session.user,
            &session.device_id,
            session.number,
            session.generation,
            lifetime,
        )?;
        Ok(RefreshedSession {
            device_id: session.device_id,
            tokens: Tokens {
                access_token,
                refresh_token: Some(next.text()),
                expires_in: lifetime,
            },
        })
    }

    /// The session behind one of its tokens, whether or not that has expired; `None` for a token that is not ours,
    /// and for a session that has ended.
    pub(crate) async fn session_of_token(&self, token: &str) -> Result<Option<i64>, AccountError> {
        if let Some(claims) = self.0.key.check(token) {
            return Ok(Some(claims.sid));
        }
        match RefreshToken::parse(token) {
            Some(refresh) => {
                let family = secret::hash(&refresh.family);
                Ok(store::sessions::number_of_family(&self.0.database, &family).await?)
            }
            None => Ok(None),
        }
    }

    /// Ends a session and deletes its device. One that has ended already stays as it is.
    pub(crate) async fn end_session(&self, session: i64) -> Result<(), AccountError> {
        match store::sessions::device_of(&self.0.database, session).await? {
            Some((user, device_id)) => {
                self.delete_devices(user, &[device_id.into()], Change::new())
                    .await
            }
            None => Ok(()),
        }
    }

    fn access_token(
        &self,
        user_id: &str,
        user: UserNumber,
        device_id: &str,
        session: i64,
        generation: i64,
        lifetime: Duration,
    ) -> Result<String, AccountError> {
        let now = self.0.clock.now();
        self.0.key.sign(&Claims {
            sub: user_id.to_owned(),
            usn: user.0,
            dev: device_id.to_owned(),
            sid: session,
            r#gen: generation,
            exp: seconds_up(now.plus_ms(milliseconds(lifetime))),
            iat: now.0.div_euclid(1000),
            jti: secret::random_name(),
        })
    }
}

/// The session after a token with hash `presented` was exchanged for one with hash `next`; `None` for a used token.
fn advance(
    session: &RefreshableSession,
    presented: &str,
    next: String,
    expires: Timestamp,
) -> Option<RefreshableSession> {
    let mut session = RefreshableSession {
        expires,
        ..session.clone()
    };
    match judge_refresh(&session.tokens, presented) {
        Presented::Current => {
            session.generation = session.generation.saturating_add(1);
            session.tokens = RefreshTokens {
                current: next,
                sibling: None,
                previous: Some(presented.to_owned()),
            };
        }
        Presented::Repeated => {
            // The lost answer may still arrive, so its token stays good beside the new one.
            let lost = std::mem::replace(&mut session.tokens.current, next);
            session.tokens.sibling = Some(lost);
        }
        Presented::Reused => return None,
    }
    Some(session)
}

pub(crate) fn limit(what: &'static str, text: &str, limit: usize) -> Result<(), AccountError> {
    if text.len() > limit {
        Err(AccountError::TooLarge { what, limit })
    } else {
        Ok(())
    }
}

/// JWT counts seconds: rounded up, so that no token ends early.
fn seconds_up(time: Timestamp) -> i64 {
    time.0.saturating_add(999).div_euclid(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(current: &str, sibling: Option<&str>, previous: Option<&str>) -> RefreshTokens {
        let own = |text: &str| text.to_owned();
        RefreshTokens {
            current: own(current),
            sibling: sibling.map(own),
            previous: previous.map(own),
        }
    }

    #[test]
    fn a_replaced_token_is_good_until_its_successor_is_used() {
        let session = RefreshableSession {
            number: 1,
            user: UserNumber(1),
            device_id: "D".to_owned(),
            expires: Timestamp(0),
            revoked: None,
            is_soft_revoked: false,
            generation: 0,
            tokens: tokens("a", None, None),
            client_id: None,
        };
        let refresh = |session: &RefreshableSession, with: &str, to: &str| {
            advance(session, with, to.to_owned(), Timestamp(9)).ok_or("reused")
        };
        let first = refresh(&session, "a", "b").unwrap();
        assert_eq!(
            (first.generation, &first.tokens),
            (1, &tokens("b", None, Some("a")))
        );
        // The answer with `b` was lost.
        let again = refresh(&first, "a", "c").unwrap();
        assert_eq!(
            (again.generation, &again.tokens),
            (1, &tokens("c", Some("b"), Some("a")))
        );
        // Both answers arrived after all.
        assert_eq!(
            refresh(&again, "b", "d").unwrap().tokens,
            tokens("d", None, Some("b"))
        );
        let later = refresh(&again, "c", "d").unwrap();
        assert_eq!((later.generation, later.expires), (2, Timestamp(9)));
        assert_eq!(refresh(&later, "a", "e").unwrap_err(), "reused");
        assert_eq!(refresh(&later, "b", "e").unwrap_err(), "reused");
        // An access token of the second generation was used.
        let confirmed = RefreshableSession {
            tokens: tokens("d", None, None),
            ..later
        };
        assert_eq!(refresh(&confirmed, "c", "e").unwrap_err(), "reused");
    }
}
