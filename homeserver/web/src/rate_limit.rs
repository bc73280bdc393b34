use std::{
    collections::HashMap,
    net::IpAddr,
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use axum::extract::FromRequestParts;
use governor::{
    Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
    state::keyed::DashMapStateStore,
};
use http::request::Parts;

use crate::{MatrixError, Session};

/// What is limited; each kind has its own setting (`[rate_limits.<kind>]`) and its own buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LimitKind {
    /// Events sent, per user.
    Messages,
    /// Managing and listing delayed events, per user; without a token per event, and per address for unknown events.
    DelayedEvents,
    /// Log-in attempts, per address and per account.
    Login,
    /// Accounts made, per address.
    Registration,
    /// Rooms joined, per user.
    Joins,
    /// Invitations sent, per user.
    Invites,
    /// Rooms created, per user.
    Rooms,
    /// Presence updates, per user.
    Presence,
    /// Uploads and previews of pages, per user.
    Media,
    /// Searches in the user directory, which clients send while somebody types, per user.
    DirectorySearch,
    /// What clients ask before anyone has logged in, per address: OAuth clients, device codes, meeting points for QR
    /// codes.
    Oauth,
    /// Tokens for calls, per user.
    Calls,
    /// Requests between servers, per server; those that nobody signs, per address.
    Federation,
    /// Messages by a webhook, per hook.
    Webhooks,
}

/// A token bucket: `per_second` on the long run, `burst` at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateLimit {
    pub per_second: f64,
    pub burst: u32,
}

type Buckets = RateLimiter<String, DashMapStateStore<String>, DefaultClock>;

/// All limits of the server, shared by all routes.
pub struct RateLimits {
    buckets: HashMap<LimitKind, Buckets>,
    checks: AtomicU32,
}

/// After so many checks the buckets that are full again are forgotten, so that memory follows the active users.
const SWEEP_EVERY: u32 = 10_000;

impl RateLimits {
    /// Kinds that are absent are not limited.
    pub fn new(limits: impl IntoIterator<Item = (LimitKind, RateLimit)>) -> Self {
        let buckets = limits.into_iter().filter_map(|(kind, limit)| {
            let burst = NonZeroU32::new(limit.burst)?;
            let period = Duration::try_from_secs_f64(limit.per_second.recip()).ok()?;
            let quota = Quota::with_period(period)?.allow_burst(burst);
            Some((kind, RateLimiter::dashmap(quota)))
        });
        Self {
            buckets: buckets.collect(),
            checks: AtomicU32::new(0),
        }
    }

    /// No limits at all (`rate_limits.enabled = false`).
    pub fn off() -> Self {
        Self::new([])
    }

    /// Takes one from the bucket of the session's user, unless the session is not limited (AS API § Registration,
    /// `rate_limited`). Error: `M_LIMIT_EXCEEDED`.
    pub fn check_session(&self, kind: LimitKind, session: &Session) -> Result<(), MatrixError> {
        if session.is_rate_limited() {
            self.check(kind, session.user_id.as_str())
        } else {
            Ok(())
        }
    }

    /// Takes one from the bucket of `key` (a user ID, an address). Error: `M_LIMIT_EXCEEDED` with the time to wait.
    pub fn check(&self, kind: LimitKind, key: &str) -> Result<(), MatrixError> {
        let Some(buckets) = self.buckets.get(&kind) else {
            return Ok(());
        };
        if self.checks.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            buckets.retain_recent();
        }
        // One allocation a check; the bucket's key outlives the request.
        let answer = buckets.check_key(&key.to_owned());
        answer
            .map_err(|until| MatrixError::limit_exceeded(until.wait_time_from(DefaultClock::default().now())))
    }
}

/// Where the request came from, as the listener saw it (or as a trusted proxy told it). A request extension that the
/// listener sets; absent in tests that call handlers directly.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub Option<IpAddr>);

impl ClientAddress {
    /// The key for [`RateLimits::check`].
    pub fn key(self) -> String {
        self.0
            .map_or_else(|| "unknown".to_owned(), |address| address.to_string())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().copied().unwrap_or(Self(None)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_let_through_and_then_refused_with_the_time_to_wait() {
        let limits = RateLimits::new([(
            LimitKind::Login,
            RateLimit {
                per_second: 0.001,
                burst: 2,
            },
        )]);
        assert!(limits.check(LimitKind::Login, "a").is_ok());
        assert!(limits.check(LimitKind::Login, "a").is_ok());
        assert!(limits.check(LimitKind::Login, "b").is_ok());
        let refusal = limits
            .check(LimitKind::Login, "a")
            .map_err(|refusal| refusal.errcode().to_owned());
        assert_eq!(refusal, Err("M_LIMIT_EXCEEDED".to_owned()));
        assert!(limits.check(LimitKind::Messages, "a").is_ok());
    }
}
