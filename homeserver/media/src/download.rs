//! Finding media, and waiting for what was created and is still to be uploaded.

use std::ops::Range;
use std::time::Duration;

use crate::blobs::BlobStream;
use crate::ids::MediaId;
use crate::store::media::{Found, Stored};
use crate::store::{self, Content};
use crate::{Media, MediaError};

/// Longest time that a request waits for an upload, whatever it asks for.
const WAIT_MAX: Duration = Duration::from_secs(60);

impl Media {
    /// Media by its id. If it is still to be uploaded, this waits, as long as the caller is willing to.
    ///
    /// Errors: `NotFound`, also for media under lock, and `NotYetUploaded`.
    pub(crate) async fn load(&self, media_id: &str, wait: Duration) -> Result<Stored, MediaError> {
        let id = MediaId::parse(media_id).ok_or(MediaError::NotFound)?;
        self.check_not_quarantined(&self.0.options.server_name, &id)
            .await?;
        let arrival = self.0.arrivals.expect(&id);
        let arrived = arrival.notified();
        tokio::pin!(arrived);
        // From here on no arrival is missed.
        arrived.as_mut().enable();
        match self.find_now(&id).await {
            Err(MediaError::NotYetUploaded) => {}
            answer => return answer,
        }
        let _ = tokio::time::timeout(wait.min(WAIT_MAX), arrived).await;
        self.find_now(&id).await
    }

    async fn find_now(&self, id: &MediaId) -> Result<Stored, MediaError> {
        match store::media::find(&self.0.database, id).await? {
            Some(Found::Stored(stored)) => Ok(stored),
            Some(Found::Pending { expires, .. }) if expires > self.0.clock.now() => {
                Err(MediaError::NotYetUploaded)
            }
            Some(Found::Pending { .. }) | None => Err(MediaError::NotFound),
        }
    }

    /// A part of a content, read as it is taken.
    pub(crate) async fn read(&self, content: &Content, range: Range<u64>) -> Result<BlobStream, MediaError> {
        self.0.blobs.read(content.key.clone(), range).await
    }
}
