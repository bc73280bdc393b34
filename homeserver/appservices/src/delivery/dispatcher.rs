use std::sync::Arc;

use echorift_storage::Position;

use super::{PAUSE, Shared, UNWRITTEN_MAX, Wake};
use crate::registry::ServiceIndex;

/// How long more is waited for once something is there, so that a busy server's commits become one page.
const GATHERING: std::time::Duration = std::time::Duration::from_millis(3);

/// Reads the log as it grows, and wakes those whom it concerns: the others cost nothing. `after` is a position from before
/// the services' own tasks have begun to read.
pub(crate) async fn dispatch(shared: Arc<Shared>, wakes: Vec<(ServiceIndex, Arc<Wake>)>, after: Position) {
    let mut visible = shared.rooms.database().log().watch();
    let mut at = after;
    let mut all_woken = after;
    loop {
        visible.mark_unchanged();
        match shared.pages.after(at).await {
            Ok(page) if page.to > at => {
                // Now and then everybody writes down how far the log does not concern them.
                let wakes_all = at.0.saturating_sub(all_woken.0) >= UNWRITTEN_MAX;
                if wakes_all {
                    all_woken = at;
                }
                for (index, wake) in &wakes {
                    if wakes_all || page.concerned.contains(*index) {
                        wake.wake(at);
                    }
                }
                at = page.to;
                continue;
            }
            Ok(_) => {}
            Err(error) => {
                tracing::error!(%error, "the log could not be read for application services; tried again in a second");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        }
        if visible.changed().await.is_err() {
            return;
        }
        tokio::time::sleep(GATHERING).await;
    }
}
