//! The key that signs this server's events and requests, `signing.key` in the data folder, and the public halves of those
//! that did before, `old_signing.keys`.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use echorift_events::{EventError, SigningKey};
use echorift_federation::OldKey;
use echorift_storage::Timestamp;
use ruma::serde::Base64;
use ruma::{MilliSecondsSinceUnixEpoch, ServerName, ServerSigningKeyId, UInt};

/// Why there is no signing key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SigningKeyError {
    #[error("{path} cannot be read or written: {cause}")]
    File { path: PathBuf, cause: std::io::Error },
    #[error("{path} holds no signing key: {cause}")]
    Unusable { path: PathBuf, cause: EventError },
    #[error("{path}, line {line}: expected `ed25519 <version> <base64 public key> <time in milliseconds>`")]
    OldKey { path: PathBuf, line: usize },
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

/// Where the public halves of retired keys lie.
pub(crate) fn old_path_in(data_dir: &Path) -> PathBuf {
    data_dir.join("old_signing.keys")
}

/// The keys that were retired, in the order of the file; none if there is no file.
pub(crate) fn read_old(data_dir: &Path) -> Result<Vec<OldKey>, SigningKeyError> {
    let path = old_path_in(data_dir);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(SigningKeyError::File { path, cause }),
    };
    let lines = text.lines().enumerate();
    let lines = lines.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    let keys = lines.map(|(index, line)| {
        parse_old(line).ok_or_else(|| SigningKeyError::OldKey {
            path: path.clone(),
            line: index + 1,
        })
    });
    keys.collect()
}

fn parse_old(line: &str) -> Option<OldKey> {
    let mut words = line.split_ascii_whitespace();
    let (Some("ed25519"), Some(version), Some(key), Some(expired), None) = (
        words.next(),
        words.next(),
        words.next(),
        words.next(),
        words.next(),
    ) else {
        return None;
    };
    let public_key: Base64 = Base64::parse(key)
        .ok()
        .filter(|key: &Base64| key.as_bytes().len() == 32)?;
    Some(OldKey {
        key_id: ServerSigningKeyId::parse(format!("ed25519:{version}")).ok()?,
        public_key: public_key.encode(),
        expired: MilliSecondsSinceUnixEpoch(UInt::try_from(expired.parse::<u64>().ok()?).ok()?),
    })
}

/// Retires the current key, as of `now`, and makes a new one. No server may be running with the old one: what it signed
/// from then on would not be believed.
///
/// The old key is written down before the new one takes its place, so that a crash loses neither.
pub(crate) fn rotate(
    data_dir: &Path,
    server: &ServerName,
    now: Timestamp,
) -> Result<(SigningKey, SigningKey), SigningKeyError> {
    let old = open_or_create(data_dir, server)?;
    let old_path = old_path_in(data_dir);
    let line = format!(
        "ed25519 {} {} {}\n",
        old.key_id().key_name(),
        old.public_key(),
        now.0
    );
    let append = || {
        let mut file = OpenOptions::new().append(true).create(true).open(&old_path)?;
        file.write_all(line.as_bytes())?;
        file.sync_all()
    };
    append().map_err(|cause| SigningKeyError::File {
        path: old_path.clone(),
        cause,
    })?;
    let path = path_in(data_dir);
    let incoming = data_dir.join("signing.key.new");
    // What an interrupted rotation left behind was never used.
    let _ = std::fs::remove_file(&incoming);
    let new = create(incoming.clone(), server)?;
    let replace = || {
        std::fs::rename(&incoming, &path)?;
        File::open(data_dir)?.sync_all()
    };
    replace().map_err(|cause| SigningKeyError::File {
        path: path.clone(),
        cause,
    })?;
    Ok((old, new))
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
    fn a_rotated_key_is_kept_as_an_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let server = server_name!("a.example");
        let first = open_or_create(folder.path(), server).unwrap();
        assert_eq!(read_old(folder.path()).unwrap(), []);
        for moment in [1_000, 2_000] {
            let before = open_or_create(folder.path(), server).unwrap();
            let (old, new) = rotate(folder.path(), server, Timestamp(moment)).unwrap();
            assert_eq!(old.key_id(), before.key_id());
            assert_ne!(new.key_id(), old.key_id());
            let now = open_or_create(folder.path(), server).unwrap();
            assert_eq!(now.public_key(), new.public_key());
        }
        let old = read_old(folder.path()).unwrap();
        assert_eq!(old.len(), 2);
        let expected = OldKey {
            key_id: first.key_id().to_owned(),
            public_key: first.public_key(),
            expired: MilliSecondsSinceUnixEpoch(UInt::from(1_000_u32)),
        };
        assert_eq!(old.first(), Some(&expected));
    }

    #[test]
    fn a_broken_list_of_old_keys_names_its_line() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(old_path_in(folder.path()), "# retired\n\ned25519 a short 5\n").unwrap();
        let told = read_old(folder.path()).unwrap_err().to_string();
        assert!(told.contains("line 3"), "{told}");
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
