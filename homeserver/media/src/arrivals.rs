use std::collections::HashMap;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::ids::MediaId;

/// Who waits for media that were created and are still to be uploaded.
#[derive(Default)]
pub(crate) struct Arrivals {
    /// Guards the list of waiters, never across an await. Entries die with their last waiter.
    waiting: Mutex<HashMap<MediaId, Weak<Notify>>>,
}

impl Arrivals {
    /// To be taken before the database is asked, so that no upload can slip in between.
    pub(crate) fn expect(&self, media: &MediaId) -> Arc<Notify> {
        let mut waiting = self.waiting.lock();
        if let Some(notify) = waiting.get(media).and_then(Weak::upgrade) {
            return notify;
        }
        // Whoever comes new tidies up: the list is never longer than there are requests.
        waiting.retain(|_, notify| notify.strong_count() > 0);
        let notify = Arc::new(Notify::new());
        waiting.insert(media.clone(), Arc::downgrade(&notify));
        notify
    }

    /// Wakes everyone who waits for it.
    pub(crate) fn arrived(&self, media: &MediaId) {
        let notify = self.waiting.lock().remove(media);
        if let Some(notify) = notify.and_then(|notify| notify.upgrade()) {
            notify.notify_waiters();
        }
    }
}
