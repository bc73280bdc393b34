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
