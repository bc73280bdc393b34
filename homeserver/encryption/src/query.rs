//! Who has which devices and keys (CS API § Key management API).

use std::collections::BTreeMap;

use echorift_storage::{StorageError, UserNumber};
use ruma::{OwnedDeviceId, OwnedUserId, UserId, api::client::keys::get_keys::v3::Response, serde::Raw};
use serde_json::value::RawValue;

use crate::{
    Encryption, cross_signing::public_key, key_object::KeyObject, store::cross_signing::StoredSignature,
    user_keys::raw,
};

impl Encryption {
    /// The published keys of local users, as `reader` may see them: an empty list of devices means all. A user who does
    /// not exist is left out.
    pub(crate) async fn query_keys(
        &self,
        reader: UserNumber,
        wanted: BTreeMap<OwnedUserId, Vec<OwnedDeviceId>>,
    ) -> Result<Response, StorageError> {
        let numbers = self.local_users(wanted.keys().map(|user| &**user)).await?;
        let users = wanted
            .keys()
            .filter_map(|user| Some((*numbers.get(&**user)?, user.clone())));
        let users: Vec<(UserNumber, OwnedUserId)> = users.collect();
        let published = self.published_keys(&users).await?;
        let own_signatures = self.own_signatures(reader).await?;
        let reader_id = self.0.rooms.user_id(reader).await?;
        let mut response = Response::new();
        for (number, user) in users {
            let (Some(keys), Some(devices)) = (published.get(&number), wanted.get(&user)) else {
                continue;
            };
            let shown = keys
                .devices
                .iter()
                .filter(|(device, _)| devices.is_empty() || devices.contains(device))
                .map(|(device, keys)| (device.clone(), Raw::from_json(keys.clone())));
            response.device_keys.insert(user.clone(), shown.collect());
            if let Some((master, json)) = &keys.master {
                let own = own_signatures.get(&number).map_or(&[][..], Vec::as_slice);
                let shown = with_signatures(master, own, &reader_id)?.unwrap_or_else(|| json.clone());
                response.master_keys.insert(user.clone(), Raw::from_json(shown));
            }
            if let Some(key) = &keys.self_signing {
                response
                    .self_signing_keys
                    .insert(user.clone(), Raw::from_json(key.clone()));
            }
            if let Some(key) = keys.user_signing.as_ref().filter(|_| number == reader) {
                response
                    .user_signing_keys
                    .insert(user, Raw::from_json(key.clone()));
            }
        }
        Ok(response)
    }
}

/// A master key with the reader's own signatures on it; `None` if there are none.
fn with_signatures(
    master: &KeyObject,
    signatures: &[StoredSignature],
    reader: &UserId,
) -> Result<Option<Box<RawValue>>, StorageError> {
    let public = public_key(master).unwrap_or_default();
    let mut signed: Option<KeyObject> = None;
    for signature in signatures {
        if signature.target == public {
            signed.get_or_insert_with(|| master.clone()).add_signature(
                reader,
                &signature.signer_key,
                &signature.signature,
            );
        }
    }
    signed.as_ref().map(raw).transpose()
}
