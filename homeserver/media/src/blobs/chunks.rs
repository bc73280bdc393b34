use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::PathBuf;

use bytes::Bytes;
use futures_util::{Stream, stream};
use tokio::task::{JoinHandle, spawn_blocking};

/// What is read in one go, off the async threads. One such piece is read ahead while the last one is taken.
const CHUNK_BYTES: u64 = 512 << 10;

type Reading = JoinHandle<io::Result<(Bytes, Option<Reader>)>>;

/// A part of a file. It is opened when the first piece is asked for.
pub(super) fn read_file(path: PathBuf, range: Range<u64>) -> impl Stream<Item = io::Result<Bytes>> + Send {
    enum State {
        Closed(PathBuf, Range<u64>),
        Reading(Reading),
        Ended,
    }
    stream::unfold(State::Closed(path, range), async |state| {
        let reading = match state {
            State::Closed(path, range) => spawn_blocking(move || Reader::open(path, range)?.next()),
            State::Reading(reading) => reading,
            State::Ended => return None,
        };
        match reading.await.unwrap_or_else(|error| Err(io::Error::other(error))) {
            Err(error) => Some((Err(error), State::Ended)),
            // Only an empty range has an empty piece.
            Ok((piece, None)) if piece.is_empty() => None,
            Ok((piece, None)) => Some((Ok(piece), State::Ended)),
            Ok((piece, Some(reader))) => {
                let ahead = spawn_blocking(move || reader.next());
                Some((Ok(piece), State::Reading(ahead)))
            }
        }
    })
}

struct Reader {
    file: File,
    left: u64,
}

impl Reader {
    fn open(path: PathBuf, range: Range<u64>) -> io::Result<Self> {
        let mut file = File::open(path)?;
        if range.start > 0 {
            file.seek(SeekFrom::Start(range.start))?;
        }
        Ok(Self {
            file,
            left: range.end.saturating_sub(range.start),
        })
    }

    /// The next piece, and the reader unless that was the last one.
    fn next(mut self) -> io::Result<(Bytes, Option<Self>)> {
        let wanted = self.left.min(CHUNK_BYTES);
        let mut piece = Vec::with_capacity(usize::try_from(wanted).unwrap_or_default());
        let read = (&mut self.file).take(wanted).read_to_end(&mut piece)? as u64;
        if read < wanted {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= read;
        let rest = (self.left > 0).then_some(self);
        Ok((piece.into(), rest))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt as _;

    use super::*;

    async fn read(path: &std::path::Path, range: Range<u64>) -> io::Result<Vec<u8>> {
        let pieces: Vec<Bytes> = read_file(path.to_owned(), range).try_collect().await?;
        Ok(pieces.concat())
    }

    #[tokio::test]
    async fn any_part_of_a_file_is_read_as_it_is() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let content: Vec<u8> = (0..1_300_000_u32)
            .map(|n| u8::try_from(n % 251).unwrap())
            .collect();
        std::fs::write(file.path(), &content).unwrap();
        for (start, end) in [(0, 1_300_000), (1, 2), (600_000, 600_000), (524_287, 1_048_577)] {
            let part = read(file.path(), start..end).await.unwrap();
            let (start, end) = (usize::try_from(start).unwrap(), usize::try_from(end).unwrap());
            assert!(part == content[start..end], "{start}..{end}");
        }
        let beyond = read(file.path(), 1_299_999..1_300_001)
            .await
            .map_err(|e| e.kind());
        assert_eq!(beyond, Err(io::ErrorKind::UnexpectedEof));
    }
}
