//! A room in memory: the head that appends build upon, and the view that readers see.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use echorift_events::RoomVersionRules;
use echorift_storage::{Chain, EventNumber, Position, RoomNumber, SnapshotNumber, UserNumber};
use imbl::{OrdMap, OrdSet};
use parking_lot::RwLock;
use ruma::{
    OwnedEventId, OwnedRoomId, OwnedServerName, RoomVersionId, ServerName, UserId,
    events::room::member::MembershipState,
};
use tokio::sync::Notify;

use crate::{
    activity::bumps, event::Event, gaps::RoomGaps, receipts::RoomReceipts, state::State, sticky::RoomSticky,
};

/// How many of its latest events a room keeps at hand for those who follow it live.
const TAIL: usize = 128;

/// How this server stands to a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has all of the room's state.
    Resident = 0,
    /// It is in the room, and members are still missing from the state (SS API § Faster joins).
    Partial = 1,
    /// It knows of an invite or a knock, and nothing else.
    Outside = 2,
}

impl Standing {
    pub(crate) fn from_stored(number: i64) -> Option<Self> {
        [Self::Resident, Self::Partial, Self::Outside]
            .into_iter()
            .find(|standing| *standing as i64 == number)
    }
}

/// A room that is loaded. There is never more than one for the same room number.
pub struct Room {
    pub number: RoomNumber,
    pub id: OwnedRoomId,
    pub version: RoomVersionId,
    pub rules: RoomVersionRules,
    /// What the next event builds upon, ahead of the commits: `None` after a failed commit, until it is loaded again.
    /// Held while an event is built and queued, never while a commit is awaited.
    pub(crate) head: tokio::sync::Mutex<Option<Head>>,
    standing: AtomicI64,
    /// Told when the standing changes.
    has_settled: Notify,
    view: RwLock<Arc<View>>,
    tail: RwLock<Tail>,
    /// The position of the last event that people would look at the room for; 0 if it is not in memory.
    bumped: AtomicI64,
    pub(crate) receipts: RoomReceipts,
    pub(crate) sticky: RoomSticky,
    pub(crate) gaps: RoomGaps,
}

/// What the next event of a room builds upon.
#[derive(Clone)]
pub(crate) struct Head {
    pub extremities: Vec<Extremity>,
    /// The depth of the next event.
    pub depth: u64,
    pub state: State,
    pub members: Members,
    /// Known events that were let in among the sticky ones ahead of the commits, so that none is let in twice.
    pub admitted: OrdSet<EventNumber>,
    pub chain: Chain,
}

impl Head {
    /// The head of a room that has nothing in it.
    pub fn empty() -> Self {
        Self {
            extremities: Vec::new(),
            depth: 1,
            state: State::default(),
            members: Members::default(),
            admitted: OrdSet::new(),
            chain: Chain::new(),
        }
    }
}

#[derive(Clone)]
pub(crate) struct Extremity {
    pub number: EventNumber,
    pub event_id: OwnedEventId,
    /// The state after it.
    pub snapshot: SnapshotNumber,
}

/// What readers see of a room: the effect of all that is committed, and of nothing else.
#[derive(Debug, Clone, Default)]
pub struct View {
    pub state: State,
    pub members: Members,
    /// The position of the room's latest event.
    pub position: Position,
}

/// Who is in a room.
#[derive(Debug, Clone, Default)]
pub struct Members {
    pub joined: OrdSet<UserNumber>,
    /// Those of them whose account is on this server.
    pub joined_local: OrdSet<UserNumber>,
    pub invited: OrdSet<UserNumber>,
    /// How many joined members each other server has.
    pub remote_servers: OrdMap<OwnedServerName, usize>,
}

impl Members {
    /// Moves one user to where the membership says.
    pub(crate) fn put(
        &mut self,
        user: UserNumber,
        user_id: &UserId,
        is_local: bool,
        membership: &MembershipState,
    ) {
        let was_joined = self.joined.remove(&user).is_some();
        let is_joined = *membership == MembershipState::Join;
        if !is_local && was_joined != is_joined {
            self.count_server(user_id, is_joined);
        }
        self.joined_local.remove(&user);
        self.invited.remove(&user);
        match membership {
            MembershipState::Join => {
                self.joined.insert(user);
                if is_local {
                    self.joined_local.insert(user);
                }
            }
            MembershipState::Invite => {
                self.invited.insert(user);
            }
            _ => {}
        }
    }

    /// Takes servers for members of the room of whom no user is known yet.
    pub(crate) fn add_servers(&mut self, servers: &[OwnedServerName], own: &ServerName) {
        for server in servers.iter().filter(|server| **server != own) {
            let count = self.remote_servers.get(server).copied().unwrap_or(0);
            self.remote_servers
                .insert(server.clone(), count.saturating_add(1));
        }
    }

    fn count_server(&mut self, user_id: &UserId, has_come: bool) {
        let server = user_id.server_name();
        let count = self.remote_servers.get(server).copied().unwrap_or(0);
        let count = if has_come {
            count.saturating_add(1)
        } else {
            count.saturating_sub(1)
        };
        if count == 0 {
            self.remote_servers.remove(server);
        } else {
            self.remote_servers.insert(server.to_owned(), count);
        }
    }
}

/// The latest events of a room's timeline, oldest first.
#[derive(Default)]
struct Tail {
    events: VecDeque<Arc<Event>>,
    /// Every event after this position is among `events`.
    complete_after: Position,
}

