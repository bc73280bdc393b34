use std::{collections::HashMap, convert::Infallible, sync::Arc};

use echorift_storage::{Position, UserNumber};
use parking_lot::Mutex;
use quick_cache::sync::Cache;
use ruma::{DeviceId, OwnedDeviceId};
use tokio::sync::OnceCell;

use crate::KeyCounts;

/// Of how many users it is kept in memory what waits for their devices; some 500 bytes a device.
const USERS: usize = 50_000;

/// What syncs ask about local users' devices again and again. The database is the truth; everything here follows its
/// commits, or is forgotten with them.
pub(crate) struct Users(Cache<UserNumber, Arc<Devices>>);

#[derive(Default)]
struct Devices(Mutex<HashMap<OwnedDeviceId, Arc<DeviceMemory>>>);

/// What is known of one device.
#[derive(Default)]
pub(crate) struct DeviceMemory {
    pub(crate) inbox: Mutex<Inbox>,
    /// Whether `inbox` tells of what was there before it came to be.
    pub(crate) inbox_loaded: OnceCell<()>,
    counts: Mutex<Arc<OnceCell<Arc<KeyCounts>>>>,
}

/// Which to-device messages wait for a device.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Inbox {
    /// No message that waits is before this; `None` if none waits.
    pub(crate) first: Option<Position>,
    /// No message that waits is after this.
    pub(crate) latest: Position,
}

impl Inbox {
    /// Takes in a message, or the bounds of those that the database holds.
    pub(crate) fn note(&mut self, first: Position, latest: Position) {
        self.first = Some(self.first.map_or(first, |known| known.min(first)));
        self.latest = self.latest.max(latest);
    }

    /// Whether a message up to `up_to` may wait; if so, they are taken for deleted.
    pub(crate) fn acknowledge(&mut self, up_to: Position) -> bool {
        if self.first.is_none_or(|first| first > up_to) {
            return false;
        }
        self.first = (self.latest > up_to).then_some(Position(up_to.0.saturating_add(1)));
        true
    }
}

impl DeviceMemory {
    /// The cell with the key counts: whoever fills it has asked the database after the last change that emptied it.
    pub(crate) fn counts(&self) -> Arc<OnceCell<Arc<KeyCounts>>> {
        Arc::clone(&self.counts.lock())
    }

    fn forget_counts(&self) {
        *self.counts.lock() = Arc::default();
    }
}

impl Users {
    pub(crate) fn new() -> Self {
        Self(Cache::new(USERS))
    }

    /// The memory of a device, made on first use.
    pub(crate) fn device(&self, user: UserNumber, device: &DeviceId) -> Arc<DeviceMemory> {
        let devices = match self.0.get(&user) {
            Some(devices) => devices,
            None => self
                .0
                .get_or_insert_with::<_, Infallible>(&user, || Ok(Arc::default()))
                .unwrap_or_default(),
        };
        let mut devices = devices.0.lock();
        if let Some(known) = devices.get(device) {
            return Arc::clone(known);
        }
        Arc::clone(devices.entry(device.to_owned()).or_default())
    }

    /// Follows the commit of a message to a device.
    pub(crate) fn message_arrived(&self, user: UserNumber, device: &DeviceId, position: Position) {
        if let Some(device) = self.known(user, device) {
            device.inbox.lock().note(position, position);
        }
    }

    /// Follows a commit that changes how many keys a device has.
    pub(crate) fn forget_counts(&self, user: UserNumber, device: &DeviceId) {
        if let Some(device) = self.known(user, device) {
            device.forget_counts();
        }
    }

    /// Follows a change of the user's devices: some of them may be gone or new.
    pub(crate) fn forget(&self, user: UserNumber) {
        self.0.remove(&user);
    }

    fn known(&self, user: UserNumber, device: &DeviceId) -> Option<Arc<DeviceMemory>> {
        self.0.get(&user)?.0.lock().get(device).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inbox_knows_when_there_is_nothing_to_delete() {
        let mut inbox = Inbox::default();
        assert!(!inbox.acknowledge(Position(100)));
        inbox.note(Position(5), Position(5));
        inbox.note(Position(9), Position(9));
        assert!(!inbox.acknowledge(Position(4)));
        assert!(inbox.acknowledge(Position(5)));
        assert!(!inbox.acknowledge(Position(5)));
        assert!(inbox.acknowledge(Position(9)));
        assert!(!inbox.acknowledge(Position(i64::MAX)));
        assert_eq!(inbox.latest, Position(9));
    }
}
