//! A user's cross-signing keys (CS API § Cross-signing).

use echorift_accounts::device_list_changed;
use echorift_storage::{Change, Record, StorageError, Tx, UserNumber};
use ruma::{CanonicalJsonValue, DeviceId, UserId, encryption::CrossSigningKey, serde::Raw};

use crate::{Encryption, EncryptionError, key_object::KeyObject, store};

/// Larger cross-signing keys are refused; real ones have less than 1 KiB.
const KEY_BYTES_MAX: usize = 16 * 1024;

/// What a cross-signing key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Usage {
    /// Stands for the user.
    Master,
    /// Signs the user's devices.
    SelfSigning,
    /// Signs the master keys of others.
    UserSigning,
}

impl Usage {
    pub(crate) const ALL: [Self; 3] = [Self::Master, Self::SelfSigning, Self::UserSigning];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Master => "master",
            Self::SelfSigning => "self_signing",
            Self::UserSigning => "user_signing",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|usage| usage.as_str() == text)
    }
}

/// The cross-signing keys that a user has, or uploads.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct UserKeys {
    pub(crate) master: Option<KeyObject>,
    pub(crate) self_signing: Option<KeyObject>,
    pub(crate) user_signing: Option<KeyObject>,
}

impl UserKeys {
    pub(crate) fn get(&self, usage: Usage) -> Option<&KeyObject> {
        match usage {
            Usage::Master => self.master.as_ref(),
            Usage::SelfSigning => self.self_signing.as_ref(),
            Usage::UserSigning => self.user_signing.as_ref(),
        }
    }

    pub(crate) fn put(&mut self, usage: Usage, key: KeyObject) {
        let place = match usage {
            Usage::Master => &mut self.master,
            Usage::SelfSigning => &mut self.self_signing,
            Usage::UserSigning => &mut self.user_signing,
        };
        *place = Some(key);
    }

    /// The public key for a usage, in base64.
    pub(crate) fn public_key(&self, usage: Usage) -> Option<&str> {
        self.get(usage).and_then(public_key)
    }

    fn iter(&self) -> impl Iterator<Item = (Usage, &KeyObject)> {
        Usage::ALL
            .into_iter()
            .filter_map(|usage| Some((usage, self.get(usage)?)))
    }
}

impl FromIterator<(Usage, KeyObject)> for UserKeys {
    fn from_iter<T: IntoIterator<Item = (Usage, KeyObject)>>(keys: T) -> Self {
        let mut collected = Self::default();
        for (usage, key) in keys {
            collected.put(usage, key);
        }
        collected
    }
}

/// The one public key of a cross-signing key.
pub(crate) fn public_key(key: &KeyObject) -> Option<&str> {
    key.object("keys")?.values().next()?.as_str()
}

/// What became of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Uploaded {
    Done,
    /// It would replace keys: the user must first prove who they are.
    NeedsProof,
}

impl UserKeys {
    /// Reads the keys of a request.
    ///
    /// Errors: `BadKeys`, `TooLarge`.
    pub(crate) fn judge(
        user: &UserId,
        keys: [(Usage, Option<&Raw<CrossSigningKey>>); 3],
    ) -> Result<Self, EncryptionError> {
        let present = keys.into_iter().filter_map(|(usage, key)| Some((usage, key?)));
        present
            .map(|(usage, key)| Ok((usage, judge_key(user, usage, key)?)))
            .collect()
    }
}

/// The key of this user for this usage, with the user's own signatures. Errors: `BadKeys`, `TooLarge`.
pub(crate) fn judge_key(
    user: &UserId,
    usage: Usage,
    key: &Raw<CrossSigningKey>,
) -> Result<KeyObject, EncryptionError> {
    let bad = |reason: &str| EncryptionError::BadKeys(format!("The {} key {reason}.", usage.as_str()));
    let mut object = KeyObject::parse(key.json(), "a cross-signing key", KEY_BYTES_MAX)?;
    if object.text("user_id") != Some(user.as_str()) {
        return Err(bad("is of another user"));
    }
    let usages = object.list("usage").unwrap_or_default();
    if !usages
        .iter()
        .any(|stated| stated.as_str() == Some(usage.as_str()))
    {
        return Err(bad("is for another usage"));
    }
    let is_one_key = object.object("keys").is_some_and(|keys| {
        let is_named_by_itself = |(id, key): (&String, &CanonicalJsonValue)| {
            key.as_str()
                .is_some_and(|key| id.strip_prefix("ed25519:") == Some(key))
        };
        keys.len() == 1 && keys.iter().all(is_named_by_itself)
    });
    if !is_one_key {
        return Err(bad("must have exactly one ed25519 key, named by itself"));
    }
    object.keep_signatures_by(user);
    Ok(object)
}

