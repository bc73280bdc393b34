//! Signatures that are uploaded apart from what they sign (CS API § Key and signature security).

use std::collections::BTreeMap;

use echorift_accounts::device_list_changed;
use echorift_storage::{Change, Record, Tx, UserNumber};
use ruma::{OwnedUserId, UserId};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    Encryption, EncryptionError,
    cross_signing::{Usage, public_key},
    key_object::KeyObject,
    store::{self, cross_signing::StoredSignature},
};

/// Larger signed objects are refused.
const OBJECT_BYTES_MAX: usize = 16 * 1024;
/// How many objects one request signs: as many devices as a person has, or people that they have met.
const OBJECTS_MAX: usize = 1_000;

/// The objects of a request: by user, and by the ID of the key that is signed.
pub(crate) type SignedObjects = BTreeMap<OwnedUserId, BTreeMap<String, Box<RawValue>>>;

/// Why one object was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Failure {
    errcode: &'static str,
    error: &'static str,
}

/// The objects that were not taken, by user and key ID.
pub(crate) type Failures = BTreeMap<OwnedUserId, BTreeMap<String, Failure>>;

const UNKNOWN_KEY: Failure = Failure {
    errcode: "M_NOT_FOUND",
    error: "There is no such key.",
};
const CHANGED: Failure = Failure {
    errcode: "M_INVALID_PARAM",
    error: "What is signed is not the key that this server has.",
};
const BAD_SIGNATURE: Failure = Failure {
    errcode: "M_INVALID_SIGNATURE",
    error: "A signature is wrong, or not by a key that may sign this.",
};
const UNREADABLE: Failure = Failure {
    errcode: "M_INVALID_PARAM",
    error: "This is no signed object.",
};

/// Which keys may sign an object.
struct Signers(BTreeMap<String, String>);

impl Encryption {
    /// Adds a user's signatures to their own devices (by their self-signing key), to their own master key (by their
    /// devices) and to the master keys of others (by their user-signing key).
    ///
    /// Errors: `TooLarge`. What is wrong with one object is told apart from the others.
    pub(crate) async fn upload_signatures(
        &self,
        signer: (UserNumber, &UserId),
        objects: SignedObjects,
    ) -> Result<Failures, EncryptionError> {
        if objects.values().map(BTreeMap::len).sum::<usize>() > OBJECTS_MAX {
            return Err(EncryptionError::TooLarge {
                what: "the number of signed objects",
                limit: OBJECTS_MAX,
            });
        }
        let numbers = self.known_users(objects.keys().map(|user| &**user)).await?;
        let numbers: BTreeMap<OwnedUserId, UserNumber> = numbers
            .into_iter()
            .map(|(user, number)| (user.to_owned(), number))
            .collect();
        let signer = (signer.0, signer.1.to_owned());
        let step = self.0.database.writer().transact(move |tx| {
            Box::pin(async move {
                let mut failures = Failures::new();
                let mut signatures = Vec::new();
                for (user, objects) in objects {
                    let number = numbers.get(&user).copied();
                    let judge =
                        Judge::load(tx, (signer.0, &signer.1), (number, &user), objects.keys()).await?;
                    for (key_id, object) in objects {
                        match judge.judge(&key_id, &object) {
                            Ok(found) => signatures.extend(found),
                            Err(failure) => {
                                failures.entry(user.clone()).or_default().insert(key_id, failure);
                            }
                        }
                    }
                }
                write(tx, signer.0, &signatures).await?;
                Ok(failures)
            })
        });
        step.await
    }
}

async fn write(
    tx: &mut Tx,
    signer: UserNumber,
    signatures: &[StoredSignature],
) -> Result<(), EncryptionError> {
    let fresh = store::cross_signing::without_known(tx, signer, signatures).await?;
    if fresh.is_empty() {
        return Ok(());
    }
    let mut change = Change::new();
    let is_own = |signature: &StoredSignature| signature.user == signer;
    let on_own = fresh
        .iter()
        .any(is_own)
        .then(|| device_list_changed(&mut change, signer));
    let on_others = fresh.iter().any(|signature| !is_own(signature));
    let on_others = on_others.then(|| change.record(Record::KeySignature { user: signer }));
    for signature in &fresh {
        if let Some(record) = if is_own(signature) { on_own } else { on_others } {
            store::cross_signing::put_signature(&mut change, signature, record);
        }
    }
    Ok(tx.apply(change).await?)
}

