//! What other servers may see of local users' devices and keys (SS API § Device Management, § End-to-End Encryption): what
//! everyone may, without user-signing keys and without signatures by others.

use std::collections::BTreeMap;

use echorift_accounts::AccountError;
use echorift_storage::StorageError;
use ruma::{
    OwnedDeviceId, OwnedUserId, UInt, UserId,
    api::federation::{
        device::get_devices::{self, v1::UserDevice},
        keys::get_keys,
    },
    serde::Raw,
};
use serde_json::value::RawValue;

use crate::{Encryption, store, user_keys::without_unsigned};

impl Encryption {
    /// The keys of those of these users who are of this server; an empty list of devices means all of them. Devices are
    /// named only with `with_names`.
    pub async fn keys_for_servers(
        &self,
        wanted: &BTreeMap<OwnedUserId, Vec<OwnedDeviceId>>,
        with_names: bool,
    ) -> Result<get_keys::v1::Response, StorageError> {
        let mut response = get_keys::v1::Response::default();
        for (user, keys) in self.local_keys(wanted).await? {
            let Some(devices) = wanted.get(&user) else {
                continue;
            };
            let is_wanted = |device: &OwnedDeviceId| devices.is_empty() || devices.contains(device);
            let mut shown = BTreeMap::new();
            for (device, keys) in keys.devices.iter().filter(|(device, _)| is_wanted(device)) {
                let keys = if with_names {
                    keys.clone()
                } else {
                    without_unsigned(keys)?.0
                };
                shown.insert(device.clone(), Raw::from_json(keys));
            }
            if let Some((_, master)) = &keys.master {
                response
                    .master_keys
                    .insert(user.clone(), Raw::from_json(master.clone()));
            }
            if let Some(key) = &keys.self_signing {
                response
                    .self_signing_keys
                    .insert(user.clone(), Raw::from_json(key.clone()));
            }
            response.device_keys.insert(user, shown);
        }
        Ok(response)
    }

    /// The devices of a local user; `None` if there is no such user, or no more.
    pub async fn devices_for_servers(
        &self,
        user_id: &UserId,
        with_names: bool,
    ) -> Result<Option<get_devices::v1::Response>, AccountError> {
        if !self.accounts().user_exists(user_id).await? {
            return Ok(None);
        }
        let user = self.0.rooms.user_number(user_id).await?;
        // Before the keys: a change in between is told once more, and not missed.
        let version = store::remote_messages::list_version(&self.0.database, user).await?;
        let wanted = BTreeMap::from([(user_id.to_owned(), Vec::new())]);
        let published = self.local_keys(&wanted).await?;
        let stream_id = UInt::new_saturating(u64::try_from(version.0).unwrap_or(0));
        let mut response = get_devices::v1::Response::new(user_id.to_owned(), stream_id);
        let Some((_, keys)) = published.first() else {
            return Ok(Some(response));
        };
        for (device_id, keys) in &keys.devices {
            let (keys, name) = without_unsigned(keys)?;
            let mut device = UserDevice::new(device_id.clone(), Raw::from_json(keys));
            device.device_display_name = name.filter(|_| with_names);
            response.devices.push(device);
        }
        let raw = |json: &RawValue| Raw::from_json(json.to_owned());
        response.master_key = keys.master.as_ref().map(|(_, json)| raw(json));
        response.self_signing_key = keys.self_signing.as_deref().map(raw);
        Ok(Some(response))
    }
}
