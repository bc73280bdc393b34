//! Services that keep the keys of their users' devices themselves are asked for them (MSC3983, MSC3984).

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use echorift_accounts::ApplicationService as _;
use echorift_encryption::ServiceKeys;
use echorift_storage::Timestamp;
use echorift_web::BoxFuture;
use futures_util::{StreamExt as _, stream};
use http::{Method, StatusCode};
use ruma::{
    OneTimeKeyAlgorithm, OwnedDeviceId, OwnedUserId, UserId,
    api::federation::keys::{
        claim_keys::v1::{OneTimeKeyClaims, OneTimeKeys},
        get_keys,
    },
    encryption::{CrossSigningKey, DeviceKeys},
    serde::Raw,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    AppServices,
    registry::{Registry, Service, ServiceIndex},
};

/// Somebody waits before they can send: what comes later does without.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many users one request is about, so that the answer stays below what is read of it.
const USERS_AT_ONCE: usize = 200;
/// How many requests are under way for one question.
const REQUESTS_AT_ONCE: usize = 4;
/// How long a service that does not know the request is not asked again: most upload their keys.
const UNKNOWN_PAUSE_MS: i64 = 10 * 60 * 1_000;
/// How long one that lets people wait is not.
const SILENT_PAUSE_MS: i64 = 30 * 1_000;

/// Until when a service is not asked, by what it would be asked for. Forgotten when the registrations are read again.
#[derive(Default)]
pub(crate) struct KeyPauses {
    claim: AtomicI64,
    query: AtomicI64,
}

#[derive(Debug, Clone, Copy)]
enum Question {
    Claim,
    Query,
}

impl Question {
    fn path(self) -> [&'static str; 6] {
        match self {
            Self::Claim => [
                "_matrix",
                "app",
                "unstable",
                "org.matrix.msc3983",
                "keys",
                "claim",
            ],
            Self::Query => [
                "_matrix",
                "app",
                "unstable",
                "org.matrix.msc3984",
                "keys",
                "query",
            ],
        }
    }
}

impl KeyPauses {
    fn of(&self, question: Question) -> &AtomicI64 {
        match question {
            Question::Claim => &self.claim,
            Question::Query => &self.query,
        }
    }

    fn is_over(&self, question: Question, now: Timestamp) -> bool {
        self.of(question).load(Ordering::Relaxed) <= now.0
    }

    fn begin(&self, question: Question, until: Timestamp) {
        self.of(question).store(until.0, Ordering::Relaxed);
    }

    /// The service was heard of: it may have become another one.
    pub fn end(&self) {
        self.claim.store(0, Ordering::Relaxed);
        self.query.store(0, Ordering::Relaxed);
    }
}

/// The answer to a query. User-signing keys are for their owners, who are the service itself.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Queried {
    device_keys: BTreeMap<OwnedUserId, BTreeMap<OwnedDeviceId, Raw<DeviceKeys>>>,
    master_keys: BTreeMap<OwnedUserId, Raw<CrossSigningKey>>,
    self_signing_keys: BTreeMap<OwnedUserId, Raw<CrossSigningKey>>,
}

impl ServiceKeys for AppServices {
    fn may_claim(&self, user: &UserId) -> bool {
        let registry = self.registry();
        let keeper = registry.keeper_of(user);
        keeper.is_some_and(|service| service.key_pauses.is_over(Question::Claim, self.now()))
    }

    fn claim<'a>(&'a self, wanted: &'a OneTimeKeyClaims) -> BoxFuture<'a, OneTimeKeys> {
        Box::pin(async move {
            let registry = self.registry();
            let wanted = wanted
                .iter()
                .map(|(user, devices)| (user.clone(), algorithms(devices)))
                .collect();
            let mut keys = OneTimeKeys::new();
            for (users, answer) in self
                .ask::<_, OneTimeKeys>(&registry, Question::Claim, wanted)
                .await
            {
                keys.extend(answer.into_iter().filter(|(user, _)| users.contains_key(user)));
            }
            keys
        })
    }

