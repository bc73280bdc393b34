//! The place that a connection takes.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// One of the places that there are for connections. It is free once the connection and all that it began have ended; a
/// server that stops waits for that, until it gives up. Requests carry it as an extension. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    abandon: CancellationToken,
    _taken: Arc<(OwnedSemaphorePermit, TaskTrackerToken)>,
}

impl Place {
    pub(super) fn new(
        permit: OwnedSemaphorePermit,
        token: TaskTrackerToken,
        abandon: CancellationToken,
    ) -> Self {
        Self {
            abandon,
            _taken: Arc::new((permit, token)),
        }
    }

    /// Works in this place; `None` if the server gives up before.
    pub(crate) async fn hold<T>(self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = work => Some(done),
            () = self.abandon.cancelled() => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use tokio::sync::{Semaphore, oneshot};
    use tokio_util::task::TaskTracker;

    use super::*;

    #[tokio::test]
    async fn a_place_is_free_when_the_connection_and_all_that_it_began_have_ended() {
        let (places, connections) = (Arc::new(Semaphore::new(1)), TaskTracker::new());
        let permit = Arc::clone(&places).try_acquire_owned().unwrap();
        let abandon = CancellationToken::new();
        let place = Place::new(permit, connections.token(), abandon.clone());
        let (ends, ended) = oneshot::channel::<()>();
        let work = tokio::spawn(place.clone().hold(ended));
        drop(place);
        connections.close();
        assert!(places.available_permits() == 0 && !connections.is_empty());
        ends.send(()).unwrap();
        assert!(work.await.unwrap().is_some());
        connections.wait().await;
        assert_eq!(places.available_permits(), 1);
    }

    #[tokio::test]
    async fn work_that_does_not_end_is_given_up_with_the_server() {
        let (places, connections) = (Arc::new(Semaphore::new(1)), TaskTracker::new());
        let permit = places.try_acquire_owned().unwrap();
        let abandon = CancellationToken::new();
        let place = Place::new(permit, connections.token(), abandon.clone());
        let work = tokio::spawn(place.hold(std::future::pending::<()>()));
        abandon.cancel();
        assert!(work.await.unwrap().is_none());
    }
}
