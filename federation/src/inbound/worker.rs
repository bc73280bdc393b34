//! Working off what is staged: one worker for each room that has something, in order within the room.

use std::{sync::Arc, time::Duration};

use dashmap::{DashMap, mapref::entry::Entry};
use echorift_rooms::{Event, MissingAncestors, Received, Reception, Room, RoomError, ToldState};
use echorift_storage::{Change, Commit, Database, Sequence, StorageError};
use ruma::{OwnedRoomId, OwnedServerName, RoomId, ServerName};
use tokio::{sync::Semaphore, time::Instant};

use super::{
    deferred::Deferred,
    store::{self, StagedEvent},
    workers::{Next, Workers},
};
use crate::{Federation, FederationError, queries::PolicyVerdict};

/// How many events of one origin may be staged: half a minute's work. More are to be sent again later.
const STAGED_PER_ORIGIN_MAX: usize = 10_000;
/// How many rooms are worked off at the same time; each may be waiting for other servers.
const ROOMS_AT_ONCE: usize = 64;
/// How many staged events are read at a time, and checked together.
const BATCH: i64 = 50;
/// How often an event is tried in a row, with what it lacked fetched in between.
const ROUNDS_MAX: usize = 8;
/// How long an event waits for servers that could tell what it is built upon; nobody misses it any more after that.
const WAIT_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// What is staged and who works on it.
pub(crate) struct Inbox {
    numbers: Sequence,
    /// How many events of each origin wait.
    waiting: DashMap<OwnedServerName, usize>,
    workers: Workers,
    permits: Arc<Semaphore>,
}

/// What became of a staged event.
pub(super) enum Progress {
    /// Queued to be written, and unstaged with that.
    Taken(Arc<Event>, Commit),
    /// Of no use any more.
    Dropped,
    /// It lacks what nobody could give just now.
    Deferred,
}

impl Inbox {
    pub fn new(database: &Database) -> Self {
        Self {
            numbers: Sequence::new("staging_number", database),
            waiting: DashMap::new(),
            workers: Workers::default(),
            permits: Arc::new(Semaphore::new(ROOMS_AT_ONCE)),
        }
    }

    pub async fn next_number(&self) -> Result<i64, StorageError> {
        self.numbers.next().await
    }

    /// Whether so many more events of this server may wait.
    pub fn has_room_for(&self, origin: &ServerName, more: usize) -> bool {
        let waiting = self.waiting.get(origin).map_or(0, |count| *count);
        more == 0 || waiting.saturating_add(more) <= STAGED_PER_ORIGIN_MAX
    }

    /// Counts events that were staged.
    pub fn count(&self, origin: &ServerName, more: usize) {
        let mut waiting = self.waiting.entry(origin.to_owned()).or_default();
        *waiting = waiting.saturating_add(more);
    }

    fn uncount(&self, origin: &ServerName) {
        if let Entry::Occupied(mut waiting) = self.waiting.entry(origin.to_owned()) {
            *waiting.get_mut() = waiting.get().saturating_sub(1);
            if *waiting.get() == 0 {
                waiting.remove();
            }
        }
    }
}

impl Federation {
    /// Goes on with what was staged before the last stop.
    pub(crate) async fn resume_inbox(&self) -> Result<(), FederationError> {
        for (origin, count) in store::counts(self.database()).await? {
            self.inbox()
                .count(&origin, usize::try_from(count).unwrap_or(usize::MAX));
        }
        for room_id in store::rooms(self.database()).await? {
            self.work_off(room_id);
        }
        Ok(())
    }

    /// Has the staged events of a room worked off, soon.
    pub(super) fn work_off(&self, room_id: OwnedRoomId) {
        if self.inbox().workers.call(&room_id) {
            let federation = self.clone();
            tokio::spawn(async move { federation.work(&room_id).await });
        }
    }

    /// Works off what is staged for a room and what comes meanwhile, until nothing is left.
    async fn work(&self, room_id: &RoomId) {
        let mut deferred = Deferred::new();
        loop {
            deferred.begin(Instant::now());
            let had_some = match self.work_off_some(room_id, &mut deferred).await {
                Ok(had_some) => had_some,
                Err(error) => {
                    tracing::error!(%room_id, %error, "staged events could not be worked off");
                    tokio::time::sleep(deferred.failed()).await;
                    continue;
                }
            };
            deferred.looked(Instant::now());
            if had_some {
                continue;
            }
            let has_news = match self.inbox().workers.next(room_id, !deferred.is_empty()) {
                Next::End => return,
                Next::LookAgain => true,
                Next::Wait(news) => {
                    let due = deferred.due(Instant::now());
                    tokio::time::timeout_at(due, news.notified()).await.is_ok()
                }
            };
            if has_news {
                deferred.news(Instant::now());
            }
        }
    }

    /// Works off some of what is staged for a room now, but what was deferred; what has to wait is added to that.
    /// Whether there was anything.
    async fn work_off_some(
        &self,
        room_id: &RoomId,
        deferred: &mut Deferred,
    ) -> Result<bool, FederationError> {
        let limit = BATCH.saturating_add(i64::try_from(deferred.len()).unwrap_or(i64::MAX));
        let staged = store::next(self.database(), room_id, limit).await?;
        let staged: Vec<StagedEvent> = staged
            .into_iter()
            .filter(|event| !deferred.contains(event.number))
            .collect();
        if staged.is_empty() {
            return Ok(false);
        }
        let permit = Arc::clone(&self.inbox().permits).acquire_owned().await;
        let result = self.work_off_batch(room_id, staged, deferred).await;
        drop(permit);
        result.map(|()| true)
    }

