//! Giving out one-time keys, each once (CS API § One-time and fallback keys).

use std::collections::BTreeMap;

use echorift_storage::{Change, UserNumber};
use ruma::{
    OneTimeKeyAlgorithm, OwnedDeviceId, OwnedOneTimeKeyId, UserId,
    api::federation::keys::claim_keys::v1::{OneTimeKeyClaims, OneTimeKeys},
    encryption::OneTimeKey,
    serde::Raw,
};

use crate::{Encryption, EncryptionError, store};

/// Which key is wanted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wanted {
    pub(crate) user: UserNumber,
    pub(crate) device: OwnedDeviceId,
    pub(crate) algorithm: OneTimeKeyAlgorithm,
}

/// Where a key may come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sources {
    OneTime,
    /// Fallback keys, too.
    All,
}

/// A key that was given out, under its ID.
pub(crate) type Claimed = (OwnedOneTimeKeyId, Raw<OneTimeKey>);

impl Encryption {
    /// Gives out keys of local users' devices; other users, and devices that have none, are passed over. Where a device of
    /// an application service has no one-time key, the service is asked for one before the fallback key is used.
    pub async fn claim_local(&self, wanted: &OneTimeKeyClaims) -> Result<OneTimeKeys, EncryptionError> {
        let numbers = self.local_users(wanted.keys().map(|user| &**user)).await?;
        let mut keys = Vec::new();
        for (user, devices) in wanted {
            let Some(number) = numbers.get(&**user) else {
                continue;
            };
            keys.extend(devices.iter().map(|(device, algorithm)| Wanted {
                user: *number,
                device: device.clone(),
                algorithm: algorithm.clone(),
            }));
        }
        let ids: BTreeMap<UserNumber, &UserId> =
            numbers.iter().map(|(user, number)| (*number, *user)).collect();
        let of_services = self.claimable(ids.values().copied());
        let is_of_service = |wanted: &Wanted| {
            ids.get(&wanted.user)
                .is_some_and(|user| of_services.contains(user))
        };
        let (of_service, of_others): (Vec<Wanted>, Vec<Wanted>) = keys.into_iter().partition(is_of_service);
        let mut given = self.claim_keys(of_others, Sources::All).await?;
        let mut claimed = OneTimeKeys::new();
        if !of_service.is_empty() {
            let uploaded = self.claim_keys(of_service.clone(), Sources::OneTime).await?;
            let missing = of_service
                .into_iter()
                .filter(|wanted| !uploaded.contains_key(wanted));
            let missing: Vec<Wanted> = missing.collect();
            claimed = self.claim_of_services(&claims(&missing, &ids)).await;
            let is_claimed = |wanted: &Wanted| {
                let of_user = ids.get(&wanted.user).and_then(|user| claimed.get(*user));
                of_user.is_some_and(|devices| devices.contains_key(&wanted.device))
            };
            let missing = missing.into_iter().filter(|wanted| !is_claimed(wanted)).collect();
            given.extend(uploaded);
            given.extend(self.claim_keys(missing, Sources::All).await?);
        }
        for (wanted, (key_id, key)) in given {
            if let Some(user) = ids.get(&wanted.user) {
                let of_user = claimed.entry((*user).to_owned()).or_default();
                of_user.entry(wanted.device).or_default().insert(key_id, key);
            }
        }
        Ok(claimed)
    }

    /// Gives out a key for each of `wanted`: the one-time key that was uploaded first (MSC4225) and, where there is
    /// none, the fallback key if that is among the sources. Two statements, however many are wanted; a key is gone in the transaction that gives it.
    async fn claim_keys(
        &self,
        wanted: Vec<Wanted>,
        sources: Sources,
    ) -> Result<BTreeMap<Wanted, Claimed>, EncryptionError> {
        if wanted.is_empty() {
            return Ok(BTreeMap::new());
        }
        let encryption = self.clone();
        let step = self.0.database.writer().transact(move |tx| {
            Box::pin(async move {
                let mut claimed = store::one_time_keys::take(tx, &wanted).await?;
                let without: Vec<&Wanted> = wanted
                    .iter()
                    .filter(|wanted| !claimed.contains_key(wanted))
                    .collect();
                if sources == Sources::All && !without.is_empty() {
                    claimed.extend(store::one_time_keys::use_fallback(tx, &without).await?);
                }
                let touched: Vec<Wanted> = claimed.keys().cloned().collect();
                let mut change = Change::new();
                change.on_commit(move |_| {
                    for key in touched {
                        encryption.0.users.forget_counts(key.user, &key.device);
                    }
                });
                tx.apply(change).await?;
                Ok(claimed)
            })
        });
        step.await
    }
}

/// What is wanted, as a service is asked for it.
fn claims(wanted: &[Wanted], ids: &BTreeMap<UserNumber, &UserId>) -> OneTimeKeyClaims {
    let mut claims = OneTimeKeyClaims::new();
    for wanted in wanted {
        if let Some(user) = ids.get(&wanted.user) {
            let of_user = claims.entry((*user).to_owned()).or_default();
            of_user.insert(wanted.device.clone(), wanted.algorithm.clone());
        }
    }
    claims
}
