//! Backups of room keys (CS API § Server-side key backups).

use std::collections::BTreeMap;

use echorift_storage::{Tx, UserNumber};
use ruma::{OwnedRoomId, RoomId, UInt};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{Encryption, EncryptionError, store};

/// Larger `auth_data` is refused; real one has less than 1 KiB, signatures included.
const AUTH_DATA_BYTES_MAX: usize = 64 * 1024;
/// Larger key data is refused; real one has less than 1 KiB.
const SESSION_DATA_BYTES_MAX: usize = 16 * 1024;
/// Longer session IDs are refused; real ones have 43 bytes.
const SESSION_ID_BYTES_MAX: usize = 255;
/// Longer names of algorithms are refused.
const ALGORITHM_BYTES_MAX: usize = 255;
/// How many keys a backup takes: an active person collects some 10,000 a year.
const KEYS_MAX: i64 = 1_000_000;

/// A version of a backup, as its user's clients describe it.
#[derive(Debug, Clone)]
pub(crate) struct BackupVersion {
    pub(crate) version: i64,
    pub(crate) algorithm: String,
    pub(crate) auth_data: Box<RawValue>,
    pub(crate) state: BackupState,
}

/// What a backup holds. Two equal ones of the same version mean that nothing was written in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct BackupState {
    pub(crate) etag: i64,
    pub(crate) key_count: i64,
}

/// How a client describes a backup.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct BackupDescription {
    algorithm: String,
    auth_data: Box<RawValue>,
    /// For updates: the version that is meant, once more.
    version: Option<String>,
}

/// A room key as clients back it up, encrypted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct BackedUpKey {
    pub(crate) first_message_index: UInt,
    pub(crate) forwarded_count: UInt,
    pub(crate) is_verified: bool,
    pub(crate) session_data: Box<RawValue>,
}

/// By room and session.
pub(crate) type BackedUpKeys = BTreeMap<OwnedRoomId, BTreeMap<String, BackedUpKey>>;

/// What is known of a stored key without looking into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyRank {
    pub(crate) is_verified: bool,
    pub(crate) first_message_index: i64,
    pub(crate) forwarded_count: i64,
}

impl KeyRank {
    /// Whether this key takes the place of `old`: verified before unverified, then the one that reads more, then the
    /// one that went through fewer hands.
    fn is_better_than(self, old: Self) -> bool {
        let rank = |key: Self| (!key.is_verified, key.first_message_index, key.forwarded_count);
        rank(self) < rank(old)
    }
}

impl BackedUpKey {
    pub(crate) fn rank(&self) -> KeyRank {
        let number = |number: UInt| i64::from(number);
        KeyRank {
            is_verified: self.is_verified,
            first_message_index: number(self.first_message_index),
            forwarded_count: number(self.forwarded_count),
        }
    }

    fn judge(&self, session: &str) -> Result<(), EncryptionError> {
        limit("the session ID", session.len(), SESSION_ID_BYTES_MAX)?;
        limit(
            "the key data",
            self.session_data.get().len(),
            SESSION_DATA_BYTES_MAX,
        )?;
        if !self.session_data.get().starts_with('{') {
            return Err(EncryptionError::BadBackup("Session data is an object."));
        }
        Ok(())
    }
}

impl BackupDescription {
    fn judge(&self) -> Result<(), EncryptionError> {
        limit("the algorithm's name", self.algorithm.len(), ALGORITHM_BYTES_MAX)?;
        limit("the auth data", self.auth_data.get().len(), AUTH_DATA_BYTES_MAX)?;
        if !self.auth_data.get().starts_with('{') {
            return Err(EncryptionError::BadBackup("Auth data is an object."));
        }
        Ok(())
    }
}

fn limit(what: &'static str, bytes: usize, limit: usize) -> Result<(), EncryptionError> {
    if bytes > limit {
        return Err(EncryptionError::TooLarge { what, limit });
    }
    Ok(())
}

/// Versions are numbers; whatever else a client names does not exist.
pub(crate) fn parse_version(text: &str) -> Result<i64, EncryptionError> {
    text.parse().map_err(|_| EncryptionError::NoSuchBackup)
}

impl Encryption {
    /// Starts a backup, which is the current one from now on. Its version.
    pub(crate) async fn create_backup(
        &self,
        user: UserNumber,
        description: BackupDescription,
    ) -> Result<i64, EncryptionError> {
        description.judge()?;
        let step = self.0.database.writer().transact(move |tx| {
            Box::pin(async move {
                let BackupDescription {
                    algorithm, auth_data, ..
                } = &description;
                Ok(store::backups::create(tx, user, algorithm, auth_data).await?)
            })
        });
        step.await
    }

    /// The named backup, or the current one. Errors: `NoSuchBackup`.
    pub(crate) async fn backup(
        &self,
        user: UserNumber,
        version: Option<i64>,
    ) -> Result<BackupVersion, EncryptionError> {
        let found = store::backups::find(&self.0.database, user, version).await?;
        found.ok_or(EncryptionError::NoSuchBackup)
    }

