//! Where contents lie once they are complete: a folder, or a service that speaks S3.

mod chunks;
mod disk;
mod s3;

use std::ops::Range;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use echorift_web::BoxFuture;
use futures_util::{Stream, TryStreamExt as _};

use crate::ids::BlobKey;
use crate::options::StoreOptions;
use crate::staging::Staged;
use crate::{MediaError, MediaOptions};

use self::disk::Disk;
use self::s3::S3;

/// A content, or a part of one, piece by piece. It is read only as fast as it is taken.
pub(crate) type BlobStream = Pin<Box<dyn Stream<Item = Result<Bytes, MediaError>> + Send>>;

/// A store of complete contents that never change. Names come from [`BlobKey::new`] and are never used twice.
pub(crate) trait BlobStore: Send + Sync {
    /// Keeps a content under this name; durable when it returns. May be called again after a failure.
    fn place(&self, key: BlobKey, staged: Staged) -> BoxFuture<'_, Result<(), MediaError>>;

    /// A part of a content, which must lie within it. Errors: `Lost` if there is no such content.
    fn read(&self, key: BlobKey, range: Range<u64>) -> BoxFuture<'_, Result<BlobStream, MediaError>>;

    /// Removes a content; one that is not there is removed already.
    fn remove(&self, key: BlobKey) -> BoxFuture<'_, Result<(), MediaError>>;
}

/// The store that is configured.
pub(crate) fn open(options: &MediaOptions) -> Result<Arc<dyn BlobStore>, MediaError> {
    Ok(match &options.store {
        StoreOptions::Disk => Arc::new(Disk::open(folder_of_contents(&options.folder))?),
        StoreOptions::S3(s3) => Arc::new(S3::new(s3)?),
    })
}

fn folder_of_contents(folder: &Path) -> std::path::PathBuf {
    folder.join("contents")
}

/// A whole content in memory, for what must look at it; the caller has judged its size.
pub(crate) async fn read_whole(
    blobs: &dyn BlobStore,
    key: BlobKey,
    range: Range<u64>,
) -> Result<Bytes, MediaError> {
    let length = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or_default();
    let mut pieces = blobs.read(key, range).await?;
    let mut whole = BytesMut::with_capacity(length);
    while let Some(piece) = pieces.try_next().await? {
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

/// The store in a folder, whatever is configured.
#[cfg(test)]
pub(crate) fn open_disk(folder: &Path) -> Result<Arc<dyn BlobStore>, MediaError> {
    Ok(Arc::new(Disk::open(folder_of_contents(folder))?))
}
