use echorift_rooms::{EventDraft, Sender};
use echorift_storage::Change;
use echorift_web::{LimitKind, MatrixError};
use ruma::OwnedEventId;

use super::{DelayedError, DelayedEvent, DelayedEvents, Fate, store};

/// At whose wish an event is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    /// Its time has come.
    Due,
    /// Its sender, or who was given its ID, wants it sent now.
    Asked,
    /// The server knows that its sender would want it sent now. What their account may do does not matter then.
    Server,
}

impl DelayedEvents {
    /// Sends an event that waits, by the same checks as if its sender sent it now. The caller has the event's turn.
    ///
    /// That it was sent is written in the same commit. After an error it still waits.
    /// Errors: `Overtaken`, `Deactivated`, `Locked`, `Suspended`, `Limited`, `Room`.
    pub(super) async fn send_now(
        &self,
        event: &DelayedEvent,
        occasion: Occasion,
    ) -> Result<OwnedEventId, DelayedError> {
        let inner = &self.0;
        if occasion != Occasion::Server {
            self.check_sender(event).await?;
        }
        let room = inner
            .rooms
            .room(&event.room_id)
            .await
            .map_err(DelayedError::Room)?;
        let content = event.content.clone();
        let draft = EventDraft {
            state_key: event.state_key.clone(),
            delay_id: Some(event.id.clone()),
            sticky_duration_ms: event.sticky_duration_ms,
            ..EventDraft::message(&event.user_id, event.event_type.as_str().into(), content)
        };
        if inner.rooms.is_overtaken(&room, &draft, event.position).await? {
            return Err(DelayedError::Overtaken);
        }
        let sender = Sender {
            user_id: &event.user_id,
            user_number: event.user,
            is_admin: inner.accounts.is_admin(&event.user_id).await?,
            // Asked of the token when the event was scheduled.
            may_moderate: true,
        };
        let now = self.now();
        let mut is_recorded = false;
        let record = |change: &mut Change, event_id: &ruma::EventId| {
            is_recorded = true;
            let event_id = event_id.to_owned();
            store::finalise(change, &event.id, &Fate::Sent { event_id, at: now });
        };
        let event_id = inner
            .rooms
            .send_delayed(&inner.accounts, &room, &sender, draft, record)
            .await?;
        if !is_recorded {
            let event_id = event_id.clone();
            self.finalise(event, &Fate::Sent { event_id, at: now }).await?;
        }
        metrics::counter!("echorift_calls_delayed_events_total", "act" => "sent").increment(1);
        Ok(event_id)
    }

    /// Whether the sender's account may send anything now. To say that one has left a call nobody is too suspended, and
    /// nobody too busy for long: see [`DelayedEvent::ends_call`].
    async fn check_sender(&self, event: &DelayedEvent) -> Result<(), DelayedError> {
        let accounts = &self.0.accounts;
        if !accounts.user_exists(&event.user_id).await? {
            return Err(DelayedError::Deactivated(event.user_id.clone()));
        }
        if accounts.is_locked(event.user) && !event.ends_call() {
            return Err(DelayedError::Locked(event.user_id.clone()));
        }
        if accounts.is_suspended(event.user) && !event.ends_call() {
            return Err(DelayedError::Suspended(event.user_id.clone()));
        }
        let checked = self.0.limits.check(LimitKind::Messages, event.user_id.as_str());
        checked.map_err(DelayedError::Limited)
    }

    /// Sends an event whose time has come, if it has still. What cannot be sent is over (MSC4140 § Rate-limiting at the
    /// point of sending); but what fails for a fault of this server's is put off for a while, and so is who wants to
    /// leave a call and is too busy.
    pub(super) async fn send_due(&self, id: &echorift_rooms::DelayId) -> Result<(), DelayedError> {
        let _turn = self.0.turns.take(id).await;
        let found = self.find(id).await?.filter(DelayedEvent::is_waiting);
        let Some(event) = found.filter(|event| event.due_at <= self.now()) else {
            return Ok(());
        };
        let lag_ms = self.now().0.saturating_sub(event.send_at().0);
        let error = match self.send_now(&event, Occasion::Due).await {
            Ok(_) => {
                let lag = std::time::Duration::from_millis(u64::try_from(lag_ms).unwrap_or(0));
                metrics::histogram!("echorift_calls_delayed_event_lag_seconds").record(lag);
                return Ok(());
            }
            Err(error) => error,
        };
        let at = self.now();
        if matches!(error, DelayedError::Overtaken) {
            return self.finalise(&event, &Fate::Cancelled { at }).await;
        }
        let is_busy = matches!(error, DelayedError::Limited(_)) && event.ends_call();
        if (error.is_passing() || is_busy) && lag_ms < TRIED_FOR_MS {
            tracing::warn!(%error, room_id = %event.room_id, "a delayed event is tried again");
            return self
                .put_off(std::iter::once(id), at.plus_ms(TRIED_AGAIN_MS))
                .await;
        }
        tracing::info!(%error, room_id = %event.room_id, "a delayed event could not be sent");
        let error = serde_json::value::to_raw_value(&MatrixError::from(error).body());
        let error =
            error.map_err(|error| echorift_storage::StorageError::corrupt("delayed_events.error", error))?;
        self.finalise(&event, &Fate::Failed { error, at }).await
    }

    /// Writes what became of an event. The caller has its turn.
    pub(super) async fn finalise(&self, event: &DelayedEvent, fate: &Fate) -> Result<(), DelayedError> {
        let mut change = Change::new();
        store::finalise(&mut change, &event.id, fate);
        self.database().writer().commit(change).await?;
        let act = match fate {
            Fate::Failed { .. } => "failed",
            Fate::Cancelled { .. } => "cancelled",
            // Counted where it is sent.
            Fate::Waiting | Fate::Sent { .. } => return Ok(()),
        };
        metrics::counter!("echorift_calls_delayed_events_total", "act" => act).increment(1);
        Ok(())
    }
}

/// How long it is tried to send what fails for a fault of this server's.
const TRIED_FOR_MS: i64 = 10 * 60 * 1_000;
/// How long to wait before the next try.
const TRIED_AGAIN_MS: i64 = 2_000;
