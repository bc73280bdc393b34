use std::sync::{Arc, OnceLock};

use tokio::sync::watch;

use crate::{EventNumber, Position, RoomNumber, UserNumber};

/// What became visible at a position. It names the thing and does not carry it: whoever wants the content asks the
/// room that keeps it, whose cache has just been filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record {
    /// A room event that belongs to its room's timeline; `member` is the user whose membership it is about, if it is
    /// a member event, because that user must hear of it whatever the membership now is.
    Event {
        room: RoomNumber,
        event: EventNumber,
        sender: UserNumber,
        member: Option<UserNumber>,
        /// Whether this server tells others of it: it was made here, or by way of us.
        is_ours: bool,
    },
    /// The room's state was resolved anew, and with it the membership of a user whom no event of the moment is about.
    Membership { room: RoomNumber, user: UserNumber },
    /// A room has a sticky event (MSC4354) that no other record tells of: it belongs to an older part of the timeline, or
    /// to none.
    Sticky { room: RoomNumber },
    /// A receipt of `user`; a private one concerns only `user`.
    Receipt {
        room: RoomNumber,
        user: UserNumber,
        private: bool,
    },
    /// Global account data of a user.
    AccountData { user: UserNumber },
    /// Account data of a user for one room, tags and the fully-read marker included.
    RoomAccountData { user: UserNumber, room: RoomNumber },
    /// A to-device message for one of the user's devices. If the user is of another server, messages wait for that server.
    ToDevice { user: UserNumber },
    /// The user's devices or their keys changed: of interest to whoever shares an encrypted room with them.
    DeviceList { user: UserNumber },
    /// The user signed somebody else's key, which only the user sees.
    KeySignature { user: UserNumber },
    /// The user subscribed to a thread, or no longer does (MSC4306).
    ThreadSubscription { user: UserNumber, room: RoomNumber },
}

/// Is told of every record that this node commits, in log order.
pub trait LogListener: Send + Sync {
    /// Must be quick and must not block: it runs between the commit and the answers to its callers.
    fn on_records(&self, records: &[(Position, Record)]);

    /// The records of the last [`LogListener::on_records`] are visible now: the moment to wake who waits for them, and
    /// would have found nothing a moment earlier.
    fn on_visible(&self) {}
}

/// The live end of the log.
#[derive(Clone)]
pub struct Log(Arc<Inner>);

struct Inner {
    listeners: OnceLock<Vec<Arc<dyn LogListener>>>,
    visible: watch::Sender<Position>,
}

impl Log {
    pub(crate) fn new(visible: Position) -> Self {
        let (visible, _) = watch::channel(visible);
        Self(Arc::new(Inner {
            listeners: OnceLock::new(),
            visible,
        }))
    }

    /// Names the listeners, once, before the first change is made.
    ///
    /// Returns `false`, and changes nothing, if they were named before.
    pub fn listen(&self, listeners: Vec<Arc<dyn LogListener>>) -> bool {
        self.0.listeners.set(listeners).is_ok()
    }

    /// Everything up to here has been told to the listeners, and reads of the database see it.
    pub fn visible(&self) -> Position {
        *self.0.visible.borrow()
    }

    /// Follows [`Log::visible`].
    pub fn watch(&self) -> watch::Receiver<Position> {
        self.0.visible.subscribe()
    }

    pub(crate) fn tell(&self, records: &[(Position, Record)]) {
        let Some((last, _)) = records.last() else { return };
        for listener in self.0.listeners.get().into_iter().flatten() {
            listener.on_records(records);
        }
        self.0.visible.send_replace(*last);
        for listener in self.0.listeners.get().into_iter().flatten() {
            listener.on_visible();
        }
    }
}
