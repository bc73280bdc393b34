//! What other servers are to be sent whatever happens: messages to their devices, and changes of local users' devices
//! (SS API § Send-to-device messaging, § Device Management).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use echorift_storage::{Change, Position, Record, StorageError, UserNumber};
use ruma::{
    OwnedServerName, OwnedUserId, ServerName, TransactionId, UserId, to_device::DeviceIdOrAllDevices,
};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::{
    Encryption, EncryptionError,
    send::Messages,
    store::{self, remote_messages::LocalChange},
    user_keys::{PublishedKeys, without_unsigned},
};

/// How many bytes of messages go into one EDU, unless a single one has more.
const EDU_BYTES: usize = 48 * 1024;
/// How many changes of local users' devices are looked at in one step.
const CHANGES_READ: i64 = 500;
/// The device that an update names whose user has none left.
const NO_DEVICE: &str = "none";

/// An EDU that must arrive.
#[derive(Debug, Clone)]
pub struct OutgoingEdu {
    pub edu_type: &'static str,
    pub content: Box<RawValue>,
}

#[derive(Serialize)]
struct DirectToDevice<'a> {
    sender: &'a UserId,
    #[serde(rename = "type")]
    event_type: &'a str,
    message_id: &'a TransactionId,
    messages: &'a BTreeMap<&'a UserId, BTreeMap<&'a DeviceIdOrAllDevices, &'a RawValue>>,
}

#[derive(Serialize)]
struct DeviceListUpdate<'a> {
    user_id: &'a UserId,
    device_id: &'a str,
    stream_id: i64,
    /// Without an earlier update the receiver fetches the whole list, which is always right.
    prev_id: [i64; 0],
    deleted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_display_name: Option<&'a str>,
}

#[derive(Serialize)]
struct SigningKeyUpdate<'a> {
    user_id: &'a UserId,
    #[serde(skip_serializing_if = "Option::is_none")]
    master_key: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    self_signing_key: Option<&'a RawValue>,
}

impl Encryption {
    /// Adds to `change` what is for devices of other servers, if this server talks to them. Each EDU has a record
    /// of one of the server's users.
    pub(crate) async fn address_to_servers(
        &self,
        change: &mut Change,
        (sender, event_type): (&UserId, &str),
        messages: &Messages,
    ) -> Result<(), EncryptionError> {
        if !self.0.remote.is_on() {
            return Ok(());
        }
        let mut by_server: BTreeMap<&ServerName, Vec<_>> = BTreeMap::new();
        for (user, devices) in messages.iter().filter(|(user, _)| !self.is_local(user)) {
            let of_server = by_server.entry(user.server_name()).or_default();
            of_server.extend(
                devices
                    .iter()
                    .map(|(device, content)| (&**user, device, content.json())),
            );
        }
        let users = by_server.values().flatten().map(|(user, ..)| *user);
        let numbers = self.known_users(users).await?;
        let unwritable = |error: serde_json::Error| {
            EncryptionError::BadKeys(format!("The message cannot be sent: {error}."))
        };
        for (server, messages) in by_server {
            let mut users = messages.iter().map(|(user, ..)| *user);
            let first = users.clone().next();
            let user = match users.find_map(|user| numbers.get(user).copied()) {
                Some(user) => user,
                None => match first {
                    // Nobody of the server was ever heard of: hardly ever, and then once.
                    Some(first) => self.0.rooms.user_number(first).await?,
                    None => continue,
                },
            };
            for messages in packs(messages) {
                let content = DirectToDevice {
                    sender,
                    event_type,
                    message_id: &TransactionId::new(),
                    messages: &messages,
                };
                let content = serde_json::to_string(&content).map_err(unwritable)?;
                let record = change.record(Record::ToDevice { user });
                store::remote_messages::put(change, server, &content, record);
            }
        }
        Ok(())
    }

