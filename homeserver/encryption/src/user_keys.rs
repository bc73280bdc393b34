//! Everything that users have published, as others may see it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use echorift_storage::{StorageError, UserNumber};
use parking_lot::Mutex;
use quick_cache::sync::Cache;
use ruma::{OwnedDeviceId, OwnedUserId, UserId};
use serde_json::value::RawValue;

use crate::{
    Encryption, EncryptionError,
    cross_signing::{Usage, UserKeys, public_key},
    key_object::KeyObject,
    store::{self, cross_signing::StoredSignature, device_keys::StoredDeviceKeys},
};

/// Of how many users the published keys are kept in memory, some 5 KB each.
const USERS: usize = 20_000;
/// Of how many users it is kept whom they have signed.
const SIGNERS: usize = 20_000;

/// What one user has published, written out for those who ask.
#[derive(Debug, Default)]
pub(crate) struct PublishedKeys {
    pub(crate) devices: BTreeMap<OwnedDeviceId, Box<RawValue>>,
    /// With the signatures of the user's own devices, which everyone may see.
    pub(crate) master: Option<(KeyObject, Box<RawValue>)>,
    pub(crate) self_signing: Option<Box<RawValue>>,
    /// Only for the user's own eyes.
    pub(crate) user_signing: Option<Box<RawValue>>,
}

/// The signatures of one user on the master keys of others.
pub(crate) type OwnSignatures = HashMap<UserNumber, Vec<StoredSignature>>;

/// The keys that are asked for again and again.
pub(crate) struct KeyCache {
    users: Cache<UserNumber, Arc<PublishedKeys>>,
    signatures: Cache<UserNumber, Arc<OwnSignatures>>,
    /// Counts the changes that were followed: what was read before one may be out of date after it and is not kept.
    /// Held while something is kept or forgotten.
    changes: Mutex<u64>,
}

impl KeyCache {
    pub(crate) fn new() -> Self {
        Self {
            users: Cache::new(USERS),
            signatures: Cache::new(SIGNERS),
            changes: Mutex::new(0),
        }
    }

    /// Follows a change of the user's devices or keys.
    pub(crate) fn forget(&self, user: UserNumber) {
        let mut changes = self.changes.lock();
        *changes = changes.wrapping_add(1);
        self.users.remove(&user);
    }

    /// Follows a signature of the user on somebody else's key.
    pub(crate) fn forget_signatures(&self, signer: UserNumber) {
        let mut changes = self.changes.lock();
        *changes = changes.wrapping_add(1);
        self.signatures.remove(&signer);
    }

    fn changes(&self) -> u64 {
        *self.changes.lock()
    }

    /// Runs `keep` unless something has changed since `seen`.
    fn keep_if_current(&self, seen: u64, keep: impl FnOnce()) {
        let changes = self.changes.lock();
        if *changes == seen {
            keep();
        }
    }
}

impl Encryption {
    /// What these users have published; of users of other servers, as far as that is kept. A handful of queries, however
    /// many users, for those who are not in memory.
    pub(crate) async fn published_keys(
        &self,
        users: &[(UserNumber, OwnedUserId)],
    ) -> Result<HashMap<UserNumber, Arc<PublishedKeys>>, StorageError> {
        let cache = &self.0.keys;
        let mut found = HashMap::with_capacity(users.len());
        let mut missing = Vec::new();
        for (user, user_id) in users {
            match cache.users.get(user) {
                Some(keys) => drop(found.insert(*user, keys)),
                None => missing.push((*user, &**user_id)),
            }
        }
        if missing.is_empty() {
            return Ok(found);
        }
        let seen = cache.changes();
        let (local, remote): (Vec<_>, Vec<_>) = missing.into_iter().partition(|(_, id)| self.is_local(id));
        let mut loaded = HashMap::with_capacity(local.len().saturating_add(remote.len()));
        if !local.is_empty() {
            loaded.extend(self.load_keys(&local).await?);
        }
        if !remote.is_empty() {
            loaded.extend(self.load_remote_keys(&remote).await?);
        }
        cache.keep_if_current(seen, || {
            for (user, keys) in &loaded {
                cache.users.insert(*user, Arc::clone(keys));
            }
        });
        found.extend(loaded);
        Ok(found)
    }