impl Encryption {
    /// Stores the cross-signing keys of a user. With `is_proven` the user has shown who they are for this.
    ///
    /// Errors: `NoMasterKey`, `BadSignature`, `KeyIdInUse`.
    pub(crate) async fn upload_cross_signing(
        &self,
        user: (UserNumber, &UserId),
        keys: UserKeys,
        is_proven: bool,
    ) -> Result<Uploaded, EncryptionError> {
        let (user, user_id) = (user.0, user.1.to_owned());
        let step = self.0.database.writer().transact(move |tx| {
            Box::pin(async move {
                let stored = store::cross_signing::find(tx, user).await?;
                let changes = changes(&stored, &keys);
                if changes.is_empty() {
                    return Ok(Uploaded::Done);
                }
                if stored.master.is_some() && !is_proven {
                    return Ok(Uploaded::NeedsProof);
                }
                check_signatures(&user_id, &stored, &keys)?;
                for (_, public_key, _) in &changes {
                    let device: &DeviceId = (*public_key).into();
                    if store::device_keys::device_exists(tx, user, device).await? {
                        return Err(EncryptionError::KeyIdInUse);
                    }
                }
                replace(tx, user, &stored, &changes).await?;
                let mut change = Change::new();
                device_list_changed(&mut change, user);
                // Other servers hear of keys apart from devices.
                let record = change.record(Record::DeviceList { user });
                store::remote_messages::keys_changed(&mut change, user, record);
                tx.apply(change).await?;
                Ok(Uploaded::Done)
            })
        });
        step.await
    }
}

/// The uploaded keys that are not the stored ones, with their public keys.
fn changes<'a>(stored: &UserKeys, uploaded: &'a UserKeys) -> Vec<(Usage, &'a str, &'a KeyObject)> {
    let changed = uploaded.iter().filter(|(usage, key)| {
        stored
            .get(*usage)
            .is_none_or(|stored| !stored.says_the_same_as(key))
    });
    changed
        .filter_map(|(usage, key)| Some((usage, public_key(key)?, key)))
        .collect()
}

/// The self-signing and user-signing keys must be signed by the master key that comes with them, or the stored one.
fn check_signatures(user: &UserId, stored: &UserKeys, uploaded: &UserKeys) -> Result<(), EncryptionError> {
    let master = uploaded
        .public_key(Usage::Master)
        .or_else(|| stored.public_key(Usage::Master))
        .ok_or(EncryptionError::NoMasterKey)?;
    for (usage, key) in uploaded.iter() {
        let signature = key.signatures_by(user).remove(&format!("ed25519:{master}"));
        let is_signed = signature.is_some_and(|signature| key.is_signed(&signature, master));
        if usage != Usage::Master && !is_signed {
            return Err(EncryptionError::BadSignature);
        }
    }
    Ok(())
}

/// Puts the new keys in the place of the old ones, whose signatures go with them.
async fn replace(
    tx: &mut Tx,
    user: UserNumber,
    stored: &UserKeys,
    changes: &[(Usage, &str, &KeyObject)],
) -> Result<(), StorageError> {
    let is_new_master = changes.iter().any(|(usage, public_key, _)| {
        *usage == Usage::Master && stored.public_key(*usage) != Some(*public_key)
    });
    for (usage, old) in stored.iter() {
        let replacement = changes.iter().find(|(changed, ..)| *changed == usage);
        // What the old master key has signed means nothing under a new one.
        let is_orphaned = is_new_master && replacement.is_none();
        if is_orphaned {
            store::cross_signing::delete(tx, user, usage).await?;
        }
        let old = public_key(old).unwrap_or_default();
        if is_orphaned || replacement.is_some_and(|(_, new, _)| *new != old) {
            store::cross_signing::forget_signatures_around(tx, user, old).await?;
        }
    }
    for (usage, public_key, key) in changes {
        store::cross_signing::put(tx, user, *usage, public_key, key).await?;
    }
    Ok(())
}