    /// The first `limit` EDUs for a server with `after < position`, by position, each at its own. Devices are named only
    /// with `with_names`.
    pub async fn outgoing_edus(
        &self,
        server: &ServerName,
        after: Position,
        limit: usize,
        with_names: bool,
    ) -> Result<Vec<(Position, OutgoingEdu)>, StorageError> {
        let database = &self.0.database;
        // Everything up to here is committed: a change and a message that follows it come in their order.
        let now = self.now();
        let rows = i64::try_from(limit).unwrap_or(i64::MAX);
        let waiting = store::remote_messages::waiting(database, server, after, rows).await?;
        let mut edus = Vec::new();
        for (position, content) in waiting.into_iter().filter(|(position, _)| *position <= now) {
            let content = RawValue::from_string(content)
                .map_err(|error| StorageError::corrupt("remote_to_device.content", error))?;
            let edu_type = "m.direct_to_device";
            edus.push((position, OutgoingEdu { edu_type, content }));
        }
        // The changes up to the last of those messages, or all.
        let until = edus.last().filter(|_| edus.len() == limit);
        let until = until.map_or(now, |(position, _)| *position);
        let changes = self.changes_for(server, after, until, limit).await?;
        edus.extend(self.write_changes(&changes, with_names).await?);
        edus.sort_by_key(|(position, _)| *position);
        edus.truncate(limit);
        Ok(edus)
    }

    /// A server has everything up to `up_to`.
    pub async fn edus_delivered(&self, server: &ServerName, up_to: Position) -> Result<(), StorageError> {
        // Many servers acknowledge the same change at a time: their rows share one commit.
        let mut change = Change::new();
        store::remote_messages::delete(&mut change, server, up_to);
        self.0.database.writer().commit(change).await
    }

    /// The servers that [`Encryption::outgoing_edus`] has something for with `after < position <= up_to`.
    pub async fn edu_destinations(
        &self,
        after: Position,
        up_to: Position,
    ) -> Result<BTreeSet<OwnedServerName>, StorageError> {
        let database = &self.0.database;
        let mut destinations = BTreeSet::new();
        for server in store::remote_messages::servers(database, after, up_to).await? {
            let server = ServerName::parse(&*server)
                .map_err(|error| StorageError::corrupt("remote_to_device.server_name", error))?;
            destinations.insert(server);
        }
        let mut after = after;
        loop {
            let changes = store::remote_messages::local_changes(database, after, up_to, CHANGES_READ).await?;
            let Some(last) = changes.last() else {
                return Ok(destinations);
            };
            after = last.position;
            for (_, servers) in self.0.rooms.servers_around(&users_of(&changes)).await? {
                destinations.extend(servers);
            }
        }
    }

    /// The first `limit` changes of local users who share a room with the server.
    async fn changes_for(
        &self,
        server: &ServerName,
        mut after: Position,
        until: Position,
        limit: usize,
    ) -> Result<Vec<LocalChange>, StorageError> {
        let mut found = Vec::new();
        while found.len() < limit {
            let changes =
                store::remote_messages::local_changes(&self.0.database, after, until, CHANGES_READ).await?;
            let Some(last) = changes.last() else { break };
            after = last.position;
            let servers = self.0.rooms.servers_around(&users_of(&changes)).await?;
            let concerns = |change: &LocalChange| {
                let servers = servers.get(&change.user);
                servers.is_some_and(|servers| servers.contains(server))
            };
            found.extend(changes.into_iter().filter(concerns));
        }
        found.truncate(limit);
        Ok(found)
    }