    async fn load_keys(
        &self,
        users: &[(UserNumber, &UserId)],
    ) -> Result<HashMap<UserNumber, Arc<PublishedKeys>>, StorageError> {
        let database = &self.0.database;
        let numbers: Vec<UserNumber> = users.iter().map(|(user, _)| *user).collect();
        let mut devices: HashMap<UserNumber, Vec<StoredDeviceKeys>> = HashMap::new();
        for device in store::device_keys::of_users(database, &numbers).await? {
            devices.entry(device.user).or_default().push(device);
        }
        let mut cross_signing: HashMap<UserNumber, UserKeys> = HashMap::new();
        for (user, usage, key) in store::cross_signing::of_users(database, &numbers).await? {
            cross_signing.entry(user).or_default().put(usage, key);
        }
        let mut signatures: HashMap<UserNumber, Vec<StoredSignature>> = HashMap::new();
        for signature in store::cross_signing::own_signatures(database, &numbers).await? {
            signatures.entry(signature.user).or_default().push(signature);
        }
        let publish = |(user, user_id): &(UserNumber, &UserId)| {
            let devices = devices.remove(user).unwrap_or_default();
            let keys = cross_signing.remove(user).unwrap_or_default();
            let signatures = signatures.remove(user).unwrap_or_default();
            let published = publish(user_id, devices, keys, &signatures)?;
            Ok((*user, Arc::new(published)))
        };
        users.iter().map(publish).collect()
    }

    async fn load_remote_keys(
        &self,
        users: &[(UserNumber, &UserId)],
    ) -> Result<HashMap<UserNumber, Arc<PublishedKeys>>, StorageError> {
        let database = &self.0.database;
        let numbers: Vec<UserNumber> = users.iter().map(|(user, _)| *user).collect();
        let mut devices: HashMap<UserNumber, Vec<StoredDeviceKeys>> = HashMap::new();
        for device in store::remote_lists::devices(database, &numbers).await? {
            devices.entry(device.user).or_default().push(device);
        }
        let mut cross_signing: HashMap<UserNumber, UserKeys> = HashMap::new();
        for (user, usage, key) in store::remote_lists::keys(database, &numbers).await? {
            cross_signing.entry(user).or_default().put(usage, key);
        }
        let publish = |(user, user_id): &(UserNumber, &UserId)| {
            let devices = devices.remove(user).unwrap_or_default();
            let keys = cross_signing.remove(user).unwrap_or_default();
            Ok((*user, Arc::new(publish(user_id, devices, keys, &[])?)))
        };
        users.iter().map(publish).collect()
    }

    /// Which master keys of others the user has signed.
    pub(crate) async fn own_signatures(
        &self,
        signer: UserNumber,
    ) -> Result<Arc<OwnSignatures>, StorageError> {
        let cache = &self.0.keys;
        if let Some(known) = cache.signatures.get(&signer) {
            return Ok(known);
        }
        let seen = cache.changes();
        let mut signatures = OwnSignatures::new();
        for signature in store::cross_signing::signatures_on_others(&self.0.database, signer).await? {
            signatures.entry(signature.user).or_default().push(signature);
        }
        let signatures = Arc::new(signatures);
        cache.keep_if_current(seen, || cache.signatures.insert(signer, Arc::clone(&signatures)));
        Ok(signatures)
    }
}

/// Puts signatures and names beside the keys (CS API § Key and signature security: what everyone may see).
pub(crate) fn publish(
    user_id: &UserId,
    devices: Vec<StoredDeviceKeys>,
    mut keys: UserKeys,
    signatures: &[StoredSignature],
) -> Result<PublishedKeys, StorageError> {
    let sign = |object: &mut KeyObject, target: &str| {
        for signature in signatures.iter().filter(|signature| signature.target == target) {
            object.add_signature(user_id, &signature.signer_key, &signature.signature);
        }
    };
    let mut published = PublishedKeys::default();
    for mut device in devices {
        sign(&mut device.keys, device.device.as_str());
        if let Some(name) = device.display_name {
            device.keys.add_display_name(name);
        }
        published.devices.insert(device.device, raw(&device.keys)?);
    }
    if let Some(mut master) = keys.master.take() {
        if let Some(public) = public_key(&master).map(ToOwned::to_owned) {
            sign(&mut master, &public);
        }
        let json = raw(&master)?;
        published.master = Some((master, json));
    }
    published.self_signing = keys.get(Usage::SelfSigning).map(raw).transpose()?;
    published.user_signing = keys.get(Usage::UserSigning).map(raw).transpose()?;
    Ok(published)
}

/// The object as it is sent.
pub(crate) fn raw(object: &KeyObject) -> Result<Box<RawValue>, StorageError> {
    RawValue::from_string(object.to_json()).map_err(|error| StorageError::corrupt("device_keys.keys", error))
}

/// A device's keys without the name that this server has added, and the name.
pub(crate) fn without_unsigned(keys: &RawValue) -> Result<(Box<RawValue>, Option<String>), StorageError> {
    let corrupt = |error: EncryptionError| StorageError::corrupt("device_keys.keys", error);
    let name = KeyObject::read(keys.get(), "device_keys.keys")?.display_name();
    let object = KeyObject::parse(keys, "the device keys", usize::MAX).map_err(corrupt)?;
    Ok((raw(&object)?, name))
}
