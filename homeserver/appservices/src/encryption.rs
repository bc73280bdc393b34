//! What a service needs to encrypt for its users (MSC3202, MSC4203): messages to their devices, whose devices have changed,
//! how many keys their devices have left.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use echorift_rooms::Event;
use echorift_storage::{EventNumber, Position, StorageError, UserNumber};
use ruma::{DeviceId, OwnedUserId, UserId, events::TimelineEventType};
use serde_json::value::RawValue;

use crate::delivery::{Delivery, Draft, Rest};

/// How many messages to devices a transaction has at most.
const MESSAGES_MAX: usize = 100;
/// Of how many devices the keys left are told at a time.
const COUNTED_MAX: usize = 200;

impl Delivery {
    /// What a draft holds beside its events. It is cut where there are too many messages.
    pub(crate) async fn encryption_of(
        &self,
        draft: &mut Draft,
        events: &HashMap<EventNumber, Arc<Event>>,
    ) -> Result<Rest, StorageError> {
        let mut rest = Rest::default();
        let mut counted: BTreeSet<UserNumber> = BTreeSet::new();
        if !draft.recipients.is_empty() {
            self.add_messages(draft, &mut rest).await?;
            counted.extend(draft.recipients.iter().copied());
        }
        let shown = draft.events.iter().filter_map(|event| events.get(&event.event));
        for event in shown {
            if event.pdu.event_type == TimelineEventType::RoomEncrypted {
                let users = self
                    .shared
                    .pages
                    .interest
                    .users_in(self.service.index, event.room);
                counted.extend(users.await?.into_iter().take(COUNTED_MAX));
            }
        }
        let comings = self.comings(draft, events).await?;
        let of_log: Vec<UserNumber> = draft.changed.iter().copied().collect();
        let mut changed = comings.joined;
        changed.extend(self.shared.rooms.user_ids(&of_log).await?);
        rest.changed = changed.into_iter().collect();
        rest.left = comings.left.into_iter().collect();
        self.add_counts(&counted, &mut rest).await?;
        Ok(rest)
    }

    async fn add_messages(&self, draft: &mut Draft, rest: &mut Rest) -> Result<(), StorageError> {
        let users: Vec<UserNumber> = draft.recipients.iter().copied().collect();
        let range = (draft.after, draft.to);
        let encryption = &self.shared.encryption;
        let mut messages = encryption.messages_to(&users, range, MESSAGES_MAX + 1).await?;
        if let Some(over) = messages.get(MESSAGES_MAX).map(|message| message.position) {
            // Messages of one moment stay together.
            let first = messages.first().map(|message| message.position);
            let to = if first == Some(over) {
                over
            } else {
                Position(over.0.saturating_sub(1))
            };
            draft.cut(to);
            messages.retain(|message| message.position <= to);
        }
        let ids = self.shared.rooms.user_ids(&users).await?;
        let ids: HashMap<UserNumber, OwnedUserId> = users.into_iter().zip(ids).collect();
        for message in messages {
            let Some(user) = ids.get(&message.user) else {
                continue;
            };
            rest.to_device
                .push(addressed(message.event.json(), user, &message.device)?);
            // What belongs to somebody else is theirs to take.
            if self.owns(user) {
                rest.taken.push((message.user, message.device, message.position));
            }
        }
        Ok(())
    }

    fn owns(&self, user: &UserId) -> bool {
        let owners = self.shared.pages.interest.registry.owners_of_user(user);
        owners.contains(self.service.index)
    }

    async fn add_counts(&self, users: &BTreeSet<UserNumber>, rest: &mut Rest) -> Result<(), StorageError> {
        let users: Vec<UserNumber> = users.iter().copied().take(COUNTED_MAX).collect();
        if users.is_empty() {
            return Ok(());
        }
        let encryption = &self.shared.encryption;
        let devices = encryption.devices_with_keys(&users).await?;
        for (user, device) in devices.into_iter().take(COUNTED_MAX) {
            let user_id = self.shared.rooms.user_id(user).await?;
            let counts = encryption.key_counts(user, &device).await?;
            let of_user = rest.one_time_keys.entry(user_id.clone()).or_default();
            of_user.insert(device.clone(), counts.one_time);
            let of_user = rest.fallback_keys.entry(user_id).or_default();
            of_user.insert(device, counts.unused_fallback);
        }
        Ok(())
    }
}

/// A message to a device as services get it, who have many (MSC4203).
fn addressed(event: &RawValue, user: &UserId, device: &DeviceId) -> Result<Box<RawValue>, StorageError> {
    let corrupt = |error| StorageError::corrupt("to_device_messages.event", error);
    let mut event: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(event.get()).map_err(corrupt)?;
    event.insert("to_user_id".to_owned(), user.as_str().into());
    event.insert("to_device_id".to_owned(), device.as_str().into());
    serde_json::value::to_raw_value(&event).map_err(corrupt)
}
