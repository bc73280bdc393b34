//! Which rooms have a worker, and what wakes it.

use std::sync::Arc;

use dashmap::{DashMap, mapref::entry::Entry};
use ruma::{OwnedRoomId, RoomId};
use tokio::sync::Notify;

/// The workers: one for a room at most.
#[derive(Default)]
pub(super) struct Workers(DashMap<OwnedRoomId, Worker>);

#[derive(Default)]
struct Worker {
    /// Whether something came since it last looked.
    has_news: bool,
    news: Arc<Notify>,
}

/// What a worker does that has done all it could.
pub(super) enum Next {
    LookAgain,
    /// Until there is news, or until it is time to try again what lacks something.
    Wait(Arc<Notify>),
    /// It is not the room's worker any more.
    End,
}

impl Workers {
    /// Says that the room has something new; whether it needs a worker for that.
    pub fn call(&self, room_id: &RoomId) -> bool {
        match self.0.entry(room_id.to_owned()) {
            Entry::Occupied(mut worker) => {
                worker.get_mut().has_news = true;
                worker.get().news.notify_one();
                false
            }
            Entry::Vacant(vacant) => {
                vacant.insert(Worker::default());
                true
            }
        }
    }

    /// Asked by the room's worker; `has_deferred`: something has to be tried again.
    pub fn next(&self, room_id: &RoomId, has_deferred: bool) -> Next {
        let Entry::Occupied(mut worker) = self.0.entry(room_id.to_owned()) else {
            return Next::End;
        };
        if std::mem::take(&mut worker.get_mut().has_news) {
            Next::LookAgain
        } else if has_deferred {
            Next::Wait(Arc::clone(&worker.get().news))
        } else {
            worker.remove();
            Next::End
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use ruma::room_id;

    use super::*;

    #[test]
    fn a_room_has_one_worker_until_nothing_is_left() {
        let (workers, room) = (Workers::default(), room_id!("!a:example.org"));
        assert!(workers.call(room));
        assert!(!workers.call(room), "it has one");
        assert!(matches!(workers.next(room, false), Next::LookAgain));
        assert!(matches!(workers.next(room, false), Next::End));
        assert!(workers.call(room), "its worker has ended");
    }

    #[test]
    fn news_wakes_a_worker_that_waits_with_what_lacks_something() {
        let (workers, room) = (Workers::default(), room_id!("!a:example.org"));
        workers.call(room);
        let Next::Wait(news) = workers.next(room, true) else {
            panic!("there is nothing to look at");
        };
        assert!(news.notified().now_or_never().is_none());
        assert!(!workers.call(room), "the one that waits is the room's still");
        assert!(news.notified().now_or_never().is_some());
        assert!(matches!(workers.next(room, true), Next::LookAgain));
    }
}
