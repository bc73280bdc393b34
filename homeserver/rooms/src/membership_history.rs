//! What a user was in a room, and when, as the room's timeline tells it.

use std::sync::Arc;

use echorift_storage::{EventNumber, Position, SnapshotNumber, StorageError, UserNumber};
use ruma::events::room::member::MembershipState;

use crate::{Event, Room, Rooms, append::membership_of, store};

/// How many changes of one membership are looked at. Who left and came back more often than that sees their older
/// history as if they had never been there.
const CHANGES_MAX: i64 = 500;

/// A user's memberships in one room, the latest first. Empty for somebody who never had any.
#[derive(Debug, Default)]
pub(crate) struct MembershipHistory {
    changes: Vec<Change>,
    /// Whether there were more changes than are kept.
    is_cut: bool,
}

#[derive(Debug)]
struct Change {
    position: Position,
    membership: MembershipState,
    snapshot: SnapshotNumber,
}

/// When a user was last joined to a room that they are not joined to now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Departure {
    /// Where the event stands that ended it.
    pub position: Position,
    /// The room's state after that event.
    pub snapshot: SnapshotNumber,
}

impl MembershipHistory {
    fn new(events: &[Arc<Event>]) -> Self {
        let changes = events
            .iter()
            .filter(|event| event.position().0 != 0)
            .map(|event| Change {
                position: event.position(),
                membership: membership_of(&event.pdu).unwrap_or(MembershipState::Leave),
                snapshot: event.snapshot,
            });
        let is_cut = events.len() >= usize::try_from(CHANGES_MAX).unwrap_or(usize::MAX);
        Self {
            changes: changes.collect(),
            is_cut,
        }
    }

    /// The membership after the event at `position`: `leave` for who had none yet. `None` if it is not known any more.
    pub fn at(&self, position: Position) -> Option<&MembershipState> {
        match self.changes.iter().find(|change| change.position <= position) {
            Some(change) => Some(&change.membership),
            None if self.is_cut => None,
            None => Some(&MembershipState::Leave),
        }
    }

    /// Where the membership of somebody who is joined now began, whatever was changed about it since; `None` for who is
    /// not joined.
    pub fn joined_since(&self) -> Option<Position> {
        let joined = |change: &&Change| change.membership == MembershipState::Join;
        self.changes
            .iter()
            .take_while(joined)
            .last()
            .map(|change| change.position)
    }

    /// When the user was last joined; `None` if never, and for who is joined now.
    pub fn last_departure(&self) -> Option<Departure> {
        let mut after: Option<&Change> = None;
        for change in &self.changes {
            if change.membership == MembershipState::Join {
                return after.map(|after| Departure {
                    position: after.position,
                    snapshot: after.snapshot,
                });
            }
            after = Some(change);
        }
        None
    }
}

impl Rooms {
    /// The memberships that the user had in the room. From memory, but for the first time after a change.
    pub(crate) async fn membership_history(
        &self,
        room: &Room,
        user: UserNumber,
    ) -> Result<Arc<MembershipHistory>, StorageError> {
        let Some(current) = self
            .rooms_of(user)
            .await?
            .get(&room.number)
            .map(|membership| membership.event)
        else {
            return Ok(Arc::default());
        };
        if let Some(history) = self.0.membership_histories.get(&current) {
            return Ok(history);
        }
        let mut chain = vec![current];
        if self.event(current).await?.replaces.is_some() {
            chain = store::members::chain(self.database(), current, CHANGES_MAX).await?;
        }
        let history = Arc::new(MembershipHistory::new(&self.events(&chain).await?));
        self.0.membership_histories.insert(current, Arc::clone(&history));
        Ok(history)
    }

    /// The user's membership in the room right after the event at `position`; `leave` if it is not known any more.
    pub async fn membership_at(
        &self,
        room: &Room,
        user: UserNumber,
        position: Position,
    ) -> Result<MembershipState, StorageError> {
        let history = self.membership_history(room, user).await?;
        Ok(history.at(position).cloned().unwrap_or(MembershipState::Leave))
    }

    /// The position since which the user is joined to the room without a break; `None` if they are not joined.
    pub async fn joined_since(
        &self,
        room: &Room,
        user: UserNumber,
    ) -> Result<Option<Position>, StorageError> {
        Ok(self.membership_history(room, user).await?.joined_since())
    }

    /// The user's own member event of now, and whether it says `join`.
    pub(crate) async fn own_membership(
        &self,
        room: &Room,
        user: UserNumber,
    ) -> Result<Option<(EventNumber, Position, MembershipState)>, StorageError> {
        let rooms = self.rooms_of(user).await?;
        let membership = rooms
            .get(&room.number)
            .filter(|membership| !membership.is_forgotten);
        Ok(membership.map(|own| (own.event, own.position, own.membership.clone())))
    }
}
