use echorift_storage::{Change, Position, StorageError, UserNumber};
use ruma::{DeviceId, events::AnyToDeviceEvent, serde::Raw};

use crate::{Encryption, store};

/// How many messages one answer takes (CS API § Send-to-Device messaging recommends as many).
const PAGE: usize = 100;

/// Messages for one device.
#[derive(Debug)]
pub struct ToDevicePage {
    /// Oldest first.
    pub events: Vec<Raw<AnyToDeviceEvent>>,
    /// Everything up to here is told with these: the position of the last one if there are more.
    pub up_to: Position,
}

impl Encryption {
    /// The messages of a device after `after` and up to `up_to`, oldest first, at most 100. Without any, no database
    /// is asked.
    pub async fn to_device(
        &self,
        user: UserNumber,
        device: &DeviceId,
        after: Position,
        up_to: Position,
    ) -> Result<ToDevicePage, StorageError> {
        self.to_device_page(user, device, (after, up_to), PAGE).await
    }

    /// As [`Encryption::to_device`], for a client that takes fewer at a time.
    pub async fn to_device_page(
        &self,
        user: UserNumber,
        device: &DeviceId,
        (after, up_to): (Position, Position),
        limit: usize,
    ) -> Result<ToDevicePage, StorageError> {
        let page_size = limit.clamp(1, PAGE);
        let memory = self.0.users.device(user, device);
        self.load_inbox(user, device, &memory).await?;
        let latest = memory.inbox.lock().latest;
        if latest <= after {
            return Ok(ToDevicePage {
                events: Vec::new(),
                up_to,
            });
        }
        let limit = i64::try_from(page_size + 1).unwrap_or(i64::MAX);
        let mut messages =
            store::to_device::page(&self.0.database, user, device, (after, up_to), limit).await?;
        let has_more = messages.len() > page_size;
        messages.truncate(page_size);
        let last = messages.last().map(|(position, _)| *position);
        Ok(ToDevicePage {
            up_to: last.filter(|_| has_more).unwrap_or(up_to),
            events: messages.into_iter().map(|(_, event)| event).collect(),
        })
    }

    /// Deletes what the client has acknowledged by coming back with a token.
    ///
    /// It is not waited for: after a crash the messages are still there, and the client's token still says that they
    /// need not be told again.
    pub async fn acknowledge(
        &self,
        user: UserNumber,
        device: &DeviceId,
        up_to: Position,
    ) -> Result<(), StorageError> {
        let memory = self.0.users.device(user, device);
        self.load_inbox(user, device, &memory).await?;
        if !memory.inbox.lock().acknowledge(up_to) {
            return Ok(());
        }
        let mut change = Change::new();
        store::to_device::delete(&mut change, user, device, up_to);
        drop(self.0.database.writer().submit(change).await);
        Ok(())
    }

    async fn load_inbox(
        &self,
        user: UserNumber,
        device: &DeviceId,
        memory: &crate::users::DeviceMemory,
    ) -> Result<(), StorageError> {
        // A message that is committed meanwhile is noted beside it: see `Users::message_arrived`.
        memory
            .inbox_loaded
            .get_or_try_init(|| async {
                if let Some((first, latest)) =
                    store::to_device::bounds(&self.0.database, user, device).await?
                {
                    memory.inbox.lock().note(first, latest);
                }
                Ok(())
            })
            .await
            .copied()
    }
}
