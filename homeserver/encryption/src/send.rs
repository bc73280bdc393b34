//! Sending messages to devices (CS API § Send-to-Device messaging).

use std::collections::{BTreeMap, HashMap};

use echorift_storage::{Change, Position, Record, StorageError, UserNumber};
use echorift_web::Session;
use ruma::{
    DeviceId, OwnedDeviceId, OwnedUserId, UserId, events::AnyToDeviceEventContent, serde::Raw,
    to_device::DeviceIdOrAllDevices,
};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::{Encryption, EncryptionError, store, transactions};

/// The largest message; encrypted ones have some 3 KiB.
const MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// How many messages may wait for one device; the oldest make room. Who was away for longer finds the room keys of that
/// time in the backup.
const WAITING_MAX: i64 = 10_000;
/// A device's messages are counted at every so many positions: between two counts a few hundred more may wait.
const COUNT_EVERY: i64 = 128;

/// What one request sends, by user and device.
pub(crate) type Messages =
    BTreeMap<OwnedUserId, BTreeMap<DeviceIdOrAllDevices, Raw<AnyToDeviceEventContent>>>;

/// Who gets messages, and on which devices.
pub(crate) type Recipients = Vec<(UserNumber, Vec<OwnedDeviceId>)>;

/// A message as the recipient's sync tells it.
#[derive(Serialize)]
struct ToDeviceEvent<'a> {
    content: &'a RawValue,
    sender: &'a UserId,
    #[serde(rename = "type")]
    event_type: &'a str,
}

impl Encryption {
    /// Sends messages of one type to devices, once for each transaction of a session. Devices of this server that do not
    /// exist are passed over; what is for other servers waits for them in the same commit.
    ///
    /// Errors: `TooLarge`, `BadKeys` for a message that is no object.
    pub(crate) async fn send_to_devices(
        &self,
        session: &Session,
        transaction: transactions::Key,
        messages: Messages,
    ) -> Result<(), EncryptionError> {
        for content in messages.values().flat_map(BTreeMap::values) {
            judge(content.json())?;
        }
        let cell = self
            .0
            .transactions
            .cell(&self.0.database, session.session_number, transaction.clone())
            .await?;
        cell.get_or_try_init(|| self.deliver(session, &transaction, messages))
            .await
            .map(drop)
    }

    async fn deliver(
        &self,
        session: &Session,
        transaction: &transactions::Key,
        messages: Messages,
    ) -> Result<(), EncryptionError> {
        let mut change = Change::new();
        let now = self.0.rooms.clock().now();
        store::to_device::put_transaction(&mut change, session.session_number, transaction, now);
        let recipients = self
            .address(&mut change, (&session.user_id, &transaction.0), &messages)
            .await?;
        // Behind the records of local users: see `commit_messages`.
        self.address_to_servers(&mut change, (&session.user_id, &transaction.0), &messages)
            .await?;
        self.0
            .database
            .writer()
            .commit(self.with_arrival(change, recipients))
            .await?;
        Ok(())
    }