    async fn work_off_batch(
        &self,
        room_id: &RoomId,
        staged: Vec<StagedEvent>,
        deferred: &mut Deferred,
    ) -> Result<(), FederationError> {
        let room = match self.rooms().room(room_id).await {
            Ok(room) if self.rooms().is_in(&room) => Some(room),
            Ok(_) | Err(RoomError::UnknownRoom(_)) => None,
            Err(error) => return Err(error.into()),
        };
        let Some(room) = room else {
            // The last of our users has left since.
            return self.drop_staged(&staged).await;
        };
        let texts = staged.iter().map(|event| event.json.clone()).collect();
        let verified = self.verify_pdus(&room.rules, texts).await;
        let mut commits = Vec::new();
        let mut dropped = Vec::new();
        for (event, verified) in staged.into_iter().zip(verified) {
            let pdu = match verified {
                Ok(pdu) => pdu,
                Err(error) => {
                    tracing::info!(origin = %event.origin, %room_id, %error, "an event was dropped");
                    dropped.push(event);
                    continue;
                }
            };
            let event_id = pdu.event_id.clone();
            match self.work_off_event(&room, &event, pdu).await {
                Ok(Progress::Taken(taken, commit)) => commits.push((event, taken, commit)),
                Ok(Progress::Dropped) => dropped.push(event),
                Ok(Progress::Deferred) if self.has_waited_too_long(&event) => dropped.push(event),
                Ok(Progress::Deferred) => deferred.insert(event.number),
                Err(FederationError::Storage(error)) => return Err(error.into()),
                Err(error) => {
                    tracing::info!(origin = %event.origin, %room_id, %event_id, %error, "an event was dropped");
                    dropped.push(event);
                }
            }
        }
        let mut failed = None;
        for (event, taken, commit) in commits {
            match commit.done().await {
                Ok(()) => self.inbox().uncount(&event.origin),
                Err(error) => {
                    // It is still staged, and must not be taken for known when its turn comes again.
                    self.rooms().let_go(&taken);
                    failed = Some(error);
                }
            }
        }
        if let Some(error) = failed {
            return Err(error.into());
        }
        self.drop_staged(&dropped).await
    }

    async fn drop_staged(&self, events: &[StagedEvent]) -> Result<(), FederationError> {
        if events.is_empty() {
            return Ok(());
        }
        let mut change = Change::new();
        for event in events {
            store::unstage(&mut change, event.number);
        }
        self.database().writer().commit(change).await?;
        for event in events {
            self.inbox().uncount(&event.origin);
        }
        Ok(())
    }

    fn has_waited_too_long(&self, event: &StagedEvent) -> bool {
        let waited = self.clock().now().0.saturating_sub(event.received.0);
        u128::try_from(waited).unwrap_or(0) > WAIT_MAX.as_millis()
    }

    /// Takes one event into its room, with what it lacks fetched from other servers.
    async fn work_off_event(
        &self,
        room: &Arc<Room>,
        event: &StagedEvent,
        pdu: echorift_events::Pdu,
    ) -> Result<Progress, FederationError> {
        let mut told: Option<ToldState> = None;
        let (pdu, is_refused) = match self.check_policy_signature(room, &pdu).await? {
            PolicyVerdict::NotNeeded | PolicyVerdict::Recommended => (pdu, false),
            PolicyVerdict::Signed(signed) => (*signed, false),
            PolicyVerdict::NotRecommended(_) => (pdu, true),
        };
        for _ in 0..ROUNDS_MAX {
            let unstage = |change: &mut Change| store::unstage(change, event.number);
            let received = Received {
                is_refused,
                ..Received::foreign(pdu.clone()).with_state(told.clone())
            };
            let received = self.rooms().receive(room, received, unstage).await?;
            let missing = match received {
                Reception::Known(_) => return Ok(Progress::Dropped),
                Reception::Taken(event, commit) => return Ok(Progress::Taken(event, commit)),
                Reception::Missing(missing) => missing,
            };
            if !missing.prev_events.is_empty()
                && !is_refused
                && self.is_sticky_from_before(room, &event.origin, &pdu).await?
            {
                return self.keep_sticky(room, event, &pdu).await;
            }
            match self.fetch_missing(room, &event.origin, &pdu, &missing).await? {
                Some(state) => told = state.or(told),
                None => return Ok(Progress::Deferred),
            }
        }
        tracing::info!(event_id = %pdu.event_id, "what an event is built upon could not be had");
        Ok(Progress::Deferred)
    }

    /// Fetches what an event lacks. `None` if nobody could be asked; otherwise the state before the event, if its
    /// parents cannot be had.
    pub(super) async fn fetch_missing(
        &self,
        room: &Arc<Room>,
        origin: &ServerName,
        pdu: &echorift_events::Pdu,
        missing: &MissingAncestors,
    ) -> Result<Option<Option<ToldState>>, FederationError> {
        let mut last = None;
        for server in self.servers_to_ask(room, Some(origin)) {
            match self.fetch_ancestors(room, &server, pdu, missing).await {
                Ok(told) => return Ok(Some(told)),
                Err(FederationError::Storage(error)) => return Err(error.into()),
                Err(error) => {
                    tracing::info!(%server, event_id = %pdu.event_id, %error, "ancestors could not be fetched");
                    last = Some(error);
                }
            }
        }
        match last {
            // Somebody answered, and it was of no use: another time it will not be either.
            Some(error @ (FederationError::BadAnswer { .. } | FederationError::Event(_))) => Err(error),
            _ => Ok(None),
        }
    }
}
