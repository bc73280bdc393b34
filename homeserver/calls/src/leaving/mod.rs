//! Leaving for certain: a client leaves its delayed departure to this server, which sends it when the SFU says that the client
//! is gone, and puts it off as long as it is not (MSC4195).

mod job;
mod settling;

use std::{collections::HashMap, time::Duration};

use echorift_rooms::{DelayId, Room};
use echorift_storage::{Change, Timestamp};
use futures_util::{StreamExt as _, stream};
use parking_lot::Mutex;
use ruma::UserId;
use tokio::sync::Notify;

use self::job::{Action, Job};
pub(crate) use self::{job::Signal, settling::Settling};
use crate::{
    CallError, Calls, SeatClaim, Sfu,
    calls::Seat,
    livekit::label,
    names::{identity, livekit_room},
    store::departures,
};

/// How often it is looked which departures are due.
const BEAT: Duration = Duration::from_millis(500);
/// How many of them are worked on at the same time.
const JOBS_AT_ONCE: usize = 16;

/// How long departures of before a restart wait, until the SFU was asked who is still there; it may be starting as well.
const GRACE_MS: i64 = 30_000;

/// A delayed event that may be left to this server.
#[derive(Debug, Clone)]
pub(crate) struct DelayedLeave {
    pub delay_id: DelayId,
    pub delay_ms: i64,
}

/// The departures that are left to this server, by seat. A later one of a seat takes the place of an earlier one.
#[derive(Default)]
pub(crate) struct Departures {
    /// Never held across an await.
    jobs: Mutex<HashMap<Seat, Job>>,
    has_come: Notify,
}

impl Calls {
    /// Leaves the departure of who holds or is about to take a seat to this server.
    ///
    /// Errors: `Forbidden`, `UnknownDelay`; `ForeignDelay` for users of other servers, which keep their delayed events.
    pub(crate) async fn delegate(
        &self,
        sfu: &Sfu,
        user: &UserId,
        claim: &SeatClaim,
        delay: &DelayId,
    ) -> Result<(), CallError> {
        if !self.rooms().is_local(user) {
            return Err(CallError::ForeignDelay);
        }
        let room = self.room(&claim.room_id).await?;
        let is_joined = self.rooms().check_joined(&room, user).await;
        is_joined.map_err(|_| CallError::Forbidden)?;
        let leave = self.delayed_leave(&room, user, delay).await?;
        let seat = Seat {
            sfu: sfu.options().name.clone(),
            livekit_room: livekit_room(&room.id, &claim.slot_id),
            identity: identity(user, &claim.member),
        };
        self.leave_to_us(seat, leave).await
    }

    /// As [`Calls::delegate`], at the SFU that clients know by this address. Error: `UnknownSfu`.
    pub(crate) async fn delegate_at(
        &self,
        url: &str,
        user: &UserId,
        claim: &SeatClaim,
        delay: &DelayId,
    ) -> Result<(), CallError> {
        let sfu = self.sfu_at(url)?;
        self.delegate(sfu, user, claim, delay).await
    }

    /// A delayed event of the user in the room. Error: `UnknownDelay`.
    pub(crate) async fn delayed_leave(
        &self,
        room: &Room,
        user: &UserId,
        delay: &DelayId,
    ) -> Result<DelayedLeave, CallError> {
        let event = self.delayed().find(delay).await?;
        let event =
            event.filter(|event| event.is_waiting() && event.user_id == user && event.room_id == room.id);
        let event = event.ok_or(CallError::UnknownDelay)?;
        Ok(DelayedLeave {
            delay_id: event.id,
            delay_ms: event.delay_ms,
        })
    }

    /// Takes a departure over; durable when this returns.
    pub(crate) async fn leave_to_us(&self, seat: Seat, leave: DelayedLeave) -> Result<(), CallError> {
        let now = self.now();
        let mut change = Change::new();
        departures::put(&mut change, &seat, &leave, now);
        self.database().writer().commit(change).await?;
        self.0.departures.put(seat, Job::new(leave, now));
        Ok(())
    }

    /// Tells a seat's departure, if there is one, what happened, and does what follows from it.
    pub(crate) async fn signal(&self, seat: &Seat, mut signal: Signal) {
        loop {
            let decided = self.0.departures.decide(seat, &signal, self.now());
            let Some((action, delay_id)) = decided else { return };
            signal = match action {
                Action::Nothing => return,
                Action::Forget => return self.forget(seat, &delay_id).await,
                Action::Look => self.look(seat).await,
                Action::Restart => match self.delayed().restart_by_id(&delay_id).await {
                    Ok(()) => Signal::Restarted,
                    Err(error) if error.is_passing() => failed(seat, &error),
                    Err(_) => return self.forget(seat, &delay_id).await,
                },
                Action::Send => match self.delayed().send_by_id(&delay_id).await {
                    Err(error) if error.is_passing() => failed(seat, &error),
                    // Sent, or it never will be: who was put out of the room can say nothing in it.
                    sent => {
                        metrics::counter!("echorift_calls_departures_total").increment(1);
                        tracing::debug!(
                            sfu = label(&seat.sfu),
                            is_sent = sent.is_ok(),
                            "somebody left a call"
                        );
                        return self.forget(seat, &delay_id).await;
                    }
                },
            };
        }
    }

