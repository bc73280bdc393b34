//! What services are asked: for users and rooms that nobody knows yet, and for third-party networks (AS API § Querying,
//! § Third-party networks).

use std::{sync::Arc, time::Duration};

use echorift_accounts::ApplicationService as _;
use futures_util::future::join_all;
use http::Method;
use ruma::{RoomAliasId, UserId};
use serde_json::{Map, Value};

use crate::{
    client::{Answer, ServiceClient},
    registry::{Registry, Service, ServiceSet},
};

/// A person waits for the answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many services are asked for one user or alias, should so many claim it.
const ASKED_MAX: usize = 3;
/// How many entries of a third-party network are passed on.
const ENTRIES_MAX: usize = 1_000;

/// Asks the services of a registry.
pub(crate) struct Queries<'a> {
    pub registry: &'a Registry,
    pub client: &'a ServiceClient,
}

impl Queries<'_> {
    /// Whether the service in whose namespace a user is says that there is such a user.
    pub async fn knows_user(&self, user: &UserId) -> bool {
        let services = self.registry.of_user(user);
        self.any_knows(&services, &["_matrix", "app", "v1", "users", user.as_str()])
            .await
    }

    /// Whether the service in whose namespace an alias is says that there is such a room.
    pub async fn knows_alias(&self, alias: &RoomAliasId) -> bool {
        let services = self.registry.of_alias(alias);
        self.any_knows(&services, &["_matrix", "app", "v1", "rooms", alias.as_str()])
            .await
    }

    async fn any_knows(&self, services: &ServiceSet, path: &[&str]) -> bool {
        let asked = services.iter().filter_map(|index| self.registry.get(index));
        for service in asked.take(ASKED_MAX) {
            if self.ask(service, path, &[]).await.is_some() {
                return true;
            }
        }
        false
    }

    /// What is known of each of the third-party networks that services serve.
    pub async fn protocols(&self) -> Map<String, Value> {
        let mut names: Vec<&str> = self.networks().flat_map(|(_, names)| names).collect();
        names.sort_unstable();
        names.dedup();
        let mut asked = Vec::with_capacity(names.len());
        for name in &names {
            asked.push(self.protocol(name));
        }
        let found = names.iter().zip(join_all(asked).await);
        found
            .filter_map(|(name, found)| Some(((*name).to_owned(), found?)))
            .collect()
    }

    /// What is known of a network. Of several services each adds its instances, under an ID that nobody else's have.
    pub async fn protocol(&self, name: &str) -> Option<Value> {
        let path = ["_matrix", "app", "v1", "thirdparty", "protocol", name];
        let answers = self.ask_all(name, &path, &[]).await.into_iter();
        let answers = answers.map(|(service, answer)| identified(service.id(), answer));
        let mut answers = answers.filter(Value::is_object);
        let mut first = answers.next()?;
        for other in answers {
            let more = other.get("instances").and_then(Value::as_array).cloned();
            if let Some(instances) = first.get_mut("instances").and_then(Value::as_array_mut) {
                instances.extend(more.unwrap_or_default());
            }
        }
        Some(first)
    }

    /// Places or people (`kind`) of a network, by fields that its services know.
    pub async fn search(&self, kind: &str, network: &str, fields: &[(&str, &str)]) -> Vec<Value> {
        let path = ["_matrix", "app", "v1", "thirdparty", kind, network];
        let answers = self.ask_all(network, &path, fields).await.into_iter();
        joined(answers.map(|(_, answer)| answer).collect())
    }

    /// Places or people (`kind`) of whatever network, by what stands for them here.
    pub async fn reverse(&self, kind: &str, (name, id): (&str, &str)) -> Vec<Value> {
        let path = ["_matrix", "app", "v1", "thirdparty", kind];
        let query = [(name, id)];
        let mut asked = Vec::new();
        for (service, _) in self.networks() {
            asked.push(self.ask(service, &path, &query));
        }
        let answers = join_all(asked).await.into_iter().flatten();
        joined(answers.filter_map(|answer| answer.json()).collect())
    }

    async fn ask_all(
        &self,
        network: &str,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Vec<(&Arc<Service>, Value)> {
        let services = self.networks().filter(|(_, names)| names.contains(&network));
        let mut asked = Vec::new();
        for (service, _) in services {
            asked.push(async move { (service, self.ask(service, path, query).await) });
        }
        let answers = join_all(asked).await.into_iter();
        answers
            .filter_map(|(service, answer)| Some((service, answer?.json()?)))
            .collect()
    }

    fn networks(&self) -> impl Iterator<Item = (&Arc<Service>, Vec<&str>)> {
        self.registry.services.iter().filter_map(|service| {
            let names: Vec<&str> = service
                .registration
                .protocols
                .iter()
                .map(String::as_str)
                .collect();
            (!names.is_empty()).then_some((service, names))
        })
    }

    /// A service's answer, if it is a good one and comes in time.
    async fn ask(&self, service: &Service, path: &[&str], query: &[(&str, &str)]) -> Option<Answer> {
        let asked = self.client.call(service, Method::GET, path, query, None);
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok(answer)) => answer.status.is_success().then_some(answer),
            Ok(Err(error)) => {
                tracing::info!(service = %service.id(), %error, "an application service could not be asked");
                None
            }
            Err(_) => {
                tracing::info!(service = %service.id(), "an application service did not answer in time");
                None
            }
        }
    }
}

/// How clients name a service's network when they ask for its rooms (CS API § Third-party networks: `instance_id`).
pub(crate) fn instance_id(service: &str, network: &str) -> String {
    format!("{service}|{network}")
}

/// Adds the ID to each instance of a network that a service has named.
fn identified(service: &str, mut answer: Value) -> Value {
    let instances = answer.get_mut("instances").and_then(Value::as_array_mut);
    for instance in instances.into_iter().flatten() {
        let network = instance.get("network_id").and_then(Value::as_str);
        if let Some(id) = network.map(|network| instance_id(service, network))
            && let Some(fields) = instance.as_object_mut()
        {
            fields.insert("instance_id".to_owned(), id.into());
        }
    }
    answer
}

fn joined(answers: Vec<Value>) -> Vec<Value> {
    let entries = answers.into_iter().flat_map(|answer| match answer {
        Value::Array(entries) => entries,
        _ => Vec::new(),
    });
    entries.take(ENTRIES_MAX).collect()
}
