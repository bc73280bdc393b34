//! Messages that devices of other servers send to local devices (SS API § Send-to-device messaging).

use std::collections::BTreeMap;

use echorift_storage::Change;
use ruma::{OwnedUserId, events::AnyToDeviceEventContent, serde::Raw, to_device::DeviceIdOrAllDevices};

use crate::{
    Encryption, EncryptionError,
    send::{self, Messages},
    store,
};

/// How many messages one EDU may hold; a client's request may name as many devices, all of one server.
const MESSAGES_MAX: usize = 50_000;
/// Longer IDs are refused: the specification allows 32 code points.
const MESSAGE_ID_BYTES_MAX: usize = 255;
/// Longer event types are refused (CS API § Size limits).
const EVENT_TYPE_BYTES_MAX: usize = 255;
/// How long a delivered message is remembered: a server that got no answer repeats itself within days.
pub(crate) const LIFETIME_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// The content of an `m.direct_to_device`.
#[derive(Debug, Clone)]
pub struct ReceivedMessages {
    pub sender: OwnedUserId,
    pub event_type: String,
    pub message_id: String,
    pub messages: BTreeMap<OwnedUserId, BTreeMap<DeviceIdOrAllDevices, Raw<AnyToDeviceEventContent>>>,
}

impl Encryption {
    /// Delivers messages to local devices, once: durable before this returns. What is for users of other servers, for
    /// devices that do not exist, or malformed, is passed over. The caller has checked that the sender is of the server
    /// that says so. Whether the message is new.
    ///
    /// Errors: `TooLarge`, `Storage`.
    pub async fn receive_messages(&self, received: ReceivedMessages) -> Result<bool, EncryptionError> {
        let ReceivedMessages {
            sender,
            event_type,
            message_id,
            messages,
        } = received;
        for (what, is, limit) in [
            (
                "the number of messages",
                messages.values().map(BTreeMap::len).sum(),
                MESSAGES_MAX,
            ),
            ("a message's ID", message_id.len(), MESSAGE_ID_BYTES_MAX),
            ("a message's type", event_type.len(), EVENT_TYPE_BYTES_MAX),
        ] {
            if is > limit {
                return Err(EncryptionError::TooLarge { what, limit });
            }
        }
        let messages: Messages = messages
            .into_iter()
            .filter(|(user, _)| self.is_local(user))
            .map(|(user, mut devices)| {
                devices.retain(|_, content| send::judge(content.json()).is_ok());
                (user, devices)
            })
            .collect();
        let mut change = Change::new();
        let recipients = self
            .address(&mut change, (&sender, &event_type), &messages)
            .await?;
        if recipients.is_empty() {
            return Ok(false);
        }
        let change = self.with_arrival(change, recipients);
        let now = self.0.rooms.clock().now();
        let step = self.0.database.writer().transact(move |tx| {
            Box::pin(async move {
                let is_new = store::remote_messages::receive(tx, &sender, &message_id, now).await?;
                if is_new {
                    tx.apply(change).await?;
                }
                Ok::<_, EncryptionError>(is_new)
            })
        });
        step.await
    }
}
