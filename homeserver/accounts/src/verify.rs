use std::sync::{Arc, OnceLock};

use dashmap::DashMap;
use echorift_storage::{Change, Database, StorageError, Timestamp, UserNumber};
use echorift_web::{Assertion, BoxFuture, ClientAddress, MatrixError, Session, TokenVerifier};
use quick_cache::sync::Cache;
use ruma::{OwnedDeviceId, OwnedUserId};
use tokio::sync::watch;

use crate::{
    Accounts, SessionObserver, access_tokens,
    claims::Claims,
    store::sessions::{self, Revoked},
};

/// How many tokens are remembered as checked: some 30 MB at most.
const CHECKED_TOKENS: usize = 50_000;

/// What access tokens are compared with, all in memory.
pub(crate) struct TokenChecks {
    /// Tokens whose signature was checked before: a signature costs 35 µs, a look here less than one.
    checked: Cache<Arc<str>, Arc<Checked>>,
    /// Sessions that ended before their access tokens did.
    revoked: DashMap<i64, Revoked>,
    /// Moves on with each session that ends, and with each account that is locked or suspended.
    endings: watch::Sender<u64>,
    observer: OnceLock<Arc<dyn SessionObserver>>,
}

struct Checked {
    session: Session,
    expires: Timestamp,
    generation: i64,
}

impl TokenChecks {
    pub(crate) async fn load(
        database: &Database,
        now: Timestamp,
        longest_token_ms: i64,
    ) -> Result<Self, StorageError> {
        let revoked = sessions::revoked_since(database, now.plus_ms(-longest_token_ms)).await?;
        let checks = Self {
            checked: Cache::new(CHECKED_TOKENS),
            revoked: DashMap::new(),
            endings: watch::Sender::new(0),
            observer: OnceLock::new(),
        };
        checks.revoke(&revoked);
        Ok(checks)
    }

    /// Called after the commit that ended the sessions.
    pub(crate) fn revoke(&self, sessions: &[Revoked]) {
        self.note_revoked(sessions);
        if !sessions.is_empty() {
            let users: Vec<UserNumber> = sessions.iter().map(|revoked| revoked.user).collect();
            self.tell_of_ending(&users);
        }
    }

    /// As [`Self::revoke`], for who calls [`Self::tell_of_ending`] as well.
    pub(crate) fn note_revoked(&self, sessions: &[Revoked]) {
        for revoked in sessions {
            self.revoked.insert(revoked.session, *revoked);
        }
    }

    pub(crate) fn observe(&self, observer: Arc<dyn SessionObserver>) {
        let _ = self.observer.set(observer);
    }

    fn check_not_revoked(&self, session: i64) -> Result<(), MatrixError> {
        match self.revoked.get(&session) {
            Some(revoked) => Err(unknown(revoked.is_soft)),
            None => Ok(()),
        }
    }

    pub(crate) fn is_revoked(&self, session: i64) -> bool {
        self.revoked.contains_key(&session)
    }

    /// Called after the commit that took a right from these users.
    pub(crate) fn tell_of_ending(&self, users: &[UserNumber]) {
        self.endings
            .send_modify(|endings| *endings = endings.wrapping_add(1));
        if let Some(observer) = self.observer.get() {
            for user in users {
                observer.sessions_ended(*user);
            }
        }
    }

    /// Forgets sessions that ended before `time`: their tokens have expired since.
    pub(crate) fn forget_before(&self, time: Timestamp) {
        self.revoked.retain(|_, revoked| revoked.at >= time);
    }
}

impl Accounts {
    /// Moves on whenever sessions have ended or accounts were locked or suspended: who lets people do something for longer
    /// than a request looks again then. A hint, that is lost with the process.
    pub fn endings(&self) -> watch::Receiver<u64> {
        self.0.checks.endings.subscribe()
    }

    /// Whether a session that a request was let in with still holds, for requests that wait: see [`SessionObserver`].
    ///
    /// Errors: `M_UNKNOWN_TOKEN`, `M_USER_LOCKED`.
    pub fn check_still_valid(&self, session: &Session) -> Result<(), MatrixError> {
        self.0.checks.check_not_revoked(session.session_number)?;
        if self.0.marks.of(session.user_number).is_locked {
            return Err(locked());
        }
        Ok(())
    }

