//! Keys that application services keep themselves, instead of uploading them for each of their users (MSC3983, MSC3984).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use echorift_web::BoxFuture;
use ruma::{
    OwnedDeviceId, OwnedUserId, UserId,
    api::federation::keys::{
        claim_keys::v1::{OneTimeKeyClaims, OneTimeKeys},
        get_keys,
    },
};

use crate::{
    Encryption,
    remote::{judge_claimed, judge_queried},
    user_keys::PublishedKeys,
};

/// The registered services, as far as they know of their users' devices; `appservices` implements it. Every method is
/// bounded in time, and who does not answer has nothing to say; nothing in an answer has been checked.
pub trait ServiceKeys: Send + Sync {
    /// Whether the user belongs to one service alone, which may be asked for one-time keys now.
    fn may_claim(&self, user: &UserId) -> bool;

    /// One-time keys of devices of these users (MSC3983).
    fn claim<'a>(&'a self, wanted: &'a OneTimeKeyClaims) -> BoxFuture<'a, OneTimeKeys>;

    /// The keys of those of these users who belong to one service alone (MSC3984); an empty list of devices means all.
    fn query<'a>(
        &'a self,
        wanted: &'a BTreeMap<OwnedUserId, Vec<OwnedDeviceId>>,
    ) -> BoxFuture<'a, get_keys::v1::Response>;
}

impl Encryption {
    /// Names the registered services; only the first call counts.
    pub fn serve_applications(&self, services: Arc<dyn ServiceKeys>) {
        let _ = self.0.services.set(services);
    }

    /// Those of these users whose one-time keys a service may have.
    pub(crate) fn claimable<'a>(&self, users: impl Iterator<Item = &'a UserId>) -> BTreeSet<&'a UserId> {
        match self.0.services.get() {
            Some(services) => users.filter(|user| services.may_claim(user)).collect(),
            None => BTreeSet::new(),
        }
    }

    /// What services give out of what is wanted, one key for each device at most.
    pub(crate) async fn claim_of_services(&self, wanted: &OneTimeKeyClaims) -> OneTimeKeys {
        match self.0.services.get() {
            Some(services) if !wanted.is_empty() => judge_claimed(wanted, services.claim(wanted).await),
            _ => OneTimeKeys::new(),
        }
    }

    /// Puts what services say of their users on top of what these have uploaded, device by device.
    pub(crate) async fn overlay_services(
        &self,
        wanted: &BTreeMap<OwnedUserId, Vec<OwnedDeviceId>>,
        published: &mut [(OwnedUserId, Arc<PublishedKeys>)],
    ) {
        let Some(services) = self.0.services.get() else {
            return;
        };
        let answer = services.query(wanted).await;
        for (user, keys) in published {
            if let Some(told) = judge_queried(user, &answer) {
                *keys = Arc::new(overlaid(keys, &told));
            }
        }
    }
}

fn overlaid(kept: &PublishedKeys, told: &PublishedKeys) -> PublishedKeys {
    let mut devices = kept.devices.clone();
    devices.extend(
        told.devices
            .iter()
            .map(|(device, keys)| (device.clone(), keys.clone())),
    );
    PublishedKeys {
        devices,
        master: told.master.clone().or_else(|| kept.master.clone()),
        self_signing: told.self_signing.clone().or_else(|| kept.self_signing.clone()),
        user_signing: kept.user_signing.clone(),
    }
}
