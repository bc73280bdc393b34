//! The SFU's log. A file and no pipe: a pipe whose reader has died would end the SFU with its next line.

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use super::ManagedError;

/// How often it is looked at.
const PAUSE: Duration = Duration::from_millis(250);
/// Once it has so many bytes and all were read, it begins anew.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// What is longer is not a line that says something: LiveKit's longest hold a session description.
const LINE_BYTES_MAX: usize = 64 * 1024;
/// So much of a line goes into our log.
const TOLD_CHARS_MAX: usize = 1_000;

/// The open file.
pub(super) struct LogFile {
    path: PathBuf,
    file: File,
    /// What an earlier run left: we have told of it already.
    begin: u64,
}

impl LogFile {
    pub(super) fn open(data_dir: &Path) -> Result<Self, ManagedError> {
        let path = data_dir.join("livekit.log");
        // Appending, so that the SFU goes on at the right place when the file is cut.
        let opened = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)
            // Asked before the SFU starts: its first lines are there sooner than who follows them.
            .and_then(|file| file.metadata().map(|about| (file, about.len())));
        match opened {
            Ok((file, begin)) => Ok(Self { path, file, begin }),
            Err(cause) => Err(ManagedError::Log { path, cause }),
        }
    }

    /// Where the SFU writes.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Puts what is written after the opening into our log, for as long as this is polled.
    pub(super) async fn follow(&self) {
        if let Err(error) = self.try_follow().await {
            tracing::error!(%error, path = %self.path.display(), "the SFU's log cannot be read any more");
        }
    }

    /// With a place of its own in the file, apart from the one that the SFU shares.
    async fn open_again(&self) -> std::io::Result<tokio::fs::File> {
        let mut file = tokio::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(&self.path)
            .await?;
        file.seek(std::io::SeekFrom::Start(self.begin)).await?;
        Ok(file)
    }

    async fn try_follow(&self) -> std::io::Result<()> {
        let mut file = self.open_again().await?;
        let mut place = self.begin;
        let mut lines = Lines::default();
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let count = file.read(&mut buffer).await?;
            place = place.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
            lines.push(buffer.get(..count).unwrap_or_default(), tell);
            if count > 0 {
                continue;
            }
            if place > FILE_BYTES_MAX {
                file.set_len(0).await?;
                place = file.seek(std::io::SeekFrom::Start(0)).await?;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Cuts bytes into lines; of those that are too long nothing but their length is kept.
#[derive(Default)]
struct Lines {
    begun: Vec<u8>,
    is_too_long: bool,
}

impl Lines {
    fn push(&mut self, bytes: &[u8], mut tell: impl FnMut(&[u8])) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, is_whole) = match piece.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (piece, false),
            };
            if self.begun.len() + text.len() > LINE_BYTES_MAX {
                self.is_too_long = true;
                self.begun.clear();
            }
            if !self.is_too_long {
                self.begun.extend_from_slice(text);
            }
            if is_whole {
                if !self.is_too_long && !self.begun.is_empty() {
                    tell(&self.begun);
                }
                self.begun.clear();
                self.is_too_long = false;
            }
        }
    }
}

/// What we keep of a line. The rest, addresses and session descriptions, is for who reads LiveKit's own log.
#[derive(Deserialize, Default)]
struct Line {
    #[serde(default)]
    level: String,
    #[serde(default)]
    msg: String,
    error: Option<String>,
}

/// One level below LiveKit's own: it informs of every participant, and warns of every client that does something wrong.
fn tell(line: &[u8]) {
    let line = parse(line);
    let (text, error) = (line.msg, line.error.as_deref());
    match line.level.as_str() {
        "debug" => tracing::trace!(target: "livekit", error, "{text}"),
        "info" => tracing::debug!(target: "livekit", error, "{text}"),
        "warn" => tracing::info!(target: "livekit", error, "{text}"),
        _ => tracing::warn!(target: "livekit", error, "{text}"),
    }
}

/// LiveKit writes JSON, but what keeps it from starting is told in plain words.
fn parse(line: &[u8]) -> Line {
    let mut line = serde_json::from_slice(line).unwrap_or_else(|_| Line {
        msg: String::from_utf8_lossy(line).into_owned(),
        ..Line::default()
    });
    for text in std::iter::once(&mut line.msg).chain(&mut line.error) {
        if let Some((end, _)) = text.char_indices().nth(TOLD_CHARS_MAX) {
            text.truncate(end);
            text.push('…');
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn lines(pieces: &[&[u8]]) -> Vec<String> {
        let (mut cutter, mut told) = (Lines::default(), Vec::new());
        for piece in pieces {
            cutter.push(piece, |line| {
                told.push(String::from_utf8_lossy(line).into_owned());
            });
        }
        told
    }

    #[tokio::test]
    async fn nothing_is_missed_that_is_written_before_it_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("livekit.log"), "of an earlier run\n").unwrap();
        let log = LogFile::open(folder.path()).unwrap();
        log.file().write_all(b"first\n").unwrap();
        let mut followed = log.open_again().await.unwrap();
        let mut text = String::new();
        followed.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "first\n");
    }

    #[test]
    fn lines_come_whole_however_they_are_read() {
        assert_eq!(
            lines(&[b"one\ntw", b"o", b"\n\nthree\nfo"]),
            ["one", "two", "three"]
        );
    }

    #[test]
    fn a_line_without_end_takes_no_memory_and_does_not_hide_the_next() {
        let long = vec![b'x'; LINE_BYTES_MAX];
        assert_eq!(lines(&[b"one\n", &long, &long, b"end\ntwo\n"]), ["one", "two"]);
    }

    #[test]
    fn json_and_plain_words_are_understood() {
        let line = parse(br#"{"level":"warn","ts":1.5,"msg":"no luck","error":"gone","room":"r"}"#);
        assert_eq!(
            (line.level.as_str(), line.msg.as_str(), line.error.as_deref()),
            ("warn", "no luck", Some("gone"))
        );
        assert_eq!(
            parse(b"bind: address already in use").msg,
            "bind: address already in use"
        );
        assert_eq!(
            parse("ü".repeat(2_000).as_bytes()).msg.chars().count(),
            TOLD_CHARS_MAX + 1
        );
    }
}