impl Room {
    pub(crate) fn new(
        (number, id): (RoomNumber, OwnedRoomId),
        (version, rules): (RoomVersionId, RoomVersionRules),
        head: Head,
        tail: Vec<Arc<Event>>,
        is_whole_timeline: bool,
        receipts: RoomReceipts,
    ) -> Self {
        let position = tail.last().map(|event| event.position()).unwrap_or_default();
        let view = View {
            state: head.state.clone(),
            members: head.members.clone(),
            position,
        };
        let bumped = tail.iter().rev().find(|event| bumps(event));
        let bumped = bumped.map_or(0, |event| event.position().0);
        let complete_after = match tail.first() {
            Some(first) if !is_whole_timeline => first.position(),
            _ => Position(i64::MIN),
        };
        Self {
            number,
            id,
            version,
            rules,
            head: tokio::sync::Mutex::new(Some(head)),
            has_settled: Notify::new(),
            standing: AtomicI64::new(Standing::Resident as i64),
            view: RwLock::new(Arc::new(view)),
            tail: RwLock::new(Tail {
                events: tail.into(),
                complete_after,
            }),
            bumped: AtomicI64::new(bumped),
            receipts,
            sticky: RoomSticky::default(),
            gaps: RoomGaps::default(),
        }
    }

    /// How this server stands to the room.
    pub fn standing(&self) -> Standing {
        Standing::from_stored(self.standing.load(Ordering::Acquire)).unwrap_or(Standing::Resident)
    }

    pub(crate) fn set_standing(&self, standing: Standing) {
        self.standing.store(standing as i64, Ordering::Release);
        self.has_settled.notify_waiters();
    }

    /// Waits until the room is not partial any more.
    pub(crate) async fn wait_until_whole(&self) {
        loop {
            let settled = self.has_settled.notified();
            if self.standing() != Standing::Partial {
                return;
            }
            settled.await;
        }
    }

    /// The members that were missing are there.
    pub(crate) fn complete(&self, state: State, members: Members) {
        {
            let mut view = self.view.write();
            let position = view.position;
            *view = Arc::new(View {
                state,
                members,
                position,
            });
        }
        self.set_standing(Standing::Resident);
    }

    /// Events were added before the room's timeline: what is in memory is not all of it.
    pub(crate) fn has_grown_backwards(&self) {
        let mut tail = self.tail.write();
        tail.complete_after = tail.complete_after.max(Position(0));
    }

    /// Events were added right before the one at `upper`, into a gap: what is in memory is the timeline from there on.
    pub(crate) fn has_grown_below(&self, upper: Position) {
        let mut tail = self.tail.write();
        let kept = tail.events.partition_point(|event| event.position() < upper);
        tail.events.drain(..kept);
        tail.complete_after = tail.complete_after.max(Position(upper.0.saturating_sub(1)));
    }

    /// The committed state of the room.
    pub fn view(&self) -> Arc<View> {
        Arc::clone(&self.view.read())
    }

    /// The position of the last event that people would look at the room for, if it is known.
    pub(crate) fn bumped(&self) -> Option<Position> {
        Some(Position(self.bumped.load(Ordering::Acquire))).filter(|position| position.0 != 0)
    }

    /// Remembers where such an event stands, unless a later one is known.
    pub(crate) fn set_bumped(&self, position: Position) {
        self.bumped.fetch_max(position.0, Ordering::AcqRel);
    }

    /// How far each member has read.
    pub fn receipts(&self) -> &RoomReceipts {
        &self.receipts
    }

    /// The timeline events with `after < position <= to`, oldest first, if all of them are in memory.
    pub fn recent(&self, after: Position, to: Position) -> Option<Vec<Arc<Event>>> {
        let tail = self.tail.read();
        if after < tail.complete_after {
            return None;
        }
        let start = tail.events.partition_point(|event| event.position() <= after);
        let events = tail
            .events
            .iter()
            .skip(start)
            .take_while(|event| event.position() <= to);
        Some(events.cloned().collect())
    }

    /// The last `limit` timeline events up to `to`, oldest first, and whether there are older ones; `None` if they are
    /// not all in memory.
    pub fn latest(&self, to: Position, limit: usize) -> Option<(Vec<Arc<Event>>, bool)> {
        let tail = self.tail.read();
        let end = tail.events.partition_point(|event| event.position() <= to);
        let is_whole = tail.complete_after == Position(i64::MIN);
        if end < limit && !is_whole {
            return None;
        }
        let start = end.saturating_sub(limit);
        let events = tail.events.range(start..end).cloned().collect();
        Some((events, start > 0 || !is_whole))
    }

    /// Makes a committed event visible. Called in log order.
    pub(crate) fn publish(&self, event: Arc<Event>, state: State, members: Members) {
        let position = event.position();
        if bumps(&event) {
            self.set_bumped(position);
        }
        {
            let mut tail = self.tail.write();
            tail.events.push_back(event);
            if tail.events.len() > TAIL
                && let Some(dropped) = tail.events.pop_front()
            {
                tail.complete_after = dropped.position();
            }
        }
        *self.view.write() = Arc::new(View {
            state,
            members,
            position,
        });
    }

    /// Puts the redacted form of an event in the place of the event.
    pub(crate) fn replace(&self, redacted: &Arc<Event>) {
        let mut tail = self.tail.write();
        let position = redacted.position();
        let index = tail.events.partition_point(|event| event.position() < position);
        if let Some(event) = tail.events.get_mut(index)
            && event.number == redacted.number
        {
            *event = Arc::clone(redacted);
        }
    }
}