    fn query<'a>(
        &'a self,
        wanted: &'a BTreeMap<OwnedUserId, Vec<OwnedDeviceId>>,
    ) -> BoxFuture<'a, get_keys::v1::Response> {
        Box::pin(async move {
            let registry = self.registry();
            let wanted = wanted
                .iter()
                .map(|(user, devices)| (user.clone(), devices.clone()))
                .collect();
            let mut response = get_keys::v1::Response::default();
            for (users, answer) in self.ask::<_, Queried>(&registry, Question::Query, wanted).await {
                let is_asked = |user: &OwnedUserId| users.contains_key(user);
                let devices = answer.device_keys.into_iter();
                response
                    .device_keys
                    .extend(devices.filter(|(user, _)| is_asked(user)));
                let keys = answer.master_keys.into_iter();
                response
                    .master_keys
                    .extend(keys.filter(|(user, _)| is_asked(user)));
                let keys = answer.self_signing_keys.into_iter();
                response
                    .self_signing_keys
                    .extend(keys.filter(|(user, _)| is_asked(user)));
            }
            response
        })
    }
}

impl AppServices {
    fn now(&self) -> Timestamp {
        self.parts().rooms.clock().now()
    }

    /// Asks each service for its own users, and returns its answers with what it was asked: it is to be believed for no
    /// others.
    async fn ask<Q: Serialize, A: DeserializeOwned>(
        &self,
        registry: &Registry,
        question: Question,
        wanted: Vec<(OwnedUserId, Q)>,
    ) -> Vec<(BTreeMap<OwnedUserId, Q>, A)> {
        let now = self.now();
        let mut by_service: BTreeMap<ServiceIndex, Vec<BTreeMap<OwnedUserId, Q>>> = BTreeMap::new();
        for (user, wish) in wanted {
            let keeper = registry.keeper_of(&user);
            let Some(service) = keeper.filter(|service| service.key_pauses.is_over(question, now)) else {
                continue;
            };
            let requests = by_service.entry(service.index).or_default();
            match requests.last_mut() {
                Some(last) if last.len() < USERS_AT_ONCE => drop(last.insert(user, wish)),
                _ => requests.push(BTreeMap::from([(user, wish)])),
            }
        }
        let mut asked = Vec::new();
        for (index, requests) in by_service {
            let Some(service) = registry.get(index) else {
                continue;
            };
            for request in requests {
                asked.push(async move {
                    let answer = self.ask_service(service, question, &request).await?;
                    Some((request, answer))
                });
            }
        }
        let asked = stream::iter(asked).buffer_unordered(REQUESTS_AT_ONCE);
        asked.filter_map(std::future::ready).collect().await
    }

    async fn ask_service<Q: Serialize, A: DeserializeOwned>(
        &self,
        service: &Service,
        question: Question,
        request: &Q,
    ) -> Option<A> {
        // It may have fallen silent at an earlier part of the same question.
        if !service.key_pauses.is_over(question, self.now()) {
            return None;
        }
        let body = serde_json::to_string(request).ok()?;
        let path = question.path();
        let asked = self.client().call(service, Method::POST, &path, &[], Some(body));
        let answer = match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => {
                tracing::info!(service = %service.id(), %error, "an application service could not be asked for keys");
                return None;
            }
            Err(_) => {
                tracing::info!(service = %service.id(), "an application service did not answer in time for keys");
                let until = self.now().plus_ms(SILENT_PAUSE_MS);
                service.key_pauses.begin(question, until);
                return None;
            }
        };
        match answer.status {
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
                let until = self.now().plus_ms(UNKNOWN_PAUSE_MS);
                service.key_pauses.begin(question, until);
                None
            }
            status if status.is_success() => serde_json::from_slice(&answer.body)
                .inspect_err(|error| {
                    tracing::info!(service = %service.id(), %error, "an application service's answer holds no keys that can be read");
                })
                .ok(),
            status => {
                let status = status.as_u16();
                tracing::info!(service = %service.id(), status, "an application service gives no keys");
                None
            }
        }
    }
}

/// The algorithms wanted of each device, as the request lists them.
fn algorithms(
    devices: &BTreeMap<OwnedDeviceId, OneTimeKeyAlgorithm>,
) -> BTreeMap<OwnedDeviceId, Vec<OneTimeKeyAlgorithm>> {
    let devices = devices.iter();
    devices
        .map(|(device, algorithm)| (device.clone(), vec![algorithm.clone()]))
        .collect()
}
