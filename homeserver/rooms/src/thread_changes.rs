//! Which threads a user began or ceased to follow, and when (MSC4308).

use echorift_storage::{Position, StorageError, UserNumber};
use ruma::{OwnedEventId, OwnedRoomId};

use crate::{Rooms, Subscription, TimelineToken};

/// The latest change of one thread's subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadChange {
    pub room: OwnedRoomId,
    pub root: OwnedEventId,
    pub subscription: Subscription,
    /// Grows with every change: clients tell by it which of two they heard of is the later.
    pub position: Position,
}

/// Some changes, the latest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ThreadChanges {
    pub changes: Vec<ThreadChange>,
    /// Where to continue with the earlier ones, if any were left out.
    pub next: Option<TimelineToken>,
}

impl Rooms {
    /// The last `limit` changes with `after < position <= to`. Of rooms that the user is in or was in, for nobody can
    /// subscribe in others.
    pub async fn thread_changes(
        &self,
        user: UserNumber,
        (after, to): (Position, Position),
        limit: usize,
    ) -> Result<ThreadChanges, StorageError> {
        let threads = self.threads_of(user).await?;
        let mut changed: Vec<_> = threads
            .iter()
            .filter(|(_, thread)| thread.position > after && thread.position <= to)
            .collect();
        changed.sort_unstable_by_key(|(_, thread)| std::cmp::Reverse(thread.position));
        let is_cut = changed.len() > limit;
        changed.truncate(limit);
        let next = changed
            .last()
            .filter(|_| is_cut)
            .map(|(_, thread)| TimelineToken::before(thread.position));
        let rooms: Vec<i64> = changed.iter().map(|((room, _), _)| room.0).collect();
        let ids = self.room_ids(&rooms).await?;
        let changes = changed
            .into_iter()
            .zip(ids)
            .map(|(((_, root), thread), room)| ThreadChange {
                room,
                root: root.clone(),
                subscription: thread.subscription,
                position: thread.position,
            });
        Ok(ThreadChanges {
            changes: changes.collect(),
            next,
        })
    }
}
