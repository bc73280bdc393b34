use std::sync::Arc;

use dashmap::DashMap;
use echorift_storage::{LogListener, Position, Record, RoomNumber, UserNumber};
use parking_lot::Mutex;

use crate::hook::Hook;

/// All hooks of this server; few enough that all are in memory.
#[derive(Default)]
pub(crate) struct Registry {
    hooks: DashMap<String, Arc<Hook>>,
    /// The accounts of hooks: what they write goes out by none, or two servers could talk for ever.
    users: DashMap<UserNumber, ()>,
    /// Outgoing hooks that are on, by their rooms.
    listening: DashMap<RoomNumber, Vec<Arc<Hook>>>,
    /// Rooms in which something has happened that is not visible yet.
    heard: Mutex<Vec<RoomNumber>>,
}

impl Registry {
    pub(crate) fn put(&self, hook: &Arc<Hook>) {
        self.users.insert(hook.user, ());
        self.hooks.insert(hook.id.clone(), Arc::clone(hook));
        let mut listening = self.listening.entry(hook.room).or_default();
        listening.retain(|other| other.id != hook.id);
        if hook.is_outgoing() && hook.disabled.is_none() {
            listening.push(Arc::clone(hook));
        }
        drop(listening);
        self.listening.remove_if(&hook.room, |_, hooks| hooks.is_empty());
        hook.progress.wake.notify_one();
    }

    pub(crate) fn remove(&self, hook: &Hook) {
        self.hooks.remove(&hook.id);
        if let Some(mut listening) = self.listening.get_mut(&hook.room) {
            listening.retain(|other| other.id != hook.id);
        }
        self.listening.remove_if(&hook.room, |_, hooks| hooks.is_empty());
        hook.progress.wake.notify_one();
    }

    pub(crate) fn find(&self, id: &str) -> Option<Arc<Hook>> {
        self.hooks.get(id).map(|hook| Arc::clone(&hook))
    }

    pub(crate) fn is_hook(&self, user: UserNumber) -> bool {
        self.users.contains_key(&user)
    }

    /// All of them, by age.
    pub(crate) fn all(&self) -> Vec<Arc<Hook>> {
        let mut hooks: Vec<_> = self.hooks.iter().map(|hook| Arc::clone(&hook)).collect();
        hooks.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        hooks
    }

    /// Those of a room, by age.
    pub(crate) fn of_room(&self, room: RoomNumber) -> Vec<Arc<Hook>> {
        let mut hooks = self.all();
        hooks.retain(|hook| hook.room == room);
        hooks
    }
}

impl LogListener for Registry {
    fn on_records(&self, records: &[(Position, Record)]) {
        if self.listening.is_empty() {
            return;
        }
        let mut heard = self.heard.lock();
        for (_, record) in records {
            if let Record::Event { room, .. } = record
                && heard.last() != Some(room)
                && self.listening.contains_key(room)
            {
                heard.push(*room);
            }
        }
    }

    /// Hooks read the log themselves, so they are woken once it shows what was heard.
    fn on_visible(&self) {
        let heard = std::mem::take(&mut *self.heard.lock());
        for room in heard {
            for hook in self.listening.get(&room).iter().flat_map(|hooks| hooks.iter()) {
                hook.progress.wake.notify_one();
            }
        }
    }
}
