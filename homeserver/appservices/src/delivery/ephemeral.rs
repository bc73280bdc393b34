use std::{collections::HashMap, sync::Arc, time::Duration};

use echorift_accounts::ApplicationService as _;
use echorift_storage::StorageError;
use serde_json::Value;
use tokio::sync::mpsc;

use super::{PAUSE, Shared, body, put_transaction};
use crate::{
    ephemeral::{Ephemeral, Waiting, presence_event, receipt_event, typing_event},
    registry::{Service, ServiceIndex, ServiceSet},
};

/// How long more is waited for once something is there.
const GATHERING: Duration = Duration::from_millis(20);
/// How many transactions may wait for a service that is slow; further ones are not told.
const WAITING_MAX: usize = 32;

/// Tells services what happens and is not kept, each from a short queue of its own: once, whatever becomes of it.
pub(crate) async fn tell_ephemeral(shared: Arc<Shared>, ephemeral: Arc<Ephemeral>) {
    let mut queues = HashMap::new();
    for service in &shared.pages.interest.registry.services {
        if service.registration.wants_ephemeral && service.registration.url.is_some() {
            let (queue, waiting) = mpsc::channel(WAITING_MAX);
            // It ends with the queue.
            tokio::spawn(send(Arc::clone(&shared), Arc::clone(service), waiting));
            queues.insert(service.index, queue);
        }
    }
    if queues.is_empty() {
        return;
    }
    loop {
        ephemeral.changed().await;
        tokio::time::sleep(GATHERING).await;
        let waiting = ephemeral.take();
        if waiting.is_empty() {
            continue;
        }
        match collect(&shared, waiting, &queues).await {
            Ok(told) => {
                for (index, events) in told {
                    if let Some(queue) = queues.get(&index) {
                        let _ = queue.try_send(events);
                    }
                }
            }
            Err(error) => {
                tracing::warn!(%error, "typing, receipts or presence could not be told to application services");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// What each of the services is told.
async fn collect(
    shared: &Shared,
    waiting: Waiting,
    queues: &HashMap<ServiceIndex, mpsc::Sender<Vec<Value>>>,
) -> Result<HashMap<ServiceIndex, Vec<Value>>, StorageError> {
    let (rooms, interest) = (&shared.rooms, &shared.pages.interest);
    let mut told: HashMap<ServiceIndex, Vec<Value>> = HashMap::new();
    let wanting = |services: &ServiceSet| -> Vec<ServiceIndex> {
        services
            .iter()
            .filter(|index| queues.contains_key(index))
            .collect()
    };
    for (room, users) in &waiting.typing {
        let services = wanting(&interest.in_room(*room).await?);
        if !services.is_empty()
            && let Some(room) = rooms.loaded(*room)
        {
            let event = typing_event(rooms, &room, users).await?;
            for index in services {
                told.entry(index).or_default().push(event.clone());
            }
        }
    }
    for (room, since) in &waiting.receipts {
        let services = wanting(&interest.in_room(*room).await?);
        if services.is_empty() {
            continue;
        }
        let Some(room) = rooms.loaded(*room) else { continue };
        for index in services {
            let Some(service) = interest.registry.get(index) else {
                continue;
            };
            let own = |user: &ruma::UserId| service.has_user(user);
            let event = receipt_event(rooms, &room, *since, own).await?;
            told.entry(index).or_default().extend(event);
        }
    }
    for (user, content) in &waiting.presence {
        let services = wanting(&shared.pages.around(*user).await?);
        if services.is_empty() {
            continue;
        }
        let event = presence_event(&rooms.user_id(*user).await?, content);
        for index in services {
            told.entry(index).or_default().push(event.clone());
        }
    }
    Ok(told)
}

/// Sends what is in a service's queue.
async fn send(shared: Arc<Shared>, service: Arc<Service>, mut waiting: mpsc::Receiver<Vec<Value>>) {
    // Another series than that of what is kept: these IDs are used once and nobody remembers them.
    let series = shared.rooms.clock().now().0;
    let mut number = 0_u64;
    while let Some(events) = waiting.recv().await {
        if events.is_empty() {
            continue;
        }
        number += 1;
        let id = format!("e{series}.{number}");
        if let Err(reason) = put_transaction(&shared.client, &service, &id, body::ephemeral(&events)).await {
            tracing::debug!(service = %service.id(), reason,
                "an application service was not told of typing, receipts or presence");
        }
    }
}
