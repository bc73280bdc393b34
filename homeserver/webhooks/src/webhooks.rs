use std::{sync::Arc, time::Duration};

use axum::Router;
use echorift_accounts::Accounts;
use echorift_rooms::Rooms;
use echorift_storage::{Change, Database, LogListener, StorageError};
use echorift_web::{RateLimits, outbound::Outbound};
use tokio::sync::{Semaphore, watch};

use crate::{WebhooksOptions, incoming::UsedSignatures, registry::Registry, store};

/// How many posts are worked on at a time; the next one is told to come again.
const INCOMING_AT_ONCE: usize = 1_024;
/// How many deliveries are under way at a time, one for each hook at most.
const OUTGOING_AT_ONCE: usize = 256;
/// How often it is written how far hooks have come, and what is over is forgotten. What is delivered within the last of
/// these intervals before a crash is delivered again.
const INTERVAL: Duration = Duration::from_secs(1);

/// The webhooks of this server. Cheap to clone.
#[derive(Clone)]
pub struct Webhooks(pub(crate) Arc<Inner>);

/// What webhooks are built on.
pub struct WebhooksParts {
    pub rooms: Rooms,
    pub accounts: Accounts,
    pub limits: Arc<RateLimits>,
    pub outbound: Outbound,
}

pub(crate) struct Inner {
    pub(crate) options: WebhooksOptions,
    pub(crate) rooms: Rooms,
    pub(crate) accounts: Accounts,
    pub(crate) limits: Arc<RateLimits>,
    pub(crate) outbound: Outbound,
    pub(crate) registry: Arc<Registry>,
    pub(crate) used: UsedSignatures,
    pub(crate) posts: Semaphore,
    pub(crate) deliveries: Semaphore,
    /// Held while a hook is made, changed or ended, so that none of it gets lost; only who does the same waits.
    pub(crate) managing: tokio::sync::Mutex<()>,
}

impl Webhooks {
    /// Reads the hooks. [`Webhooks::listener`] is to be named to the log before [`Webhooks::run`].
    pub async fn start(options: WebhooksOptions, parts: WebhooksParts) -> Result<Self, StorageError> {
        let database = parts.rooms.database();
        let registry = Arc::new(Registry::default());
        for hook in store::hooks::all(database).await? {
            registry.put(&Arc::new(hook));
        }
        let used = UsedSignatures::new(store::signatures::used(database, parts.rooms.clock().now()).await?);
        Ok(Self(Arc::new(Inner {
            options,
            rooms: parts.rooms,
            accounts: parts.accounts,
            limits: parts.limits,
            outbound: parts.outbound,
            registry,
            used,
            posts: Semaphore::new(INCOMING_AT_ONCE),
            deliveries: Semaphore::new(OUTGOING_AT_ONCE),
            managing: tokio::sync::Mutex::default(),
        })))
    }

    /// What the log tells of new events.
    pub fn listener(&self) -> Arc<dyn LogListener> {
        Arc::clone(&self.0.registry) as Arc<dyn LogListener>
    }

    /// Delivers what outgoing hooks have missed, and whatever comes, until `stopping` turns true.
    pub fn run(&self, stopping: watch::Receiver<bool>) {
        if !self.0.options.enabled {
            return;
        }
        for hook in self.0.registry.all() {
            if hook.is_outgoing() {
                self.deliver_of(&hook);
            }
        }
        tokio::spawn(self.clone().keep_house(stopping));
    }

    /// The endpoints; none where the operator wants no webhooks.
    pub fn router(&self) -> Router {
        match self.0.options.enabled {
            true => crate::http::router(self.clone()),
            false => Router::new(),
        }
    }

    async fn keep_house(self, mut stopping: watch::Receiver<bool>) {
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                _ = stopping.wait_for(|stopping| *stopping) => return,
            }
            if let Err(error) = self.flush().await {
                tracing::warn!(%error, "how far webhooks have come could not be written; tried again in a second");
            }
            if let Err(error) = self.forget_signatures().await {
                tracing::warn!(%error, "used signatures of webhooks could not be forgotten; tried again later");
            }
        }
    }

    /// Writes how far outgoing hooks have come. Also called before the server stops.
    pub async fn flush(&self) -> Result<(), StorageError> {
        let mut change = Change::new();
        let mut written = Vec::new();
        let (mut failing, mut lag) = (0_u32, 0_i64);
        let visible = self.0.rooms.database().log().visible();
        for hook in self
            .0
            .registry
            .all()
            .into_iter()
            .filter(|hook| hook.is_outgoing())
        {
            let mut state = hook.progress.state.lock();
            failing += u32::from(state.failing.is_some() && hook.disabled.is_none());
            if hook.disabled.is_none() {
                lag = lag.max(visible.0.saturating_sub(state.position.0));
            }
            if std::mem::take(&mut state.is_dirty) {
                store::hooks::put_progress(&mut change, &hook.id, state.position, state.failing.as_ref());
                written.push(Arc::clone(&hook.progress));
            }
        }
        metrics::gauge!("echorift_webhooks_failing").set(f64::from(failing));
        metrics::gauge!("echorift_webhooks_lag_positions")
            .set(f64::from(u32::try_from(lag).unwrap_or(u32::MAX)));
        if written.is_empty() {
            return Ok(());
        }
        let result = self.database().writer().commit(change).await;
        if result.is_err() {
            for progress in written {
                progress.state.lock().is_dirty = true;
            }
        }
        result
    }

    pub(crate) fn database(&self) -> &Database {
        self.0.rooms.database()
    }
}
