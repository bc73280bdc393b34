//! Who has which devices and keys (CS API § Key management API).

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use echorift_storage::{StorageError, UserNumber};
use ruma::{OwnedDeviceId, OwnedUserId, UserId, api::client::keys::get_keys::v3::Response, serde::Raw};
use serde_json::value::RawValue;

use crate::{
    Encryption,
    cross_signing::public_key,
    key_object::KeyObject,
    store::cross_signing::StoredSignature,
    user_keys::{PublishedKeys, raw},
};

impl Encryption {
    /// The published keys of users, as `reader` may see them: an empty list of devices means all. A user who does not
    /// exist is left out. Users of other servers are asked for within `timeout`.
    pub(crate) async fn query_keys(
        &self,
        reader: UserNumber,
        wanted: BTreeMap<OwnedUserId, Vec<OwnedDeviceId>>,
        timeout: Duration,
    ) -> Result<Response, StorageError> {
        let mut remote = wanted.clone();
        remote.retain(|user, _| !self.is_local(user));
        let (local, remote) =
            futures_util::future::try_join(self.local_keys(&wanted), self.remote_keys(remote, timeout))
                .await?;
        let published = local.into_iter().chain(remote.published);
        let published: Vec<(OwnedUserId, Arc<PublishedKeys>)> = published.collect();
        let numbers = self
            .known_users(published.iter().map(|(user, _)| &**user))
            .await?;
        let own_signatures = self.own_signatures(reader).await?;
        let reader_id = self.0.rooms.user_id(reader).await?;
        let mut response = Response::new();
        response.failures = remote.failures;
        for (user, keys) in &published {
            let Some(devices) = wanted.get(user) else { continue };
            let number = numbers.get(&**user).copied();
            let shown = keys
                .devices
                .iter()
                .filter(|(device, _)| devices.is_empty() || devices.contains(device))
                .map(|(device, keys)| (device.clone(), Raw::from_json(keys.clone())));
            response.device_keys.insert(user.clone(), shown.collect());
            if let Some((master, json)) = &keys.master {
                let own = number
                    .and_then(|number| own_signatures.get(&number))
                    .map_or(&[][..], Vec::as_slice);
                let shown = with_signatures(master, own, &reader_id)?.unwrap_or_else(|| json.clone());
                response.master_keys.insert(user.clone(), Raw::from_json(shown));
            }
            if let Some(key) = &keys.self_signing {
                response
                    .self_signing_keys
                    .insert(user.clone(), Raw::from_json(key.clone()));
            }
            if let Some(key) = keys.user_signing.as_ref().filter(|_| number == Some(reader)) {
                response
                    .user_signing_keys
                    .insert(user.clone(), Raw::from_json(key.clone()));
            }
        }
        Ok(response)
    }

    /// The published keys of those of these users who are of this server and exist, also of devices that are not wanted.
    pub(crate) async fn local_keys(
        &self,
        wanted: &BTreeMap<OwnedUserId, Vec<OwnedDeviceId>>,
    ) -> Result<Vec<(OwnedUserId, Arc<PublishedKeys>)>, StorageError> {
        let numbers = self.local_users(wanted.keys().map(|user| &**user)).await?;
        let users = numbers.iter().map(|(user, number)| (*number, (*user).to_owned()));
        let users: Vec<(UserNumber, OwnedUserId)> = users.collect();
        let mut published = self.published_keys(&users).await?;
        let keys = users
            .into_iter()
            .filter_map(|(number, user)| Some((user, published.remove(&number)?)));
        let mut keys: Vec<(OwnedUserId, Arc<PublishedKeys>)> = keys.collect();
        self.overlay_services(wanted, &mut keys).await;
        Ok(keys)
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