    /// Adds to `change` what is for devices of this server; who they are. Each user has one record, in their order.
    pub(crate) async fn address(
        &self,
        change: &mut Change,
        (sender, event_type): (&UserId, &str),
        messages: &Messages,
    ) -> Result<Recipients, EncryptionError> {
        let numbers = self.local_users(messages.keys().map(|user| &**user)).await?;
        let mut recipients = Recipients::new();
        let all = numbers.iter().filter(|(user, _)| {
            let of_user = messages.get(**user);
            of_user.is_some_and(|devices| devices.contains_key(&DeviceIdOrAllDevices::AllDevices))
        });
        let all: Vec<UserNumber> = all.map(|(_, number)| *number).collect();
        let devices_of_all = store::to_device::devices(&self.0.database, &all).await?;
        for (user, by_device) in messages {
            let Some(number) = numbers.get(&**user) else {
                continue;
            };
            let mut contents: HashMap<&DeviceId, &RawValue> = HashMap::new();
            if let Some(content) = by_device.get(&DeviceIdOrAllDevices::AllDevices) {
                let devices = devices_of_all.get(number).into_iter().flatten();
                contents.extend(devices.map(|device| (&**device, content.json())));
            }
            for (device, content) in by_device {
                if let DeviceIdOrAllDevices::DeviceId(device) = device {
                    contents.insert(device, content.json());
                }
            }
            if contents.is_empty() {
                continue;
            }
            let record = change.record(Record::ToDevice { user: *number });
            for (device, content) in &contents {
                let event = ToDeviceEvent {
                    content,
                    sender,
                    event_type,
                };
                let event = to_raw_value(&event).map_err(|error| {
                    EncryptionError::BadKeys(format!("The message cannot be sent: {error}."))
                })?;
                store::to_device::put(change, (*number, device), event.get(), record);
            }
            recipients.push((*number, contents.into_keys().map(ToOwned::to_owned).collect()));
        }
        Ok(recipients)
    }

    /// Has the devices' inboxes follow the commit. The records of `recipients` are the first ones of the change.
    pub(crate) fn with_arrival(&self, mut change: Change, recipients: Recipients) -> Change {
        let encryption = self.clone();
        change.on_commit(move |first| {
            // Each user has one record, in this order.
            for (position, (user, devices)) in (first.0..).zip(recipients) {
                for device in &devices {
                    encryption
                        .0
                        .users
                        .message_arrived(user, device, Position(position));
                    if position.rem_euclid(COUNT_EVERY) == 0 {
                        encryption.trim(user, device.clone());
                    }
                }
            }
        });
        change
    }

    /// Has the oldest messages deleted if too many wait. Runs beside the caller, who need not wait.
    fn trim(&self, user: UserNumber, device: OwnedDeviceId) {
        let writer = self.0.database.writer().clone();
        tokio::spawn(async move {
            let step = writer.transact(move |tx| {
                Box::pin(async move { store::to_device::trim(tx, user, &device, WAITING_MAX).await })
            });
            if let Err(error) = step.await {
                tracing::warn!(%error, "the messages that wait for a device could not be counted");
            }
        });
    }

    /// The numbers of those of `users` that are of this server and known to it. One query at most.
    pub(crate) async fn local_users<'a>(
        &self,
        users: impl Iterator<Item = &'a UserId>,
    ) -> Result<HashMap<&'a UserId, UserNumber>, StorageError> {
        self.known_users(users.filter(|user| self.is_local(user))).await
    }

    /// The numbers of those of `users` that were ever heard of. One query at most.
    pub(crate) async fn known_users<'a>(
        &self,
        users: impl Iterator<Item = &'a UserId>,
    ) -> Result<HashMap<&'a UserId, UserNumber>, StorageError> {
        let names = self.0.rooms.users();
        let users: Vec<&UserId> = users.collect();
        let texts: Vec<&str> = users.iter().map(|user| user.as_str()).collect();
        // Now in memory, all of them.
        names.find_all(&texts).await?;
        let mut numbers = HashMap::with_capacity(users.len());
        for user in users {
            if let Some(number) = names.find(user.as_str()).await? {
                numbers.insert(user, UserNumber(number));
            }
        }
        Ok(numbers)
    }
}

/// Whether this can be sent to a device. Errors: `TooLarge`, `BadKeys` for what is no object.
pub(crate) fn judge(content: &RawValue) -> Result<(), EncryptionError> {
    if content.get().len() > MESSAGE_BYTES_MAX {
        return Err(EncryptionError::TooLarge {
            what: "a message to a device",
            limit: MESSAGE_BYTES_MAX,
        });
    }
    if !content.get().starts_with('{') {
        return Err(EncryptionError::BadKeys(
            "A message to a device is an object.".to_owned(),
        ));
    }
    Ok(())
}
