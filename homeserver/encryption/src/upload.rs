//! What a device publishes about itself (CS API § Uploading keys).

use std::collections::{BTreeMap, HashSet};

use echorift_accounts::device_list_changed;
use echorift_storage::{Change, Tx, UserNumber};
use ruma::{
    DeviceId, OneTimeKeyId, OwnedDeviceId, OwnedOneTimeKeyId, OwnedUserId, UserId,
    encryption::{DeviceKeys, OneTimeKey},
    serde::Raw,
};
use serde::Deserialize;

use crate::{Encryption, EncryptionError, key_object::KeyObject, store};

/// Larger identity keys are refused; real ones have less than 1 KiB.
const DEVICE_KEYS_BYTES_MAX: usize = 16 * 1024;
/// Larger one-time and fallback keys are refused; real ones have some 300 bytes.
const KEY_BYTES_MAX: usize = 4 * 1024;
/// How many one-time keys a device may have: clients keep 50 to 100.
pub(crate) const ONE_TIME_KEYS_MAX: usize = 2_000;

/// What one request brings, judged.
#[derive(Debug, Default)]
pub(crate) struct KeyUpload {
    device_keys: Option<KeyObject>,
    one_time: Vec<UploadedKey>,
    fallback: Vec<UploadedKey>,
}

/// A one-time or fallback key; in requests it stands under `<algorithm>:<name>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UploadedKey {
    pub(crate) algorithm: String,
    pub(crate) name: String,
    /// Canonical.
    pub(crate) json: String,
}

impl KeyUpload {
    /// Errors: `BadKeys`, `TooLarge`.
    pub(crate) fn judge(
        (user, device): (&UserId, &DeviceId),
        device_keys: Option<&Raw<DeviceKeys>>,
        one_time: &BTreeMap<OwnedOneTimeKeyId, Raw<OneTimeKey>>,
        fallback: &BTreeMap<OwnedOneTimeKeyId, Raw<OneTimeKey>>,
    ) -> Result<Self, EncryptionError> {
        if one_time.len() > ONE_TIME_KEYS_MAX {
            return Err(TOO_MANY);
        }
        let device_keys = device_keys.map(|keys| judge_device_keys((user, device), keys));
        let upload = Self {
            device_keys: device_keys.transpose()?,
            one_time: judge_keys(one_time)?,
            fallback: judge_keys(fallback)?,
        };
        let mut algorithms = HashSet::new();
        if !upload
            .fallback
            .iter()
            .all(|key| algorithms.insert(&key.algorithm))
        {
            return Err(bad("There is one fallback key for each algorithm."));
        }
        Ok(upload)
    }

    fn is_empty(&self) -> bool {
        self.device_keys.is_none() && self.one_time.is_empty() && self.fallback.is_empty()
    }
}

const TOO_MANY: EncryptionError = EncryptionError::TooLarge {
    what: "the number of one-time keys",
    limit: ONE_TIME_KEYS_MAX,
};

fn bad(reason: impl Into<String>) -> EncryptionError {
    EncryptionError::BadKeys(reason.into())
}

/// What device keys hold at the least. Those without signatures are kept as well: it is clients who look at signatures, and
/// who trust no such device.
#[derive(Deserialize)]
#[expect(dead_code, reason = "of the rest it matters that it can be read")]
struct DeviceKeysFields {
    user_id: OwnedUserId,
    device_id: OwnedDeviceId,
    algorithms: Vec<String>,
    keys: BTreeMap<String, String>,
    #[serde(default)]
    signatures: BTreeMap<OwnedUserId, BTreeMap<String, String>>,
}

/// The keys of this device of this user, with the user's own signatures. Errors: `BadKeys`,
/// `Unreadable`, `TooLarge`.
pub(crate) fn judge_device_keys(
    (user, device): (&UserId, &DeviceId),
    keys: &Raw<DeviceKeys>,
) -> Result<KeyObject, EncryptionError> {
    let fields: DeviceKeysFields = keys
        .deserialize_as_unchecked()
        .map_err(|error| EncryptionError::Unreadable(format!("The device keys cannot be read: {error}.")))?;
    if fields.user_id != user || fields.device_id != device {
        return Err(bad("The device keys are of another user or device."));
    }
    let mut object = KeyObject::parse(keys.json(), "the device keys", DEVICE_KEYS_BYTES_MAX)?;
    object.keep_signatures_by(user);
    object.ensure_signatures();
    Ok(object)
}