    /// The session behind a token. The second value tells that the token was not seen before by this process.
    fn check_token(&self, token: &str) -> Result<(Arc<Checked>, bool), MatrixError> {
        let checks = &self.0.checks;
        let (checked, is_new) = match checks.checked.get(token) {
            Some(checked) => (checked, false),
            None => {
                let claims = self.0.key.check(token).ok_or_else(|| unknown(false))?;
                let checked = Arc::new(read(claims).ok_or_else(|| unknown(false))?);
                checks.checked.insert(token.into(), Arc::clone(&checked));
                (checked, true)
            }
        };
        checks.check_not_revoked(checked.session.session_number)?;
        if checked.expires <= self.0.clock.now() {
            return Err(unknown(true));
        }
        Ok((checked, is_new))
    }

    /// Whose an access token is; `None` for tokens that are not, or no longer, good for anything.
    pub(crate) fn session_of(&self, token: &str) -> Option<Session> {
        let (checked, _) = self.check_token(token).ok()?;
        let mark = self.0.marks.of(checked.session.user_number);
        let mut session = checked.session.clone();
        (session.is_admin, session.is_guest) = (mark.is_admin, mark.is_guest);
        (!mark.is_locked).then_some(session)
    }

    async fn verify_any(
        &self,
        token: &str,
        assertion: Assertion<'_>,
        even_locked: bool,
    ) -> Result<Session, MatrixError> {
        match self.service_of_token(token) {
            Some(service) => {
                self.assert_identity(service.as_ref(), assertion, even_locked)
                    .await
            }
            None => self.verify_token(token, even_locked).await,
        }
    }

    async fn verify_token(&self, token: &str, even_locked: bool) -> Result<Session, MatrixError> {
        if token.starts_with(access_tokens::PREFIX) {
            return self.verify_access_token(token, even_locked).await;
        }
        let (checked, is_new) = self.check_token(token)?;
        let mark = self.0.marks.of(checked.session.user_number);
        if mark.is_locked && !even_locked {
            return Err(locked());
        }
        if is_new && checked.generation > 0 {
            // CS API § Refreshing access tokens: the old refresh token ends when the new access token is used. The
            // commit is not waited for: a refresh reads behind it in the same queue.
            let mut change = Change::new();
            let number = checked.session.session_number;
            change.write(
                &sessions::CONFIRM,
                sessions::confirmed(number, checked.generation),
            );
            drop(self.0.database.writer().submit(change).await);
        }
        let mut session = checked.session.clone();
        (session.is_admin, session.is_guest) = (mark.is_admin, mark.is_guest);
        Ok(session)
    }
}

impl TokenVerifier for Accounts {
    fn verify<'a>(
        &'a self,
        token: &'a str,
        assertion: Assertion<'a>,
    ) -> BoxFuture<'a, Result<Session, MatrixError>> {
        Box::pin(self.verify_any(token, assertion, false))
    }

    fn verify_even_locked<'a>(
        &'a self,
        token: &'a str,
        assertion: Assertion<'a>,
    ) -> BoxFuture<'a, Result<Session, MatrixError>> {
        Box::pin(self.verify_any(token, assertion, true))
    }

    fn seen(&self, session: &Session, address: ClientAddress) {
        if session.service.is_some() {
            // Where a service runs says nothing of its users, of whom there may be thousands.
            return;
        }
        self.0.last_seen.note(session, address, self.0.clock.now());
    }
}

fn read(claims: Claims) -> Option<Checked> {
    let expires = claims.expires();
    let session = Session {
        user_id: OwnedUserId::try_from(claims.sub).ok()?,
        user_number: claims.usn,
        device_id: OwnedDeviceId::from(claims.dev),
        session_number: claims.sid,
        is_admin: false,
        is_guest: false,
        service: None,
        scopes: None,
    };
    Some(Checked {
        session,
        expires,
        generation: claims.r#gen,
    })
}

fn locked() -> MatrixError {
    MatrixError::user_locked("This account is locked: ask your administrator.")
}

fn unknown(soft_logout: bool) -> MatrixError {
    let message = if soft_logout {
        "The access token has expired."
    } else {
        "The access token is unknown."
    };
    MatrixError::unknown_token(message, soft_logout)
}
