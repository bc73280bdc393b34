//! Access tokens for programs: made by people for themselves or their bots, with scopes, until they are revoked.
//!
//! Each stands for a session with a device of its own, so that whatever ends sessions ends it, too. Unlike the tokens of
//! people who log in they are no JWT: the database is asked, and asked again after a minute.

use std::{sync::Arc, time::Duration};

use echorift_storage::{Change, StorageError, Timestamp, UserNumber};
use echorift_web::{MatrixError, Scopes, Session};
use quick_cache::sync::Cache;
use ruma::{OwnedDeviceId, OwnedUserId, UserId};

use crate::{
    AccountError, Accounts,
    options::milliseconds,
    secret,
    sessions::DEVICE_ID_LETTERS,
    store::{
        self,
        access_tokens::{ListedToken, NewToken},
        sessions::NewSession,
    },
};

/// By this secret scanners, and the verifier, know such a token.
pub(crate) const PREFIX: &str = "ert_";
/// How long what the database has said of a token is good. Its end is known at once all the same, as the session's.
pub(crate) const KNOWN_FOR: Duration = Duration::from_secs(60);
/// How many tokens are kept in memory.
const KNOWN_TOKENS: usize = 10_000;
const NAME_BYTES_MAX: usize = 200;
/// When the session of a token ends that does not end by itself: the last moment of the year 9999.
const NEVER: Timestamp = Timestamp(253_402_300_799_000);

/// Who asks for a token, for whom, and what for.
#[derive(Debug, Clone)]
pub(crate) struct TokenRequest {
    pub(crate) name: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) expires: Option<Timestamp>,
}

/// A token as its owner sees it. What it is was shown once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    pub id: i64,
    pub name: String,
    pub scopes: Vec<String>,
    pub created: Timestamp,
    pub expires: Option<Timestamp>,
    pub last_used: Option<Timestamp>,
    pub last_used_ip: Option<String>,
}

/// The tokens that were used of late, by hash.
pub(crate) struct KnownTokens(Cache<String, Arc<Known>>);

struct Known {
    session: Session,
    expires: Option<Timestamp>,
    owner: Option<UserNumber>,
    read_at: Timestamp,
}

impl KnownTokens {
    pub(crate) fn new() -> Self {
        Self(Cache::new(KNOWN_TOKENS))
    }
}

impl Accounts {
    /// Makes a token for `user`, and returns it with what it is called.
    ///
    /// Errors: `Scopes`, `TooLarge`, `BadRequest` for a time that has passed or is too far away, `TooMany`.
    pub(crate) async fn make_access_token(
        &self,
        user: UserNumber,
        request: TokenRequest,
    ) -> Result<(AccessToken, String), AccountError> {
        let scopes = Scopes::parse(&request.scopes)?.names();
        let name = judge_name(&request.name)?;
        let now = self.0.clock.now();
        self.judge_expiry(request.expires, now)?;
        let token = format!("{PREFIX}{}", secret::random_secret());
        let session = NewSession {
            number: self.0.session_numbers.next().await?,
            user,
            device_id: secret::random_letters(DEVICE_ID_LETTERS),
            device_name: Some(name.clone()),
            expires: request.expires.unwrap_or(NEVER),
            refresh: None,
            client_id: None,
        };
        let new = NewToken {
            hash: secret::hash(&token),
            name: name.clone(),
            scopes: serde_json::Value::from(scopes.clone()).to_string(),
            expires: request.expires,
        };
        let shown = AccessToken {
            id: session.number,
            name,
            scopes,
            created: now,
            expires: request.expires,
            last_used: None,
            last_used_ip: None,
        };
        let limit = self.0.options.bots.tokens_per_account_max;
        self.0
            .database
            .writer()
            .transact(move |tx| {
                Box::pin(async move {
                    if store::access_tokens::count(tx, user, now).await? >= i64::from(limit) {
                        return Err(AccountError::TooMany {
                            what: "tokens",
                            limit,
                        });
                    }
                    store::sessions::open(tx, &session, now).await?;
                    store::access_tokens::insert(tx, &session, &new).await?;
                    Ok(())
                })
            })
            .await?;
        Ok((shown, token))
    }

    /// Error: `NotAllowed` where the operator lets people make no tokens for their own accounts.
    pub(crate) fn check_personal_tokens(&self) -> Result<(), AccountError> {
        if self.0.options.bots.personal_tokens {
            return Ok(());
        }
        Err(AccountError::NotAllowed(
            "Accounts of people have no access tokens for programs on this server.",
        ))
    }

