use std::{collections::HashMap, sync::Arc};

use echorift_storage::{EventNumber, RoomNumber, UserNumber};
use parking_lot::Mutex;
use quick_cache::sync::Cache;

/// How many pairs of session and room are remembered.
const CACHED: usize = 20_000;
/// How many members of one room are remembered for one session; then it starts again, which costs a repetition.
const MEMBERS_MAX: usize = 2_000;

/// Which member events a session was sent for which room (CS API § Lazy-loading room members), so that none is sent
/// twice in a row. Forgetting is harmless.
pub(crate) struct LazyMembers(Cache<(i64, RoomNumber), Arc<Sent>>);

/// The member events that one session has of one room.
type Sent = Mutex<HashMap<UserNumber, EventNumber>>;

impl LazyMembers {
    pub fn new() -> Self {
        Self(Cache::new(CACHED))
    }

    /// Forgets what was sent: the client starts anew with this room.
    pub fn reset(&self, session: i64, room: RoomNumber) {
        self.0.remove(&(session, room));
    }

    /// Whether this member event has yet to be sent; it then counts as sent.
    pub fn is_news(&self, session: i64, room: RoomNumber, user: UserNumber, event: EventNumber) -> bool {
        let sent = self
            .0
            .get_or_insert_with::<_, std::convert::Infallible>(&(session, room), || Ok(Arc::default()));
        let Ok(sent) = sent;
        let mut sent = sent.lock();
        if sent.len() >= MEMBERS_MAX {
            sent.clear();
        }
        sent.insert(user, event) != Some(event)
    }
}
