//! The SQLite file, and the lock that keeps a second server and `restore` away from it.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The file behind a database URL; `None` for PostgreSQL.
pub(crate) fn path_of(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite:")?;
    let path = path.strip_prefix("//").unwrap_or(path);
    Some(PathBuf::from(path.split('?').next().unwrap_or(path)))
}

/// Held for as long as a server runs on the file; the system releases it however the process ends.
#[derive(Debug)]
pub(crate) struct SqliteLock {
    _file: File,
}

/// Why the lock could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LockError {
    #[error("a server is running on {0}")]
    Held(PathBuf),
    #[error("{path} cannot be locked: {cause}")]
    File { path: PathBuf, cause: io::Error },
}

impl SqliteLock {
    /// Takes the lock beside the database file without waiting.
    pub(crate) fn take(database: &Path) -> Result<Self, LockError> {
        let mut name = database.as_os_str().to_owned();
        name.push(".lock");
        let path = PathBuf::from(name);
        let opened = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path);
        let file = opened.map_err(|cause| LockError::File {
            path: path.clone(),
            cause,
        })?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(LockError::Held(database.to_owned())),
            Err(TryLockError::Error(cause)) => Err(LockError::File { path, cause }),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_path_is_found_in_every_spelling() {
        for url in ["sqlite:./a/b.db", "sqlite://./a/b.db", "sqlite:./a/b.db?mode=rwc"] {
            assert_eq!(path_of(url).unwrap(), Path::new("./a/b.db"));
        }
        assert_eq!(path_of("sqlite:///var/b.db").unwrap(), Path::new("/var/b.db"));
        assert_eq!(path_of("postgres://localhost/b"), None);
    }

    #[test]
    fn the_lock_is_exclusive_and_released_on_drop() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("a.db");
        let held = SqliteLock::take(&database).unwrap();
        assert!(matches!(SqliteLock::take(&database), Err(LockError::Held(_))));
        drop(held);
        assert!(SqliteLock::take(&database).is_ok());
    }
}
