//! What other servers say of changes of their users' devices and keys (SS API § Device Management, § End-to-End
//! Encryption).

use std::collections::BTreeSet;

use echorift_accounts::device_list_changed;
use echorift_storage::{Change, StorageError, Tx, UserNumber};
use ruma::{
    OwnedDeviceId, UserId,
    encryption::{CrossSigningKey, DeviceKeys},
    serde::Raw,
};

use super::{
    answers::{DEVICE_ID_BYTES_MAX, DEVICES_MAX, cut_name, judge_device},
    lists::replace_key,
};
use crate::{
    Encryption,
    cross_signing::{Usage, UserKeys, judge_key},
    key_object::KeyObject,
    store::{self, device_keys::StoredDeviceKeys, remote_lists::StoredList},
};

/// How many earlier versions an update may refer to; there should only ever be one.
const PREVIOUS_MAX: usize = 20;

/// The content of an `m.device_list_update`.
#[derive(Debug, Clone)]
pub struct DeviceUpdate {
    pub device_id: OwnedDeviceId,
    pub display_name: Option<String>,
    pub stream_id: i64,
    pub prev_id: Vec<i64>,
    pub is_deleted: bool,
    pub keys: Option<Raw<DeviceKeys>>,
}

/// The content of an `m.signing_key_update`.
#[derive(Debug, Clone, Default)]
pub struct KeyUpdate {
    pub master: Option<Raw<CrossSigningKey>>,
    pub self_signing: Option<Raw<CrossSigningKey>>,
}

/// What is to be done about an update of a list.
#[derive(Debug, PartialEq, Eq)]
enum Decision {
    /// It is part of what is kept already.
    Known,
    /// It follows from what is kept.
    Apply,
    /// Something before it was missed, or it does not say what it follows.
    Fetch,
}

/// What is to become of one device.
enum DeviceChange {
    Put(Box<StoredDeviceKeys>),
    Delete(OwnedDeviceId),
    /// The update cannot be understood.
    Unclear,
}

impl Encryption {
    /// Follows a change of a remote user's devices: durable before this returns. Nothing is kept of users who share no
    /// room with a local user. The caller has checked that the update is by the user's own server.
    pub async fn receive_device_update(
        &self,
        user_id: &UserId,
        update: DeviceUpdate,
    ) -> Result<(), StorageError> {
        let Some(user) = self.sharing_user(user_id).await? else {
            return Ok(());
        };
        let device = judge_update((user, user_id), &update);
        let step = self.0.database.writer().transact(move |tx| {
            Box::pin(async move {
                let Some(known) = store::remote_lists::find(tx, user).await? else {
                    return tell(tx, user).await.map(|()| false);
                };
                let mut decision = decide(&known, &update);
                if decision == Decision::Apply && !can_apply(tx, user, &device).await? {
                    decision = Decision::Fetch;
                }
                let mut known = known;
                match decision {
                    Decision::Known => return Ok(false),
                    Decision::Fetch => known.is_stale = true,
                    Decision::Apply => {
                        apply(tx, user, device).await?;
                        known.stream_id = Some(update.stream_id);
                    }
                }
                known.change_count = known.change_count.saturating_add(1);
                store::remote_lists::put(tx, user, &known).await?;
                if decision == Decision::Apply {
                    tell(tx, user).await?;
                }
                Ok(known.is_stale)
            })
        });
        if step.await? {
            self.0.remote.stale.notify_one();
        }
        Ok(())
    }

    /// Follows a change of a remote user's cross-signing keys, likewise. Keys that are not well-formed change nothing.
    pub async fn receive_key_update(&self, user_id: &UserId, update: KeyUpdate) -> Result<(), StorageError> {
        let Some(user) = self.sharing_user(user_id).await? else {
            return Ok(());
        };
        let keys = [
            (Usage::Master, update.master),
            (Usage::SelfSigning, update.self_signing),
        ];
        let keys: UserKeys = keys
            .into_iter()
            .filter_map(|(usage, key)| Some((usage, judge_key(user_id, usage, &key?).ok()?)))
            .collect();
        if keys == UserKeys::default() {
            return Ok(());
        }
        let step = self.0.database.writer().transact(move |tx| {
            Box::pin(async move {
                let Some(mut known) = store::remote_lists::find(tx, user).await? else {
                    return tell(tx, user).await;
                };
                let stored = store::remote_lists::keys_of(tx, user).await?;
                let mut is_changed = false;
                for usage in [Usage::Master, Usage::SelfSigning] {
                    // An update names only the keys that changed.
                    if let Some(key) = keys.get(usage) {
                        is_changed |= replace_key(tx, user, usage, stored.get(usage), Some(key)).await?;
                    }
                }
                if !is_changed {
                    return Ok(());
                }
                // An answer that is under way may be from before the change.
                known.change_count = known.change_count.saturating_add(1);
                store::remote_lists::put(tx, user, &known).await?;
                tell(tx, user).await
            })
        });
        step.await
    }

