use std::{sync::Arc, time::Duration};

use echorift_rooms::RoomError;
use serde_json::Value;

use super::{
    Push,
    gateways::GatewayError,
    notification,
    outbox::{Job, Outbox, Waiting},
};
use crate::{
    pusher::{Channel, Pusher, PusherKey},
    web_push::{self, Message, Pushed, Subscription, Urgency},
};

/// Why something is still to be delivered.
#[derive(Debug, thiserror::Error)]
enum SendError {
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    #[error(transparent)]
    Room(#[from] RoomError),
}

impl Push {
    /// Delivers what waits for a pusher, in order, until nothing does.
    pub(super) async fn work_off_outbox(self, key: PusherKey, outbox: Arc<Outbox>) {
        while let Some(job) = outbox.next() {
            let pusher = match self.0.pushers.confirm(&key).await {
                Ok(Some(pusher)) => pusher,
                Ok(None) => {
                    outbox.clear();
                    self.0.delivered.touch();
                    return;
                }
                Err(error) => {
                    tracing::warn!(%error, "a pusher could not be looked up");
                    tokio::time::sleep(self.back_off(outbox.failed())).await;
                    continue;
                }
            };
            match self.attempt(&pusher, &job).await {
                Ok(badge) => {
                    outbox.done(&job, badge);
                    if let Job::Notify(waiting) = &job {
                        self.delivered_up_to(&pusher, waiting.position);
                    }
                }
                Err(error) => {
                    count("failed");
                    let failures = outbox.failed();
                    let delay = self.back_off_as_told(failures, &error);
                    let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
                    let app_id = &*key.app_id;
                    tracing::info!(%error, app_id, failures, delay_ms, "a push gateway did not take a notification");
                    if matches!(job, Job::Badge) && failures > 1 {
                        // The next notification brings the count.
                        outbox.done(&job, None);
                        continue;
                    }
                    tokio::time::sleep(delay).await;
                }
            }
        }
    }

    /// Does one job; the count that was delivered with it. What needs not be told any more is done at once.
    async fn attempt(&self, pusher: &Arc<Pusher>, job: &Job) -> Result<Option<u64>, SendError> {
        let user_id = self
            .0
            .rooms
            .user_id(pusher.key.user)
            .await
            .map_err(RoomError::from)?;
        let reader = (pusher.key.user, &*user_id);
        let event = match job {
            Job::Badge => None,
            Job::Notify(waiting) => {
                let Some(told) = self.still_to_tell(pusher, waiting).await? else {
                    count("obsolete");
                    return Ok(None);
                };
                Some((told, &*waiting.actions))
            }
        };
        let unread = self.0.badges.total(reader).await?;
        let event = event.as_ref().map(|(told, actions)| (told, *actions));
        let is_gone = match &pusher.channel {
            Channel::Email(_) => return Ok(None),
            Channel::Http { url, .. } => {
                let request = match event {
                    None => notification::of_badge(pusher, unread),
                    Some((told, actions)) => notification::of_event(pusher, told, actions, unread),
                };
                let rejected = self.0.gateways.notify(url, &request).await?;
                rejected.iter().any(|key| **key == *pusher.key.pushkey)
            }
            Channel::WebPush(subscription) => {
                let payload = match event {
                    None => web_push::of_badge(pusher, unread),
                    Some((told, actions)) => web_push::of_event(pusher, told, actions, unread),
                };
                self.push_to(subscription, &payload).await? == Pushed::Gone
            }
        };
        if is_gone {
            count("rejected");
            let removed = self.0.pushers.remove(pusher.key.clone()).await;
            removed.map_err(RoomError::from)?;
        } else {
            count("delivered");
        }
        Ok(Some(unread))
    }

    async fn push_to(&self, subscription: &Subscription, payload: &Value) -> Result<Pushed, GatewayError> {
        let is_badge = payload.get("event_id").is_none();
        let is_urgent = payload.get("prio").is_some_and(|prio| prio == "high");
        let message = Message {
            payload,
            urgency: match (is_badge, is_urgent) {
                (true, _) => Urgency::Low,
                (false, false) => Urgency::Normal,
                (false, true) => Urgency::High,
            },
            time_to_live: self.0.options.give_up_after,
            // Of counts only the last is of interest.
            topic: is_badge.then_some("unread"),
        };
        web_push::push(&self.0.gateways, &self.0.vapid, subscription, &message).await
    }

    /// The event of a notification, unless it was read or is too old by now, or the pusher was switched off.
    async fn still_to_tell(
        &self,
        pusher: &Pusher,
        waiting: &Waiting,
    ) -> Result<Option<notification::Told>, RoomError> {
        let give_up_after = i64::try_from(self.0.options.give_up_after.as_millis()).unwrap_or(i64::MAX);
        let is_late = waiting.queued.plus_ms(give_up_after) < self.0.rooms.clock().now();
        if is_late || !pusher.is_told() {
            return Ok(None);
        }
        let room = self.0.rooms.load(&[waiting.room]).await?.pop();
        let event = self.0.rooms.events(&[waiting.event]).await?.pop();
        let (Some(room), Some(event)) = (room, event) else {
            return Ok(None);
        };
        let user_id = self.0.rooms.user_id(pusher.key.user).await?;
        let judged = self
            .0
            .unread
            .judge((pusher.key.user, &user_id), &room, &event)
            .await?;
        if judged.is_read || event.redacted_by.is_some() {
            return Ok(None);
        }
        self.told(&room, &event, &user_id).await.map(Some)
    }

    /// How long to wait after so many failures in a row; longer if the gateway asked for it.
    fn back_off_as_told(&self, failures: u32, error: &SendError) -> Duration {
        let asked = match error {
            SendError::Gateway(error) => error.retry_after().unwrap_or_default(),
            SendError::Room(_) => Duration::ZERO,
        };
        self.back_off(failures)
            .max(asked.min(self.0.options.retry_max_delay))
    }

    /// How long to wait after so many failures in a row.
    pub(crate) fn back_off(&self, failures: u32) -> Duration {
        let options = &self.0.options;
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1).min(20));
        options
            .retry_initial_delay
            .saturating_mul(doubled)
            .min(options.retry_max_delay)
    }
}

fn count(outcome: &'static str) {
    metrics::counter!("echorift_push_notifications_total", "outcome" => outcome).increment(1);
}
