use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use echorift_web::BoxFuture;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::task::spawn_blocking;

use super::chunks::read_file;
use super::{BlobStore, BlobStream};
use crate::MediaError;
use crate::ids::BlobKey;
use crate::staging::Staged;

/// A folder with two levels below it (`ab/cd/abcd…`), so that no folder grows too large to be handled.
pub(super) struct Disk {
    folder: PathBuf,
}

impl Disk {
    pub(super) fn open(folder: PathBuf) -> Result<Self, MediaError> {
        fs::create_dir_all(&folder)?;
        Ok(Self { folder })
    }

    fn path_of(&self, key: &BlobKey) -> PathBuf {
        let name = key.as_str();
        let level = |letters: Range<usize>| name.get(letters).unwrap_or("00");
        self.folder.join(level(0..2)).join(level(2..4)).join(name)
    }
}

impl BlobStore for Disk {
    fn place(&self, key: BlobKey, staged: Staged) -> BoxFuture<'_, Result<(), MediaError>> {
        let (top, path) = (self.folder.clone(), self.path_of(&key));
        Box::pin(async move {
            spawn_blocking(move || move_file(&top, &path, staged)).await??;
            Ok(())
        })
    }

    fn read(&self, key: BlobKey, range: Range<u64>) -> BoxFuture<'_, Result<BlobStream, MediaError>> {
        let pieces = read_file(self.path_of(&key), range).map_err(MediaError::from);
        let mut pieces = Box::pin(pieces.fuse());
        Box::pin(async move {
            // The first piece tells whether there is such a file, while the answer can still say so.
            let first = match pieces.next().await {
                Some(Err(error)) => {
                    tracing::error!(%error, %key, "a content cannot be read");
                    return Err(MediaError::Lost(key.to_string()));
                }
                first => first,
            };
            Ok(stream::iter(first).chain(pieces).boxed())
        })
    }

    fn remove(&self, key: BlobKey) -> BoxFuture<'_, Result<(), MediaError>> {
        let path = self.path_of(&key);
        Box::pin(async move {
            let removed = spawn_blocking(move || fs::remove_file(path)).await?;
            match removed {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
                _ => Ok(()),
            }
        })
    }
}

/// The file is on the disk already; here its name is, too, and the folders on the way to it.
fn move_file(top: &Path, path: &Path, staged: Staged) -> io::Result<()> {
    let folder = path.parent().unwrap_or(top);
    fs::create_dir_all(folder)?;
    staged.file.persist(path).map_err(|error| error.error)?;
    for folder in folder.ancestors() {
        File::open(folder)?.sync_all()?;
        if folder == top {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::blobs::read_whole;
    use crate::staging::Staging;

    #[tokio::test]
    async fn what_is_placed_is_read_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let staging = Staging::open(folder.path().join("staging")).unwrap();
        let disk = Disk::open(folder.path().join("contents")).unwrap();
        let staged = staging
            .receive_bytes(Bytes::from_static(b"content"))
            .await
            .unwrap();
        let key = BlobKey::new(&staged.hash);
        disk.place(key.clone(), staged).await.unwrap();
        assert_eq!(read_whole(&disk, key.clone(), 0..7).await.unwrap(), "content");
        assert_eq!(read_whole(&disk, key.clone(), 3..5).await.unwrap(), "te");
        disk.remove(key.clone()).await.unwrap();
        disk.remove(key.clone()).await.unwrap();
        assert!(matches!(
            read_whole(&disk, key, 0..7).await,
            Err(MediaError::Lost(_))
        ));
    }
}
