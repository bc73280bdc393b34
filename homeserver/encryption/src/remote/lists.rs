//! The lists of devices of users of other servers: fetched once, then followed (SS API § Device Management).

use std::{collections::BTreeMap, sync::Arc};

use echorift_accounts::device_list_changed;
use echorift_storage::{Change, Position, StorageError, Tx, UserNumber};
use ruma::{OwnedUserId, UserId};

use super::{Flight, RemoteFailure, answers::RemoteUser};
use crate::{
    Encryption,
    cross_signing::{Usage, public_key},
    key_object::KeyObject,
    store::{self, device_keys::StoredDeviceKeys, remote_lists::StoredList},
    user_keys::{PublishedKeys, publish},
};

impl Encryption {
    /// Fetches the devices of a user who shares a room with a local user, and keeps them. Who asks while the answer is
    /// under way waits for the same one.
    pub(super) async fn fetch_list(
        &self,
        user: UserNumber,
        user_id: &UserId,
    ) -> Result<Arc<PublishedKeys>, RemoteFailure> {
        let flight: Arc<Flight> = self.0.remote.flight(user);
        let fetched = flight.get_or_init(|| async {
            let fetched = self.fetch_list_now(user, user_id).await;
            self.0.remote.landed(user, &flight);
            fetched
        });
        fetched.await.clone()
    }

    async fn fetch_list_now(
        &self,
        user: UserNumber,
        user_id: &UserId,
    ) -> Result<Arc<PublishedKeys>, RemoteFailure> {
        let peers = self.0.remote.keys()?;
        let server = user_id.server_name().to_owned();
        // Before the question: what is heard of later makes the answer out of date.
        let asked_at = self.now();
        let begun =
            self.0.database.writer().transact(move |tx| {
                Box::pin(async move { store::remote_lists::begin(tx, user, &server).await })
            });
        let begun = begun.await.map_err(internal)?;
        let answer = peers.devices(user_id).await?;
        let Some(judged) = RemoteUser::of_list((user, user_id), &answer) else {
            return Err(RemoteFailure {
                errcode: "M_BAD_JSON".to_owned(),
                error: "The server told of the devices of somebody else.".to_owned(),
            });
        };
        let stream_id = i64::from(answer.stream_id);
        let published = publish_judged(user_id, &judged).map_err(internal)?;
        self.keep_list(user, begun.change_count, (stream_id, asked_at), judged)
            .await
            .map_err(internal)?;
        metrics::counter!("echorift_encryption_remote_lists_fetched_total").increment(1);
        Ok(published)
    }

    /// Puts a fetched list in the place of what was kept. Local users hear of it if it says something new.
    pub(super) async fn keep_list(
        &self,
        user: UserNumber,
        asked_after: i64,
        (stream_id, position): (i64, Position),
        judged: RemoteUser,
    ) -> Result<(), StorageError> {
        // In memory from now on: those who wait for news of the user are found there.
        self.0.rooms.rooms_of(user).await?;
        let encryption = self.clone();
        let step = self.0.database.writer().transact(move |tx| {
            Box::pin(async move {
                let Some(known) = store::remote_lists::find(tx, user).await? else {
                    // Forgotten meanwhile: no room is shared any more.
                    return Ok(());
                };
                let is_changed = replace(tx, user, &judged).await?;
                let now_known = StoredList {
                    stream_id: Some(stream_id),
                    position,
                    change_count: known.change_count,
                    is_stale: known.change_count != asked_after,
                };
                store::remote_lists::put(tx, user, &now_known).await?;
                let mut change = Change::new();
                // Whoever asked for the first time gets the answer; nobody else has heard anything else.
                if is_changed && known.stream_id.is_some() {
                    device_list_changed(&mut change, user);
                }
                change.on_commit(move |_| encryption.0.keys.forget(user));
                tx.apply(change).await
            })
        });
        step.await
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
fn internal(error: StorageError) -> RemoteFailure {
    tracing::error!(%error, "the devices of a user of another server could not be kept");
    RemoteFailure {
        errcode: "M_UNKNOWN".to_owned(),
        error: "The devices could not be stored.".to_owned(),
    }
}

/// Writes down what a server said of a user; whether that differs from what was there.
async fn replace(tx: &mut Tx, user: UserNumber, judged: &RemoteUser) -> Result<bool, StorageError> {
    let stored: BTreeMap<_, _> = by_id(store::remote_lists::devices_of(tx, user).await?);
    let mut is_changed = false;
    if stored != by_id(judged.devices.clone()) {
        store::remote_lists::delete_devices(tx, user).await?;
        store::remote_lists::put_devices(tx, user, &judged.devices).await?;
        is_changed = true;
    }
    let keys = store::remote_lists::keys_of(tx, user).await?;
    for usage in [Usage::Master, Usage::SelfSigning] {
        is_changed |= replace_key(tx, user, usage, keys.get(usage), judged.keys.get(usage)).await?;
    }
    Ok(is_changed)
}

/// Puts a cross-signing key in the place of another one; whether they differ.
pub(super) async fn replace_key(
    tx: &mut Tx,
    user: UserNumber,
    usage: Usage,
    old: Option<&KeyObject>,
    new: Option<&KeyObject>,
) -> Result<bool, StorageError> {
    if old == new {
        return Ok(false);
    }
    let old_public = old.and_then(public_key);
    if let Some(old_public) = old_public.filter(|old| new.and_then(public_key) != Some(old)) {
        // What local users have signed was another key.
        store::cross_signing::forget_signatures_around(tx, user, old_public).await?;
    }
    store::remote_lists::put_key(tx, user, usage, new).await?;
    Ok(true)
}

fn by_id(devices: Vec<StoredDeviceKeys>) -> BTreeMap<String, StoredDeviceKeys> {
    let named = devices
        .into_iter()
        .map(|device| (device.device.to_string(), device));
    named.collect()
}

/// What was said of a user, as clients are told.
pub(super) fn publish_judged(
    user_id: &UserId,
    judged: &RemoteUser,
) -> Result<Arc<PublishedKeys>, StorageError> {
    let published = publish(user_id, judged.devices.clone(), judged.keys.clone(), &[])?;
    Ok(Arc::new(published))
}

/// A user of another server, with what is to be known of them.
#[derive(Debug, Clone)]
pub(super) struct RemoteUserId {
    pub(super) number: UserNumber,
    pub(super) id: OwnedUserId,
}
