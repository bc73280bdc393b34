//! What can be done with an event while it waits (MSC4140 § Managing scheduled delayed events).

use echorift_rooms::DelayId;
use echorift_storage::{Change, Timestamp, UserNumber};
use ruma::{DeviceId, OwnedEventId};

use super::{DelayedError, DelayedEvent, DelayedEvents, Fate, sending::Occasion, store};

/// How long the timer can be made to wait beyond the time of an event.
const PUT_OFF_MAX_MS: i64 = 5 * 60 * 1_000;

/// Who wants something done with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// To whom it has to belong.
    User(UserNumber),
    /// Somebody who was given its ID, which is enough.
    Bearer,
    /// This server itself.
    Server,
}

impl DelayedEvents {
    /// Has an event wait for its whole delay again, from now on.
    ///
    /// Errors: `NotFound`, `Conflict` if it waits no longer.
    pub async fn restart(&self, asker: Asker, id: &DelayId) -> Result<(), DelayedError> {
        let _turn = self.0.turns.take(id).await;
        let event = self.owned(asker, id).await?;
        match event.fate {
            Fate::Waiting => {}
            Fate::Sent { .. } => return Err(DelayedError::Conflict("sent")),
            Fate::Failed { .. } | Fate::Cancelled { .. } => return Err(DelayedError::Conflict("cancelled")),
        }
        let mut change = Change::new();
        store::restart(&mut change, id, self.now());
        self.database().writer().commit(change).await?;
        metrics::counter!("echorift_calls_delayed_events_total", "act" => "restarted").increment(1);
        Ok(())
    }

    /// Has an event never be sent. One that failed or was cancelled is left as it is.
    ///
    /// Errors: `NotFound`, `Conflict` if it was sent.
    pub async fn cancel(&self, asker: Asker, id: &DelayId) -> Result<(), DelayedError> {
        let _turn = self.0.turns.take(id).await;
        let event = self.owned(asker, id).await?;
        match event.fate {
            Fate::Waiting => self.finalise(&event, &Fate::Cancelled { at: self.now() }).await,
            Fate::Failed { .. } | Fate::Cancelled { .. } => Ok(()),
            Fate::Sent { .. } => Err(DelayedError::Conflict("sent")),
        }
    }

    /// Sends an event now; the event that it became, also if it was sent before.
    ///
    /// If that is not possible now it goes on waiting, except that what somebody else has overtaken is cancelled.
    /// Errors: `NotFound`, `Conflict` if it failed or was cancelled, those of sending.
    pub async fn send(&self, asker: Asker, id: &DelayId) -> Result<OwnedEventId, DelayedError> {
        let _turn = self.0.turns.take(id).await;
        let event = self.owned(asker, id).await?;
        match &event.fate {
            Fate::Waiting => {}
            Fate::Sent { event_id, .. } => return Ok(event_id.clone()),
            Fate::Failed { .. } | Fate::Cancelled { .. } => return Err(DelayedError::Conflict("cancelled")),
        }
        let occasion = match asker {
            Asker::User(_) | Asker::Bearer => Occasion::Asked,
            Asker::Server => Occasion::Server,
        };
        match self.send_now(&event, occasion).await {
            Err(DelayedError::Overtaken) => {
                self.finalise(&event, &Fate::Cancelled { at: self.now() }).await?;
                Err(DelayedError::Conflict("cancelled"))
            }
            sent => sent,
        }
    }

    /// [`DelayedEvents::restart`] as the server itself.
    pub async fn restart_by_id(&self, id: &DelayId) -> Result<(), DelayedError> {
        self.restart(Asker::Server, id).await
    }

    /// [`DelayedEvents::send`] as the server itself: neither the sender's rate limit nor their suspension counts, only
    /// what the room allows.
    pub async fn send_by_id(&self, id: &DelayId) -> Result<OwnedEventId, DelayedError> {
        self.send(Asker::Server, id).await
    }

    /// The user's event with this ID. Error: `NotFound`.
    pub async fn load(&self, user: UserNumber, id: &DelayId) -> Result<DelayedEvent, DelayedError> {
        self.owned(Asker::User(user), id).await
    }

    /// The user's events that wait, in the order in which they will be sent.
    pub async fn list(&self, user: UserNumber) -> Result<Vec<DelayedEvent>, DelayedError> {
        Ok(store::waiting_of(self.database(), user).await?)
    }

    /// Has the timer send these events no sooner than at `until`, some minutes from now at most. Events that are due
    /// later anyway, or wait no longer, stay as they are.
    ///
    /// For who has to find out first whether they are to be sent at all, after a restart: call it before
    /// [`DelayedEvents::run`].
    pub async fn put_off(
        &self,
        ids: impl IntoIterator<Item = &DelayId>,
        until: Timestamp,
    ) -> Result<(), DelayedError> {
        let until = until.min(self.now().plus_ms(PUT_OFF_MAX_MS));
        let mut change = Change::new();
        for id in ids {
            store::put_off(&mut change, id, until);
        }
        Ok(self.database().writer().commit(change).await?)
    }

    /// What a device wanted to have said when it can say nothing any more is said when it is logged out: that it has left
    /// its calls ([`DelayedEvent::ends_call`]). Waiting for the delay would only show somebody in a call who cannot be in
    /// it. Other events of the device go on waiting: a message for tomorrow was not written for the device's sake.
    pub async fn end_of_session(&self, user: UserNumber, device: &DeviceId) -> Result<(), DelayedError> {
        let mut waiting = store::waiting_of_device(self.database(), user, device).await?;
        waiting.retain(DelayedEvent::ends_call);
        self.end(&waiting).await
    }

    /// When an account ends it leaves its calls as after [`DelayedEvents::end_of_session`], and nothing else of it is
    /// ever sent. To be called before the account leaves its rooms, for afterwards it can say nothing there.
    pub async fn end_of_user(&self, user: UserNumber) -> Result<(), DelayedError> {
        let waiting = store::waiting_of(self.database(), user).await?;
        self.end(&waiting).await
    }

    /// Sends what ends calls and cancels the rest. What one room refuses does not stop the others.
    async fn end(&self, events: &[DelayedEvent]) -> Result<(), DelayedError> {
        for event in events {
            let ended = match event.ends_call() {
                true => self.send_by_id(&event.id).await.map(drop),
                false => self.cancel(Asker::Server, &event.id).await,
            };
            match ended {
                Err(error) if error.is_passing() => return Err(error),
                Err(error) => tracing::info!(%error, room_id = %event.room_id, "a call could not be left"),
                Ok(()) => {}
            }
        }
        Ok(())
    }

    /// The event, if it is the asker's to manage. Error: `NotFound`.
    async fn owned(&self, asker: Asker, id: &DelayId) -> Result<DelayedEvent, DelayedError> {
        let is_theirs = |event: &DelayedEvent| match asker {
            Asker::User(user) => event.user == user,
            Asker::Bearer | Asker::Server => true,
        };
        let found = self.find(id).await?.filter(is_theirs);
        found.ok_or(DelayedError::NotFound)
    }
}