    /// The number of a remote user who shares a room with a local user.
    async fn sharing_user(&self, user_id: &UserId) -> Result<Option<UserNumber>, StorageError> {
        let rooms = &self.0.rooms;
        let Some(user) = rooms.users().find(user_id.as_str()).await?.map(UserNumber) else {
            return Ok(None);
        };
        if !rooms.shared_since(&[user]).await?.contains_key(&user) {
            return Ok(None);
        }
        // In memory from now on: those who wait for news of the user are found there.
        rooms.rooms_of(user).await?;
        Ok(Some(user))
    }
}

/// Lets local users who share a room with the user know of a change.
async fn tell(tx: &mut Tx, user: UserNumber) -> Result<(), StorageError> {
    let mut change = Change::new();
    device_list_changed(&mut change, user);
    tx.apply(change).await
}

/// Whether an update can be applied to a list. It must name what it follows, and nothing but what is known.
fn decide(known: &StoredList, update: &DeviceUpdate) -> Decision {
    let Some(stream_id) = known.stream_id.filter(|_| !known.is_stale) else {
        return Decision::Fetch;
    };
    if stream_id == update.stream_id {
        return Decision::Known;
    }
    let previous: BTreeSet<i64> = update.prev_id.iter().copied().collect();
    let follows = previous.len() <= PREVIOUS_MAX && previous.into_iter().eq([stream_id]);
    if follows { Decision::Apply } else { Decision::Fetch }
}

fn judge_update((user, user_id): (UserNumber, &UserId), update: &DeviceUpdate) -> DeviceChange {
    let device = &update.device_id;
    if device.as_str().is_empty() || device.as_str().len() > DEVICE_ID_BYTES_MAX {
        return DeviceChange::Unclear;
    }
    if update.is_deleted {
        return DeviceChange::Delete(device.clone());
    }
    let judged = |keys: &Raw<DeviceKeys>| -> Option<KeyObject> { judge_device((user_id, device), keys) };
    match update.keys.as_ref().map(judged) {
        Some(Some(keys)) => DeviceChange::Put(Box::new(StoredDeviceKeys {
            user,
            device: device.clone(),
            keys,
            display_name: update.display_name.clone().map(cut_name),
        })),
        // A device that has published no keys is of no interest.
        None => DeviceChange::Delete(device.clone()),
        Some(None) => DeviceChange::Unclear,
    }
}

/// Whether the change is understood, and does not give the user more devices than anybody may have.
async fn can_apply(tx: &mut Tx, user: UserNumber, device: &DeviceChange) -> Result<bool, StorageError> {
    Ok(match device {
        DeviceChange::Put(_) => store::remote_lists::device_count(tx, user).await? < DEVICES_MAX,
        DeviceChange::Delete(_) => true,
        DeviceChange::Unclear => false,
    })
}

async fn apply(tx: &mut Tx, user: UserNumber, device: DeviceChange) -> Result<(), StorageError> {
    match device {
        DeviceChange::Put(device) => store::remote_lists::put_devices(tx, user, &[*device]).await,
        DeviceChange::Delete(device) => store::remote_lists::delete_device(tx, user, device.as_str()).await,
        DeviceChange::Unclear => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use echorift_storage::Position;

    use super::*;

    fn update(stream_id: i64, prev_id: &[i64]) -> DeviceUpdate {
        DeviceUpdate {
            device_id: "DEVICE".into(),
            display_name: None,
            stream_id,
            prev_id: prev_id.to_vec(),
            is_deleted: false,
            keys: None,
        }
    }

    #[test]
    fn only_what_follows_from_the_known_version_is_applied() {
        let known = StoredList {
            stream_id: Some(5),
            position: Position(1),
            change_count: 0,
            is_stale: false,
        };
        for (stream_id, prev_id, expected) in [
            (6, &[5][..], Decision::Apply),
            (6, &[5, 5], Decision::Apply),
            (6, &[], Decision::Fetch),
            (6, &[4], Decision::Fetch),
            (6, &[4, 5], Decision::Fetch),
            (8, &[7], Decision::Fetch),
            (5, &[], Decision::Known),
            (5, &[4], Decision::Known),
        ] {
            assert_eq!(
                decide(&known, &update(stream_id, prev_id)),
                expected,
                "{stream_id} {prev_id:?}"
            );
        }
        let stale = StoredList {
            is_stale: true,
            ..known.clone()
        };
        assert_eq!(decide(&stale, &update(6, &[5])), Decision::Fetch);
        let never = StoredList {
            stream_id: None,
            ..known
        };
        assert_eq!(decide(&never, &update(6, &[5])), Decision::Fetch);
    }
}