    /// Replaces the `auth_data` of a backup. Errors: `NoSuchBackup`, `BadBackup` for another algorithm or version.
    pub(crate) async fn update_backup(
        &self,
        user: UserNumber,
        version: i64,
        description: BackupDescription,
    ) -> Result<(), EncryptionError> {
        description.judge()?;
        if description
            .version
            .is_some_and(|named| named != version.to_string())
        {
            return Err(EncryptionError::BadBackup("The body names another version."));
        }
        let (algorithm, auth_data) = (description.algorithm, description.auth_data);
        let step = self.0.database.writer().transact(move |tx| {
            Box::pin(async move {
                let stored = store::backups::lock(tx, user, version).await?;
                if stored.ok_or(EncryptionError::NoSuchBackup)?.algorithm != algorithm {
                    return Err(EncryptionError::BadBackup("The backup has another algorithm."));
                }
                Ok(store::backups::update(tx, user, version, &auth_data).await?)
            })
        });
        step.await
    }

    /// Deletes a backup and its keys; once more is no error. Errors: `NoSuchBackup` for one that never was.
    pub(crate) async fn delete_backup(&self, user: UserNumber, version: i64) -> Result<(), EncryptionError> {
        let step = self.0.database.writer().transact(move |tx| {
            Box::pin(async move {
                if store::backups::delete(tx, user, version).await? {
                    return Ok(());
                }
                Err(EncryptionError::NoSuchBackup)
            })
        });
        step.await
    }

    /// Stores those of the keys that are better than what the backup has.
    ///
    /// Errors: `NoSuchBackup`, `WrongBackup` unless it is the current one, `TooLarge`, `BadBackup`.
    pub(crate) async fn back_up_keys(
        &self,
        user: UserNumber,
        version: i64,
        keys: BackedUpKeys,
    ) -> Result<BackupState, EncryptionError> {
        for (session, key) in keys.values().flatten() {
            key.judge(session)?;
        }
        let step = self.0.database.writer().transact(move |tx| {
            Box::pin(async move {
                let stored = store::backups::lock(tx, user, version).await?;
                let current = store::backups::current(tx, user)
                    .await?
                    .ok_or(EncryptionError::NoSuchBackup)?;
                let stored = stored.filter(|_| current == version);
                let stored = stored.ok_or(EncryptionError::WrongBackup { current })?;
                merge(tx, user, &stored, &keys).await
            })
        });
        step.await
    }

    /// The keys of a backup: all, or those of a room, or one. Errors: `NoSuchBackup`.
    pub(crate) async fn backed_up_keys(
        &self,
        user: UserNumber,
        version: i64,
        of: (Option<&RoomId>, Option<&str>),
    ) -> Result<BackedUpKeys, EncryptionError> {
        self.backup(user, Some(version)).await?;
        Ok(store::backups::keys(&self.0.database, user, version, of).await?)
    }

    /// Deletes keys of a backup: all, or those of a room, or one. Errors: `NoSuchBackup`.
    pub(crate) async fn delete_backed_up_keys(
        &self,
        user: UserNumber,
        version: i64,
        (room, session): (Option<OwnedRoomId>, Option<String>),
    ) -> Result<BackupState, EncryptionError> {
        let step = self.0.database.writer().transact(move |tx| {
            Box::pin(async move {
                let stored = store::backups::lock(tx, user, version)
                    .await?
                    .ok_or(EncryptionError::NoSuchBackup)?;
                let of = (room.as_deref(), session.as_deref());
                let deleted = store::backups::delete_keys(tx, user, version, of).await?;
                if deleted == 0 {
                    return Ok(stored.state);
                }
                let state = BackupState {
                    etag: stored.state.etag.saturating_add(1),
                    key_count: stored.state.key_count.saturating_sub(deleted),
                };
                store::backups::set_state(tx, user, version, state).await?;
                Ok(state)
            })
        });
        step.await
    }
}

async fn merge(
    tx: &mut Tx,
    user: UserNumber,
    backup: &BackupVersion,
    keys: &BackedUpKeys,
) -> Result<BackupState, EncryptionError> {
    let known = store::backups::ranks(tx, user, backup.version, keys).await?;
    let (mut better, mut added) = (Vec::new(), 0_i64);
    for (room, sessions) in keys {
        for (session, key) in sessions {
            match known.get(&(room.to_string(), session.clone())) {
                Some(old) if !key.rank().is_better_than(*old) => continue,
                Some(_) => {}
                None => added = added.saturating_add(1),
            }
            better.push((&**room, session.as_str(), key));
        }
    }
    if better.is_empty() {
        return Ok(backup.state);
    }
    let state = BackupState {
        etag: backup.state.etag.saturating_add(1),
        key_count: backup.state.key_count.saturating_add(added),
    };
    if state.key_count > KEYS_MAX {
        return Err(EncryptionError::TooLarge {
            what: "the number of keys in the backup",
            limit: usize::try_from(KEYS_MAX).unwrap_or(usize::MAX),
        });
    }
    store::backups::put_keys(tx, user, backup.version, &better).await?;
    store::backups::set_state(tx, user, backup.version, state).await?;
    Ok(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_that_reads_more_and_is_trusted_more_stays() {
        let key = |is_verified, first_message_index, forwarded_count| KeyRank {
            is_verified,
            first_message_index,
            forwarded_count,
        };
        let old = key(false, 5, 2);
        for better in [key(true, 9, 9), key(false, 4, 9), key(false, 5, 1)] {
            assert!(better.is_better_than(old), "{better:?}");
            assert!(!old.is_better_than(better), "{better:?}");
        }
        assert!(!old.is_better_than(old));
    }
}
