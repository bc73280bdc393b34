//! The keys of other servers, handed on with our signature (SS API § Querying Keys Through Another Server).

use std::{collections::HashMap, sync::Arc};

use echorift_storage::Timestamp;
use futures_util::{StreamExt as _, stream};
use ruma::{CanonicalJsonObject, OwnedServerName};

use super::{Keys, answer::KeyAnswer, store};
use crate::FederationError;

/// Servers that are asked on behalf of one request, at the same time. The others are answered from what is known.
const ASKED_MAX: usize = 16;

impl Keys {
    /// What these servers said last of their keys, each signed by us too. A server is asked if nothing is known of it,
    /// if half of what it said is over, or if its answer does not reach the time given with it; where that fails, an
    /// older answer is handed on.
    pub(super) async fn handed_on(
        &self,
        wanted: &HashMap<OwnedServerName, Timestamp>,
    ) -> Result<Vec<CanonicalJsonObject>, FederationError> {
        let inner = &self.0;
        let now = inner.clock.now();
        let own_name = inner.own.signing_key.server_name();
        let mut objects = Vec::with_capacity(wanted.len());
        if wanted.contains_key(own_name) {
            objects.push(inner.own.published(now)?);
        }
        let others: Vec<OwnedServerName> = wanted
            .keys()
            .filter(|server| *server != own_name)
            .cloned()
            .collect();
        let mut known = self.known_answers(&others).await?;
        let stale: Vec<&OwnedServerName> = wanted
            .iter()
            .filter(|(server, minimum)| *server != own_name && is_stale(known.get(*server), **minimum, now))
            .map(|(server, _)| server)
            .take(ASKED_MAX)
            .collect();
        stream::iter(&stale)
            .for_each_concurrent(ASKED_MAX, |server| self.ask_server(server, false))
            .await;
        for server in stale {
            if let Some(answer) = inner.answers.get(server) {
                known.insert(server.clone(), answer);
            }
        }
        for answer in known.into_values() {
            let mut object = answer.object.clone();
            inner.own.sign(&mut object)?;
            objects.push(object);
        }
        Ok(objects)
    }

    async fn known_answers(
        &self,
        servers: &[OwnedServerName],
    ) -> Result<HashMap<OwnedServerName, Arc<KeyAnswer>>, FederationError> {
        let inner = &self.0;
        let mut known = HashMap::new();
        let mut absent = Vec::new();
        for server in servers {
            match inner.answers.get(server) {
                Some(answer) => {
                    known.insert(server.clone(), answer);
                }
                None => absent.push(server.clone()),
            }
        }
        if absent.is_empty() {
            return Ok(known);
        }
        for stored in store::answers_of(&inner.database, &absent).await? {
            // Its signature was checked before it was stored; what it says of time counts from then.
            match KeyAnswer::read(&stored.text, stored.fetched) {
                Ok(answer) => {
                    let answer = Arc::new(answer);
                    inner.answers.insert(answer.server.clone(), Arc::clone(&answer));
                    known.insert(answer.server.clone(), answer);
                }
                Err(reason) => tracing::warn!(reason, "stored keys of a server cannot be read"),
            }
        }
        Ok(known)
    }
}

fn is_stale(answer: Option<&Arc<KeyAnswer>>, minimum: Timestamp, now: Timestamp) -> bool {
    answer.is_none_or(|answer| {
        let half = answer.valid_until.0.saturating_sub(answer.fetched.0) / 2;
        answer.valid_until < minimum || answer.fetched.plus_ms(half) < now
    })
}
