//! From the room to a program: each hook reads the room's timeline from its own place, and posts what fits, one event after
//! the other. What was not taken is posted again, and the next one waits for it.
//!
//! Nothing is written for a delivery but, once a second, how far the hook has come: after a crash what was delivered in the last
//! second is delivered again, with the same `delivery_id`.

mod delivery;
mod filter;

use std::{collections::VecDeque, pin::pin, sync::Arc, time::Duration};

use echorift_rooms::{Event, Order, Outcome};

pub(crate) use self::delivery::Delivered;
use crate::{
    Hook, HookError, Webhooks,
    hook::{Failing, Kind, Outgoing},
};

/// How many events are read at a time.
const PAGE: usize = 50;
/// How long to wait before reading on after the database has failed.
const PAUSE: Duration = Duration::from_secs(1);

/// What a hook is to do next.
enum Next {
    Deliver(Arc<Event>),
    Wait,
    /// Nothing ever again, for this reason.
    End(&'static str),
}

impl Webhooks {
    /// Starts to deliver what an outgoing hook hears, until it is deleted.
    pub(crate) fn deliver_of(&self, hook: &Hook) {
        tokio::spawn(self.clone().follow(hook.id.clone()));
    }

    async fn follow(self, id: String) {
        let mut page = VecDeque::new();
        let mut failures = 0;
        while let Some(hook) = self.0.registry.find(&id) {
            let Kind::Outgoing(settings, _) = &hook.kind else {
                return;
            };
            if hook.disabled.is_some() {
                // Whoever turns it on again wants what is said from then on.
                page.clear();
                failures = 0;
                hook.progress.wake.notified().await;
                continue;
            }
            match self.next(&hook, settings, &mut page).await {
                Ok(Next::Wait) => hook.progress.wake.notified().await,
                Ok(Next::End(why)) => self.turn_off_or_pause(&hook, why).await,
                Ok(Next::Deliver(event)) => match self.deliver(&hook, settings, &event).await {
                    Ok(Delivered::Taken) => {
                        count("delivered");
                        failures = 0;
                        hook.progress.set_failing(None);
                        hook.progress.advance(event.position());
                        page.pop_front();
                    }
                    Ok(Delivered::Gone) => {
                        count("failed");
                        self.turn_off_or_pause(&hook, "The target answered that it is gone for good (410).")
                            .await;
                    }
                    Ok(Delivered::Failed(failure)) => {
                        count("failed");
                        failures += 1;
                        self.has_failed(&hook, failure, failures).await;
                    }
                    Err(error) => pause_after(&error).await,
                },
                Err(error) => pause_after(&error).await,
            }
        }
    }

    /// Looks for the next event that is to be delivered; it stays at the front of the page until it was.
    async fn next(
        &self,
        hook: &Hook,
        settings: &Outgoing,
        page: &mut VecDeque<Arc<Event>>,
    ) -> Result<Next, HookError> {
        let Ok(room) = self.room_of(hook).await else {
            return Ok(Next::End("The room is gone."));
        };
        if !room.view().members.joined.contains(&hook.user) {
            return Ok(Next::End("The account of the webhook was removed from the room."));
        }
        loop {
            while let Some(event) = page.front() {
                // It may have been redacted since.
                let now = self.0.rooms.event(event.number).await?;
                if self.fits(settings, &now) {
                    return Ok(Next::Deliver(now));
                }
                hook.progress.advance(event.position());
                page.pop_front();
            }
            let visible = self.database().log().visible();
            let span = (hook.progress.position(), visible);
            let read = self
                .0
                .rooms
                .timeline(&room, span, Order::OldestFirst, PAGE)
                .await?;
            if read.is_empty() {
                hook.progress.advance(visible);
                return Ok(Next::Wait);
            }
            page.extend(read);
        }
    }

    fn fits(&self, settings: &Outgoing, event: &Event) -> bool {
        let is_told = event.outcome == Outcome::Accepted && event.redacted_by.is_none();
        is_told && !self.0.registry.is_hook(event.sender) && filter::fits(settings, &event.pdu)
    }

    /// Remembers a failure, and waits, or turns the hook off if it fails for too long.
    async fn has_failed(&self, hook: &Arc<Hook>, failure: String, failures: u32) {
        let now = self.0.rooms.clock().now();
        let since = hook
            .progress
            .state
            .lock()
            .failing
            .as_ref()
            .map_or(now, |failing| failing.since);
        let disable_after = i64::try_from(self.0.options.disable_after.as_millis()).unwrap_or(i64::MAX);
        if since.plus_ms(disable_after) <= now {
            let hours = now.0.saturating_sub(since.0) / 3_600_000;
            let why = format!("Deliveries have failed for {hours} hours, the last one so: {failure}");
            self.turn_off_or_pause(hook, &why).await;
            return;
        }
        let delay = self.back_off(failures);
        let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(
            hook_id = hook.id,
            failure,
            failures,
            delay_ms,
            "a webhook's target did not take a delivery"
        );
        hook.progress.set_failing(Some(Failing { since, failure }));
        let mut over = pin!(tokio::time::sleep(delay));
        loop {
            tokio::select! {
                () = &mut over => return,
                () = hook.progress.wake.notified() => {
                    // New events can wait; a new address is tried at once.
                    let now = self.0.registry.find(&hook.id);
                    if !now.is_some_and(|now| Arc::ptr_eq(&now, hook)) {
                        return;
                    }
                }
            }
        }
    }

    /// How long to wait after so many failures in a row.
    fn back_off(&self, failures: u32) -> Duration {
        let options = &self.0.options;
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1).min(20));
        options
            .retry_initial_delay
            .saturating_mul(doubled)
            .min(options.retry_max_delay)
    }

    async fn turn_off_or_pause(&self, hook: &Hook, why: &str) {
        tracing::warn!(hook_id = hook.id, why, "a webhook is turned off");
        if let Err(error) = self.turn_off(&hook.id, why).await {
            pause_after(&error).await;
        }
    }
}

async fn pause_after(error: &HookError) {
    tracing::warn!(%error, "a webhook could not read what to deliver; tried again in a second");
    tokio::time::sleep(PAUSE).await;
}

fn count(outcome: &'static str) {
    metrics::counter!("echorift_webhooks_deliveries_total", "outcome" => outcome).increment(1);
}