    fn judge_expiry(&self, expires: Option<Timestamp>, now: Timestamp) -> Result<(), AccountError> {
        let longest = self.0.options.bots.token_lifetime_max.map(milliseconds);
        match (expires, longest) {
            (Some(expires), _) if expires <= now || expires > NEVER => Err(AccountError::BadRequest(
                "`expires_at` is a time to come, in milliseconds since 1970.",
            )),
            (Some(expires), Some(longest)) if expires > now.plus_ms(longest) => Err(
                AccountError::BadRequest("Tokens of this server end sooner: choose an earlier `expires_at`."),
            ),
            (None, Some(_)) => Err(AccountError::BadRequest(
                "Tokens of this server have to end: say when by `expires_at`.",
            )),
            _ => Ok(()),
        }
    }

    /// The tokens of an account that have not ended, in the order in which they were made.
    pub(crate) async fn access_tokens(&self, user: UserNumber) -> Result<Vec<AccessToken>, AccountError> {
        // So that what was used in the last minute is shown.
        self.flush().await?;
        let stored = store::access_tokens::of_user(&self.0.database, user).await?;
        stored.into_iter().map(shown).collect()
    }

    /// Ends a token of the account; whether there was such a token.
    pub(crate) async fn revoke_access_token(&self, user: UserNumber, id: i64) -> Result<bool, AccountError> {
        match store::access_tokens::device_of(&self.0.database, user, id).await? {
            Some(device) => {
                self.delete_devices(user, &[device.into()], Change::new()).await?;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// The session that such a token stands for. Errors: `M_UNKNOWN_TOKEN`, `M_USER_LOCKED`.
    pub(crate) async fn verify_access_token(
        &self,
        token: &str,
        even_locked: bool,
    ) -> Result<Session, MatrixError> {
        let unknown = || MatrixError::unknown_token("The access token is unknown or was revoked.", false);
        let now = self.0.clock.now();
        let hash = secret::hash(token);
        let fresh_since = now.plus_ms(-milliseconds(KNOWN_FOR));
        let cache = &self.0.known_tokens.0;
        let known = match cache.get(&hash).filter(|known| known.read_at > fresh_since) {
            Some(known) => known,
            None => {
                let known = self.read_access_token(&hash, now).await?.map(Arc::new);
                let known = known.ok_or_else(unknown)?;
                cache.insert(hash, Arc::clone(&known));
                known
            }
        };
        if self.0.checks.is_revoked(known.session.session_number) {
            return Err(unknown());
        }
        if known.expires.is_some_and(|expires| expires <= now) {
            return Err(MatrixError::unknown_token("The access token has expired.", false));
        }
        let mark = self.0.marks.of(known.session.user_number);
        let is_owner_locked = known.owner.is_some_and(|owner| self.is_locked(owner));
        if (mark.is_locked || is_owner_locked) && !even_locked {
            return Err(AccountError::Locked.into());
        }
        let mut session = known.session.clone();
        (session.is_admin, session.is_guest) = (mark.is_admin, mark.is_guest);
        Ok(session)
    }

    async fn read_access_token(&self, hash: &str, now: Timestamp) -> Result<Option<Known>, AccountError> {
        let Some(stored) = store::access_tokens::find(&self.0.database, hash).await? else {
            return Ok(None);
        };
        let user_id = self.0.users.name(stored.user.0).await?;
        let user_id: OwnedUserId =
            UserId::parse(&*user_id).map_err(|error| StorageError::corrupt("user_numbers.user_id", error))?;
        let corrupt = |reason: String| StorageError::corrupt("access_tokens.scopes", reason);
        let scopes = Scopes::parse(&names_in(&stored.scopes)?).map_err(|error| corrupt(error.to_string()))?;
        Ok(Some(Known {
            session: Session {
                user_id,
                user_number: stored.user.0,
                device_id: OwnedDeviceId::from(stored.device_id),
                session_number: stored.session,
                is_admin: false,
                is_guest: false,
                service: None,
                scopes: Some(Arc::new(scopes)),
            },
            expires: stored.expires,
            owner: stored.owner,
            read_at: now,
        }))
    }
}

fn judge_name(name: &str) -> Result<String, AccountError> {
    let name = name.trim();
    if name.is_empty() {
        return Err(AccountError::BadRequest(
            "A token needs a name, by which you know it again.",
        ));
    }
    if name.len() > NAME_BYTES_MAX {
        return Err(AccountError::TooLarge {
            what: "the name of the token",
            limit: NAME_BYTES_MAX,
        });
    }
    Ok(name.to_owned())
}

fn shown(stored: ListedToken) -> Result<AccessToken, AccountError> {
    Ok(AccessToken {
        id: stored.session,
        scopes: names_in(&stored.scopes)?,
        name: stored.name,
        created: stored.created,
        expires: stored.expires,
        last_used: stored.last_used,
        last_used_ip: stored.last_used_ip,
    })
}

fn names_in(json: &str) -> Result<Vec<String>, StorageError> {
    serde_json::from_str(json).map_err(|error| StorageError::corrupt("access_tokens.scopes", error))
}
