//! The key that signs this server's events: `signing.key` in the data folder.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use echorift_events::{EventError, SigningKey};
use ruma::ServerName;

/// Why there is no signing key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SigningKeyError {
    #[error("{path} cannot be read or written: {cause}")]
    File { path: PathBuf, cause: std::io::Error },
    #[error("{path} holds no signing key: {cause}")]
    Unusable { path: PathBuf, cause: EventError },
}

/// Where the key lies.
pub(crate) fn path_in(data_dir: &Path) -> PathBuf {
    data_dir.join("signing.key")
}

/// Reads the key, or makes one at the first start. Never replaces an existing file: with another key, this
/// server's own events would no longer be its own.
pub(crate) fn open_or_create(data_dir: &Path, server: &ServerName) -> Result<SigningKey, SigningKeyError> {
    let path = path_in(data_dir);
    match std::fs::read_to_string(&path) {
        Ok(text) => SigningKey::from_file_text(server, &text)
            .map_err(|cause| SigningKeyError::Unusable { path, cause }),
        Err(cause) if cause.kind() == ErrorKind::NotFound => create(path, server),
        Err(cause) => Err(SigningKeyError::File { path, cause }),
    }
}

fn create(path: PathBuf, server: &ServerName) -> Result<SigningKey, SigningKeyError> {
    let key = match SigningKey::generate(server, &rand::random()) {
        Ok(key) => key,
        Err(cause) => return Err(SigningKeyError::Unusable { path, cause }),
    };
    let write = || {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        file.write_all(key.to_file_text().as_bytes())?;
        file.sync_all()
    };
    match write() {
        Ok(()) => Ok(key),
        Err(cause) => Err(SigningKeyError::File { path, cause }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::os::unix::fs::PermissionsExt as _;

    use ruma::server_name;

    use super::*;

    #[test]
    fn the_key_is_made_once_and_only_its_owner_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let made = open_or_create(folder.path(), server_name!("a.example")).unwrap();
        let read = open_or_create(folder.path(), server_name!("a.example")).unwrap();
        assert_eq!(
            (made.public_key(), made.key_id()),
            (read.public_key(), read.key_id())
        );
        let mode = std::fs::metadata(path_in(folder.path()))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_broken_key_file_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(path_in(folder.path()), "rubbish").unwrap();
        assert!(open_or_create(folder.path(), server_name!("a.example")).is_err());
        assert_eq!(
            std::fs::read_to_string(path_in(folder.path())).unwrap(),
            "rubbish"
        );
    }
}