    async fn write_changes(
        &self,
        changes: &[LocalChange],
        with_names: bool,
    ) -> Result<Vec<(Position, OutgoingEdu)>, StorageError> {
        let users = users_of(changes);
        let ids = self.0.rooms.user_ids(&users).await?;
        let users: Vec<(UserNumber, OwnedUserId)> = users.into_iter().zip(ids).collect();
        let published = self.published_keys(&users).await?;
        let ids: HashMap<UserNumber, OwnedUserId> = users.into_iter().collect();
        let mut edus = Vec::with_capacity(changes.len());
        for change in changes {
            if let (Some(user_id), Some(keys)) = (ids.get(&change.user), published.get(&change.user)) {
                let (edu_type, content) = if change.is_of_keys {
                    ("m.signing_key_update", key_update(user_id, keys))
                } else {
                    let update = device_update(user_id, change.position, keys, with_names)?;
                    ("m.device_list_update", update)
                };
                let content = content.map_err(|error| StorageError::corrupt("device_keys.keys", error))?;
                edus.push((change.position, OutgoingEdu { edu_type, content }));
            }
        }
        Ok(edus)
    }
}

fn users_of(changes: &[LocalChange]) -> Vec<UserNumber> {
    let users: BTreeSet<UserNumber> = changes.iter().map(|change| change.user).collect();
    users.into_iter().collect()
}

type Pack<'a> = BTreeMap<&'a UserId, BTreeMap<&'a DeviceIdOrAllDevices, &'a RawValue>>;

/// The messages in portions that other servers take.
fn packs<'a>(messages: Vec<(&'a UserId, &'a DeviceIdOrAllDevices, &'a RawValue)>) -> Vec<Pack<'a>> {
    let mut packs = Vec::new();
    let (mut pack, mut bytes) = (Pack::new(), 0_usize);
    for (user, device, content) in messages {
        let size = content.get().len().saturating_add(user.as_str().len());
        if bytes.saturating_add(size) > EDU_BYTES && !pack.is_empty() {
            packs.push(std::mem::take(&mut pack));
            bytes = 0;
        }
        bytes = bytes.saturating_add(size);
        pack.entry(user).or_default().insert(device, content);
    }
    if !pack.is_empty() {
        packs.push(pack);
    }
    packs
}

fn device_update(
    user_id: &UserId,
    position: Position,
    keys: &PublishedKeys,
    with_names: bool,
) -> Result<Result<Box<RawValue>, serde_json::Error>, StorageError> {
    let device = keys.devices.first_key_value();
    let shown = device.map(|(_, keys)| without_unsigned(keys)).transpose()?;
    let content = DeviceListUpdate {
        user_id,
        device_id: device.map_or(NO_DEVICE, |(device, _)| device.as_str()),
        stream_id: position.0,
        prev_id: [],
        deleted: device.is_none(),
        keys: shown.as_ref().map(|(keys, _)| &**keys),
        device_display_name: shown
            .as_ref()
            .and_then(|(_, name)| name.as_deref())
            .filter(|_| with_names),
    };
    Ok(to_raw_value(&content))
}

fn key_update(user_id: &UserId, keys: &PublishedKeys) -> Result<Box<RawValue>, serde_json::Error> {
    to_raw_value(&SigningKeyUpdate {
        user_id,
        master_key: keys.master.as_ref().map(|(_, json)| &**json),
        self_signing_key: keys.self_signing.as_deref(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use ruma::user_id;

    use super::*;

    #[test]
    fn large_messages_are_told_apart() {
        let device = |name: &str| DeviceIdOrAllDevices::DeviceId(name.into());
        let devices = [
            device("A"),
            device("B"),
            device("C"),
            DeviceIdOrAllDevices::AllDevices,
        ];
        let large = RawValue::from_string(format!("\"{}\"", "x".repeat(EDU_BYTES / 2))).unwrap();
        let alice = user_id!("@alice:two.example");
        let messages: Vec<_> = devices.iter().map(|device| (alice, device, &*large)).collect();
        let packed: Vec<usize> = packs(messages)
            .iter()
            .map(|pack| pack.values().map(BTreeMap::len).sum())
            .collect();
        assert_eq!(packed, [1, 1, 1, 1]);
        let small = RawValue::from_string("{}".to_owned()).unwrap();
        let messages: Vec<_> = devices.iter().map(|device| (alice, device, &*small)).collect();
        assert_eq!(packs(messages).len(), 1);
        assert!(packs(Vec::new()).is_empty());
    }
}