/// What the objects of one user are compared with.
struct Judge<'a> {
    signer: (UserNumber, &'a UserId),
    user: Option<UserNumber>,
    /// The keys that can be signed, by device ID and public key, with those who may sign them.
    targets: BTreeMap<String, (KeyObject, Signers)>,
}

impl<'a> Judge<'a> {
    async fn load(
        tx: &mut Tx,
        signer: (UserNumber, &'a UserId),
        (user, user_id): (Option<UserNumber>, &UserId),
        key_ids: impl Iterator<Item = &String>,
    ) -> Result<Self, EncryptionError> {
        let mut targets = BTreeMap::new();
        let Some(number) = user else {
            return Ok(Self {
                signer,
                user,
                targets,
            });
        };
        let is_local = user_id.server_name() == signer.1.server_name();
        let keys = if is_local {
            store::cross_signing::find(tx, number).await?
        } else {
            store::remote_lists::keys_of(tx, number).await?
        };
        let own_keys = store::cross_signing::find(tx, signer.0).await?;
        let by = |usage: Usage| {
            let public = own_keys.public_key(usage);
            Signers(
                public
                    .map(|public| (format!("ed25519:{public}"), public.to_owned()))
                    .into_iter()
                    .collect(),
            )
        };
        if number != signer.0 {
            if let Some(master) = keys.master
                && let Some(public) = public_key(&master).map(ToOwned::to_owned)
            {
                targets.insert(public, (master, by(Usage::UserSigning)));
            }
            return Ok(Self {
                signer,
                user,
                targets,
            });
        }
        let named: Vec<&str> = key_ids.map(String::as_str).collect();
        let devices = store::device_keys::of_user(tx, number).await?;
        let mut by_devices = BTreeMap::new();
        for (device, device_keys) in devices {
            let key_id = format!("ed25519:{device}");
            if let Some(public) = device_keys.public_key(&key_id) {
                by_devices.insert(key_id, public.to_owned());
            }
            if named.contains(&device.as_str()) {
                targets.insert(device.to_string(), (device_keys, by(Usage::SelfSigning)));
            }
        }
        if let Some(master) = keys.master
            && let Some(public) = public_key(&master).map(ToOwned::to_owned)
        {
            targets.insert(public, (master, Signers(by_devices)));
        }
        Ok(Self {
            signer,
            user,
            targets,
        })
    }

    /// The signatures of one object that are new to the key.
    fn judge(&self, key_id: &str, object: &RawValue) -> Result<Vec<StoredSignature>, Failure> {
        let object = KeyObject::parse(object, "a signed object", OBJECT_BYTES_MAX).map_err(|_| UNREADABLE)?;
        let (user, (target, signers)) = self.user.zip(self.targets.get(key_id)).ok_or(UNKNOWN_KEY)?;
        if !object.says_the_same_as(target) {
            return Err(CHANGED);
        }
        let known = target.signatures_by(self.signer.1);
        let mut found = Vec::new();
        for (signer_key, signature) in object.signatures_by(self.signer.1) {
            // Clients send the whole object, with what the key was uploaded with.
            if known.get(&signer_key) == Some(&signature) {
                continue;
            }
            let public = signers.0.get(&signer_key).ok_or(BAD_SIGNATURE)?;
            if !object.is_signed(&signature, public) {
                return Err(BAD_SIGNATURE);
            }
            found.push(StoredSignature {
                user,
                target: key_id.to_owned(),
                signer: self.signer.0,
                signer_key,
                signature,
            });
        }
        Ok(found)
    }
}
