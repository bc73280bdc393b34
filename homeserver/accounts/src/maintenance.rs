use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use echorift_storage::StorageError;

use crate::{
    Accounts, access_tokens,
    accounts::Inner,
    oauth,
    options::milliseconds,
    store::{email_validations, sessions, short_tokens},
};

/// How often what devices did is written, and what is over is forgotten.
const INTERVAL: Duration = Duration::from_secs(60);
/// How long an expired session is still known, so that its client is told to log in again and keep its keys.
const EXPIRED_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// Keeps house until the accounts are dropped.
pub(crate) async fn run(accounts: Weak<Inner>) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let Some(inner) = Weak::upgrade(&accounts) else {
            return;
        };
        let accounts = Accounts(Arc::clone(&inner));
        if let Err(error) = accounts.keep_house().await {
            tracing::warn!(%error, "the housekeeping of accounts failed and is tried again in a minute");
        }
        if let Err(error) = accounts.end_stale_guests().await {
            tracing::warn!(%error, "guests who are gone could not be taken leave of; tried again in a minute");
        }
    }
}

impl Accounts {
    /// Writes what is only noted in memory (when devices were last seen); called before the server stops.
    pub async fn flush(&self) -> Result<(), StorageError> {
        match self.0.last_seen.take() {
            Some(change) => self.0.database.writer().commit(change).await,
            None => Ok(()),
        }
    }

    pub(crate) async fn keep_house(&self) -> Result<(), StorageError> {
        self.flush().await?;
        let now = self.0.clock.now();
        // What is remembered of a token for programs must not outlive what is remembered of its end.
        let remembered = milliseconds(access_tokens::KNOWN_FOR).saturating_mul(2);
        let longest = self.0.options.sessions.longest_access_token_ms().max(remembered);
        let (revoked, expired) = (now.plus_ms(-longest), now.plus_ms(-milliseconds(EXPIRED_KEPT)));
        self.0
            .database
            .writer()
            .transact(move |tx| {
                Box::pin(async move {
                    sessions::purge(tx, revoked, expired).await?;
                    oauth::store::purge(tx, now).await?;
                    short_tokens::purge(tx, now).await?;
                    email_validations::purge(tx, now).await
                })
            })
            .await?;
        self.0.checks.forget_before(revoked);
        self.0.uia.forget_expired(now);
        self.0.attempts.forget_expired(now);
        self.0.nonces.forget_expired(now);
        self.0.oauth.rendezvous.forget_expired(now);
        Ok(())
    }
}