fn judge_keys(
    keys: &BTreeMap<OwnedOneTimeKeyId, Raw<OneTimeKey>>,
) -> Result<Vec<UploadedKey>, EncryptionError> {
    keys.iter().map(|(id, key)| judge_one_time_key(id, key)).collect()
}

/// A one-time or fallback key. Errors: `BadKeys`, `TooLarge`.
pub(crate) fn judge_one_time_key(
    id: &OneTimeKeyId,
    key: &Raw<OneTimeKey>,
) -> Result<UploadedKey, EncryptionError> {
    let algorithm = id.algorithm().to_string();
    let json = key.json();
    // `signed_…` keys are objects with signatures; the others may be the bare key.
    let json = if json.get().starts_with('"') && !algorithm.starts_with("signed_") {
        if json.get().len() > KEY_BYTES_MAX {
            return Err(EncryptionError::TooLarge {
                what: "a key",
                limit: KEY_BYTES_MAX,
            });
        }
        json.get().to_owned()
    } else {
        let object = KeyObject::parse(json, "a key", KEY_BYTES_MAX)?;
        if object.text("key").is_none() || object.object("signatures").is_none() {
            return Err(bad(format!("The key {id} has no key, or no signatures.")));
        }
        object.to_json()
    };
    Ok(UploadedKey {
        algorithm,
        name: id.key_name().to_string(),
        json,
    })
}

impl Encryption {
    /// Stores what a device publishes.
    ///
    /// Errors: `BadKeys` for a one-time key that exists with other content, `KeyIdInUse`, `TooLarge`, `NoSuchDevice`.
    pub(crate) async fn upload_keys(
        &self,
        user: UserNumber,
        device: &DeviceId,
        upload: KeyUpload,
    ) -> Result<(), EncryptionError> {
        if upload.is_empty() {
            return Ok(());
        }
        let (encryption, device) = (self.clone(), device.to_owned());
        let step = self.0.database.writer().transact(move |tx| {
            Box::pin(async move {
                let mut change = Change::new();
                write(tx, &mut change, user, &device, upload).await?;
                change.on_commit(move |_| encryption.0.users.forget_counts(user, &device));
                Ok(tx.apply(change).await?)
            })
        });
        step.await
    }
}

/// Writes an upload as part of a step, and into `change` what others see of it.
pub(crate) async fn write(
    tx: &mut Tx,
    change: &mut Change,
    user: UserNumber,
    device: &DeviceId,
    upload: KeyUpload,
) -> Result<(), EncryptionError> {
    if !store::device_keys::device_exists(tx, user, device).await? {
        return Err(EncryptionError::NoSuchDevice);
    }
    if let Some(keys) = upload.device_keys {
        if store::cross_signing::has_public_key(tx, user, device.as_str()).await? {
            return Err(EncryptionError::KeyIdInUse);
        }
        let stored = store::device_keys::find(tx, user, device).await?;
        if stored.as_ref() != Some(&keys) {
            if !stored.is_some_and(|stored| stored.says_the_same_as(&keys)) {
                // What was signed was another key of that name.
                store::cross_signing::forget_signatures_around(tx, user, device.as_str()).await?;
            }
            store::device_keys::put(tx, user, device, &keys).await?;
            device_list_changed(change, user);
        }
    }
    if !upload.one_time.is_empty() {
        let known = store::one_time_keys::known(tx, user, device).await?;
        let mut fresh = Vec::with_capacity(upload.one_time.len());
        for key in upload.one_time {
            match known.by_id.get(&(key.algorithm.clone(), key.name.clone())) {
                None => fresh.push(key),
                // The answer to the first upload was lost.
                Some(stored) if *stored == key.json => {}
                Some(stored) => {
                    return Err(bad(format!(
                        "One time key {}:{} already exists. Old key: {stored}; new key: {}",
                        key.algorithm, key.name, key.json
                    )));
                }
            }
        }
        if known.by_id.len() + fresh.len() > ONE_TIME_KEYS_MAX {
            return Err(TOO_MANY);
        }
        store::one_time_keys::insert(tx, user, device, known.last_place, &fresh).await?;
    }
    if !upload.fallback.is_empty() {
        store::one_time_keys::put_fallback(tx, user, device, &upload.fallback).await?;
    }
    Ok(())
}
