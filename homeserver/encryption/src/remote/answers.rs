//! What other servers say of their users' devices, judged: nothing of it is to be believed before.

use std::collections::BTreeMap;

use echorift_storage::UserNumber;
use ruma::{
    DeviceId, OwnedDeviceId, OwnedUserId, UserId,
    api::federation::{
        device::get_devices,
        keys::{
            claim_keys::v1::{OneTimeKeyClaims, OneTimeKeys},
            get_keys,
        },
    },
    encryption::{CrossSigningKey, DeviceKeys},
    serde::Raw,
};

use crate::{
    cross_signing::{Usage, UserKeys, judge_key},
    key_object::KeyObject,
    store::device_keys::StoredDeviceKeys,
    upload::{judge_device_keys, judge_one_time_key},
};

/// How many devices of one user are taken; nobody has so many.
pub(super) const DEVICES_MAX: usize = 500;
/// How many bytes of one user's devices are taken.
const DEVICES_BYTES_MAX: usize = 1024 * 1024;
/// Longer IDs of devices are refused, as those of local devices are.
pub(super) const DEVICE_ID_BYTES_MAX: usize = 255;
/// Longer names of devices are cut.
const DISPLAY_NAME_CHARS_MAX: usize = 100;

/// What a server said of one user.
#[derive(Debug, Default, PartialEq)]
pub(super) struct RemoteUser {
    /// By ID.
    pub(super) devices: Vec<StoredDeviceKeys>,
    pub(super) keys: UserKeys,
}

impl RemoteUser {
    /// Takes what is well-formed of a list of devices.
    fn judge(
        (user, user_id): (UserNumber, &UserId),
        devices: impl Iterator<Item = (OwnedDeviceId, Raw<DeviceKeys>, Option<String>)>,
        master: Option<&Raw<CrossSigningKey>>,
        self_signing: Option<&Raw<CrossSigningKey>>,
    ) -> Self {
        let mut judged = BTreeMap::new();
        let mut bytes = 0_usize;
        for (device, keys, display_name) in devices {
            bytes = bytes.saturating_add(keys.json().get().len());
            if judged.len() >= DEVICES_MAX || bytes > DEVICES_BYTES_MAX {
                tracing::info!(%user_id, "a user of another server has too many devices: the rest is left out");
                break;
            }
            let Some(keys) = judge_device((user_id, &device), &keys) else {
                continue;
            };
            let display_name = display_name.map(cut_name);
            judged.insert(
                device.clone(),
                StoredDeviceKeys {
                    user,
                    device,
                    keys,
                    display_name,
                },
            );
        }
        let keys = [(Usage::Master, master), (Usage::SelfSigning, self_signing)];
        let keys = keys
            .into_iter()
            .filter_map(|(usage, key)| Some((usage, judge_key(user_id, usage, key?).ok()?)));
        Self {
            devices: judged.into_values().collect(),
            keys: keys.collect(),
        }
    }

    /// The answer to `GET /user/devices`. `None` if it is about another user.
    pub(super) fn of_list(user: (UserNumber, &UserId), answer: &get_devices::v1::Response) -> Option<Self> {
        if answer.user_id != user.1 {
            return None;
        }
        let devices = answer.devices.iter().map(|device| {
            (
                device.device_id.clone(),
                device.keys.clone(),
                device.device_display_name.clone(),
            )
        });
        let (master, self_signing) = (answer.master_key.as_ref(), answer.self_signing_key.as_ref());
        Some(Self::judge(user, devices, master, self_signing))
    }

    /// The part of an answer to `POST /user/keys/query` that is about one of the users who were asked for.
    pub(super) fn of_query(user: (UserNumber, &UserId), answer: &get_keys::v1::Response) -> Option<Self> {
        let devices = answer.device_keys.get(user.1);
        let (master, self_signing) = (
            answer.master_keys.get(user.1),
            answer.self_signing_keys.get(user.1),
        );
        if devices.is_none() && master.is_none() && self_signing.is_none() {
            return None;
        }
        let devices = devices.into_iter().flatten().map(|(device, keys)| {
            let name = display_name_in(keys);
            (device.clone(), keys.clone(), name)
        });
        Some(Self::judge(user, devices, master, self_signing))
    }
}

/// A device's keys as another server, or a service, tells them; `None` for what is not the keys of that device.
pub(super) fn judge_device(
    (user, device): (&UserId, &DeviceId),
    keys: &Raw<DeviceKeys>,
) -> Option<KeyObject> {
    if device.as_str().is_empty() || device.as_str().len() > DEVICE_ID_BYTES_MAX {
        return None;
    }
    match judge_device_keys((user, device), keys) {
        Ok(keys) => Some(keys),
        Err(error) => {
            tracing::debug!(%user, %device, %error, "the keys of a device are left out");
            None
        }
    }
}

/// A name that people are shown.
pub(super) fn cut_name(name: String) -> String {
    match name.char_indices().nth(DISPLAY_NAME_CHARS_MAX) {
        Some((end, _)) => name.get(..end).unwrap_or_default().to_owned(),
        None => name,
    }
}

fn display_name_in(keys: &Raw<DeviceKeys>) -> Option<String> {
    let keys = keys.deserialize().ok()?;
    keys.unsigned.device_display_name
}

/// Takes those keys of an answer that were asked for, one for each device.
pub(crate) fn judge_claimed(wanted: &OneTimeKeyClaims, answer: OneTimeKeys) -> OneTimeKeys {
    let mut judged = OneTimeKeys::new();
    for (user, devices) in answer {
        for (device, keys) in devices {
            let algorithm = wanted.get(&user).and_then(|devices| devices.get(&device));
            let Some(algorithm) = algorithm else { continue };
            let fitting = keys
                .into_iter()
                .find(|(id, key)| id.algorithm() == *algorithm && judge_one_time_key(id, key).is_ok());
            if let Some((id, key)) = fitting {
                let of_user: &mut BTreeMap<_, _> = judged.entry(OwnedUserId::clone(&user)).or_default();
                of_user.entry(device).or_default().insert(id, key);
            }
        }
    }
    judged
}
