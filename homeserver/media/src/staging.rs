//! Contents on their way in: a file of their own, hashed while it is written, gone unless it is placed.

use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::MediaError;
use crate::ids::ContentHash;

/// How much is gathered before it is hashed and written in one go, off the async threads: large enough that handing
/// over costs nothing, small enough that an upload costs little memory (twice this).
const BATCH_BYTES: usize = 1 << 20;
/// So many pieces are handed over in any case, however small they are.
const BATCH_PIECES: usize = 1_024;
/// Small pieces are gathered to writes of this size.
const WRITE_BYTES: usize = 256 << 10;

/// The folder in which contents are received.
#[derive(Debug, Clone)]
pub(crate) struct Staging {
    folder: PathBuf,
}

/// A complete content with its hash, synced to the disk. Its file is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Staged {
    pub(crate) file: NamedTempFile,
    pub(crate) size: u64,
    pub(crate) hash: ContentHash,
}

impl Staging {
    /// Makes the folder, and empties it of what an earlier run was still receiving when it ended.
    pub(crate) fn open(folder: PathBuf) -> Result<Self, MediaError> {
        std::fs::create_dir_all(&folder)?;
        for entry in std::fs::read_dir(&folder)? {
            std::fs::remove_file(entry?.path())?;
        }
        Ok(Self { folder })
    }

    /// Receives a content to its end.
    ///
    /// Errors: `TooLarge` as soon as more than `bytes_max` have come, `BrokenOff` if the sender goes away.
    pub(crate) async fn receive<E: std::fmt::Display>(
        &self,
        mut pieces: impl Stream<Item = Result<Bytes, E>> + Unpin,
        bytes_max: u64,
    ) -> Result<Staged, MediaError> {
        let folder = self.folder.clone();
        // While one batch is written, the next one is gathered.
        let mut sink = Busy::start(move || Sink::create(&folder));
        let mut batch = Batch::default();
        let mut size: u64 = 0;
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|error| MediaError::BrokenOff(error.to_string()))?;
            size += piece.len() as u64;
            if size > bytes_max {
                return Err(MediaError::TooLarge(bytes_max));
            }
            batch.push(piece);
            if batch.is_full() {
                let full = std::mem::take(&mut batch);
                let idle = sink.done().await?;
                sink = Busy::start(move || idle.write(full));
            }
        }
        let idle = sink.done().await?;
        spawn_blocking(move || idle.write(batch)?.finish(size))
            .await?
            .map_err(MediaError::from)
    }

    /// A content that is in memory already.
    pub(crate) async fn receive_bytes(&self, bytes: Bytes) -> Result<Staged, MediaError> {
        let bytes_max = bytes.len() as u64;
        let pieces = futures_util::stream::iter([Ok::<_, io::Error>(bytes)]);
        self.receive(pieces, bytes_max).await
    }
}

#[derive(Default)]
struct Batch {
    pieces: Vec<Bytes>,
    bytes: usize,
}

impl Batch {
    fn push(&mut self, piece: Bytes) {
        self.bytes += piece.len();
        self.pieces.push(piece);
    }

    fn is_full(&self) -> bool {
        self.bytes >= BATCH_BYTES || self.pieces.len() >= BATCH_PIECES
    }
}

/// A sink at work on a thread that may block.
struct Busy(JoinHandle<io::Result<Sink>>);

impl Busy {
    fn start(work: impl FnOnce() -> io::Result<Sink> + Send + 'static) -> Self {
        Self(spawn_blocking(work))
    }

    async fn done(self) -> Result<Sink, MediaError> {
        Ok(self.0.await??)
    }
}

struct Sink {
    file: BufWriter<NamedTempFile>,
    hasher: Sha256,
}

impl Sink {
    fn create(folder: &Path) -> io::Result<Self> {
        Ok(Self {
            file: BufWriter::with_capacity(WRITE_BYTES, NamedTempFile::new_in(folder)?),
            hasher: Sha256::new(),
        })
    }

    fn write(mut self, batch: Batch) -> io::Result<Self> {
        for piece in batch.pieces {
            self.hasher.update(&piece);
            self.file.write_all(&piece)?;
        }
        Ok(self)
    }

    fn finish(self, size: u64) -> io::Result<Staged> {
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        Ok(Staged {
            file,
            size,
            hash: ContentHash::of_digest(&self.hasher.finalize()),
        })
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    fn files(folder: &Path) -> usize {
        std::fs::read_dir(folder).unwrap().count()
    }

    #[tokio::test]
    async fn a_content_is_written_whole_and_hashed() {
        let folder = tempfile::tempdir().unwrap();
        let staging = Staging::open(folder.path().join("staging")).unwrap();
        let pieces = (0..40_u8).map(|n| Ok::<_, io::Error>(Bytes::from(vec![n; 100_000])));
        let staged = staging.receive(stream::iter(pieces), 4_000_000).await.unwrap();
        let written = std::fs::read(staged.file.path()).unwrap();
        let expected: Vec<u8> = (0..40_u8).flat_map(|n| vec![n; 100_000]).collect();
        assert!(written == expected && staged.size == 4_000_000);
        assert_eq!(staged.hash, ContentHash::of_digest(&Sha256::digest(&expected)));
        drop(staged);
        assert_eq!(files(&staging.folder), 0, "what is not placed is gone");
    }

    #[tokio::test]
    async fn what_breaks_off_or_is_too_large_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let staging = Staging::open(folder.path().join("staging")).unwrap();
        let piece = || Ok::<_, io::Error>(Bytes::from_static(b"abc"));
        let broken = stream::iter([piece(), Err(io::Error::other("gone"))]);
        assert!(matches!(
            staging.receive(broken, 10).await,
            Err(MediaError::BrokenOff(_))
        ));
        let large = stream::iter([piece(), piece()]);
        assert!(matches!(
            staging.receive(large, 5).await,
            Err(MediaError::TooLarge(5))
        ));
        // The files go with the threads that made them.
        while files(&staging.folder) > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(staging.receive_bytes(Bytes::new()).await.unwrap().size, 0);
    }

    #[test]
    fn what_an_earlier_run_left_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("half"), "half").unwrap();
        Staging::open(folder.path().to_owned()).unwrap();
        assert_eq!(files(folder.path()), 0);
    }
}