    /// Who sits there, in the words of the SFU.
    async fn look(&self, seat: &Seat) -> Signal {
        // An SFU that is no longer configured carries no calls.
        let Some(sfu) = self.sfus().by_name(&seat.sfu) else {
            return Signal::Absent;
        };
        match sfu.participant(&seat.livekit_room, &seat.identity).await {
            Ok(Some(participant)) => Signal::Present { sid: participant.sid },
            Ok(None) => match self
                .is_settled(sfu, &seat.livekit_room, self.0.departures.since(seat))
                .await
            {
                Ok(true) => Signal::Absent,
                Ok(false) => Signal::Failed,
                Err(error) => failed(seat, &error),
            },
            Err(error) => failed(seat, &error),
        }
    }

    async fn forget(&self, seat: &Seat, delay_id: &DelayId) {
        self.0.departures.remove(seat, delay_id);
        let mut change = Change::new();
        departures::remove(&mut change, seat, delay_id);
        // Not waited for: a row too many is found to be over after the next start.
        drop(self.database().writer().submit(change).await);
    }

    /// Goes on with the departures of before the last stop. Their events wait until the SFU was asked, for a while: a
    /// restart of this server ends no call.
    pub(crate) async fn resume_departures(&self) -> Result<(), CallError> {
        let stored = departures::all(self.database()).await?;
        let now = self.now();
        let delay_ids = stored.iter().map(|(_, leave)| &leave.delay_id);
        self.delayed().put_off(delay_ids, now.plus_ms(GRACE_MS)).await?;
        for (seat, leave) in stored {
            self.0.departures.put(seat, Job::new(leave, now));
        }
        Ok(())
    }
}

fn failed(seat: &Seat, error: &dyn std::fmt::Display) -> Signal {
    tracing::info!(sfu = label(&seat.sfu), %error, "a departure from a call is tried again");
    Signal::Failed
}

impl Departures {
    fn put(&self, seat: Seat, job: Job) {
        self.jobs.lock().insert(seat, job);
        self.has_come.notify_one();
    }

    fn decide(&self, seat: &Seat, signal: &Signal, now: Timestamp) -> Option<(Action, DelayId)> {
        let mut jobs = self.jobs.lock();
        let job = jobs.get_mut(seat)?;
        Some((job.on(signal, now), job.delay_id.clone()))
    }

    /// Since when somebody is in a call, as far as this server knows.
    fn since(&self, seat: &Seat) -> Option<Timestamp> {
        self.jobs.lock().get(seat)?.connected_since()
    }

    fn remove(&self, seat: &Seat, delay_id: &DelayId) {
        let mut jobs = self.jobs.lock();
        if jobs.get(seat).is_some_and(|job| job.delay_id == *delay_id) {
            jobs.remove(seat);
        }
    }

    /// Those whose time has come; `None` if there are none at all.
    fn due(&self, now: Timestamp) -> Option<Vec<Seat>> {
        let jobs = self.jobs.lock();
        let due = jobs.iter().filter(|(_, job)| job.due <= now);
        (!jobs.is_empty()).then(|| due.map(|(seat, _)| seat.clone()).collect())
    }

    pub(crate) fn len(&self) -> usize {
        self.jobs.lock().len()
    }

    /// The seats of those who are in a call.
    pub(crate) fn connected(&self) -> Vec<Seat> {
        let jobs = self.jobs.lock();
        let connected = jobs.iter().filter(|(_, job)| job.is_connected());
        connected.map(|(seat, _)| seat.clone()).collect()
    }
}

/// Does what is due, for ever.
pub(crate) async fn run(calls: Calls) {
    let departures = &calls.0.departures;
    loop {
        match departures.due(calls.now()) {
            Some(due) => {
                let work = |seat: Seat| {
                    let calls = &calls;
                    async move { calls.signal(&seat, Signal::Due).await }
                };
                stream::iter(due)
                    .map(work)
                    .buffer_unordered(JOBS_AT_ONCE)
                    .collect::<()>()
                    .await;
            }
            None => departures.has_come.notified().await,
        }
        tokio::time::sleep(BEAT).await;
    }
}
