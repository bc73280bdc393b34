use echorift_storage::{Change, StorageError, Timestamp};
use ruma::UserId;

use crate::{Rooms, store::reports as store};

/// Which reports are looked for.
#[derive(Debug, Clone, Default)]
pub struct ReportsQuery {
    /// Only settled ones, or only others.
    pub is_done: Option<bool>,
    /// Only those from before this one.
    pub before: Option<i64>,
    pub limit: u32,
}

/// What somebody has reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportOverview {
    /// Grows with time.
    pub number: i64,
    pub reported: Timestamp,
    pub reporter: String,
    pub room_id: Option<String>,
    pub event_id: Option<String>,
    pub user_id: Option<String>,
    pub reason: String,
    pub resolution: Option<Resolution>,
}

/// How a report was settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    pub at: Timestamp,
    pub administrator: String,
    pub note: Option<String>,
}

impl Rooms {
    /// The latest of these reports, latest first.
    pub async fn reports(&self, query: &ReportsQuery) -> Result<Vec<ReportOverview>, StorageError> {
        store::page(self.database(), query).await
    }

    /// Settles a report, again if it was settled before. `remember` is written with it. Whether there is such a report.
    pub async fn resolve_report(
        &self,
        number: i64,
        administrator: &UserId,
        note: Option<String>,
        remember: Change,
    ) -> Result<bool, StorageError> {
        let (administrator, now) = (administrator.to_owned(), self.clock().now());
        let resolved = self.database().writer().transact(move |tx| {
            Box::pin(async move {
                if !store::resolve(tx, number, (&administrator, now), note.as_deref()).await? {
                    return Ok(false);
                }
                tx.apply(remember).await?;
                Ok(true)
            })
        });
        resolved.await
    }
}
