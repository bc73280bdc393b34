//! Marking what was read (CS API § Receipts, § Fully read markers).

use std::sync::Arc;

use echorift_accounts::Accounts;
use echorift_storage::{Position, UserNumber};
use ruma::{EventId, OwnedEventId, UserId, events::receipt::ReceiptThread};
use serde::{Deserialize, Serialize};
use serde_json::value::to_raw_value;

use crate::{Event, Receipt, ReceiptKey, ReceiptKind, Room, RoomError, Rooms, receipts};

/// Up to where somebody has read, in one thread or (unthreaded) everywhere.
#[derive(Debug, Clone)]
pub struct ReadUpTo {
    pub kind: ReceiptKind,
    pub thread: ReceiptThread,
    pub event_id: OwnedEventId,
}

#[derive(Debug, Serialize, Deserialize)]
struct FullyRead {
    event_id: OwnedEventId,
}

impl Rooms {
    /// Takes receipts of a member. Those that would go backwards change nothing.
    ///
    /// Errors: `NotJoined`, `UnknownEvent`, `BadRequest` if an event does not belong to the thread.
    pub async fn receive_receipts(
        &self,
        room: &Arc<Room>,
        (user, user_id): (UserNumber, &UserId),
        read: Vec<ReadUpTo>,
    ) -> Result<(), RoomError> {
        self.check_joined(room, user_id).await?;
        let known = room.receipts.all();
        let mut new = Vec::with_capacity(read.len());
        for read in read {
            let event = self.event_by_id(room, &read.event_id).await?;
            let thread = self.check_thread(room, &event, &read.thread).await?;
            let key = ReceiptKey {
                user,
                kind: read.kind,
                thread,
            };
            if known
                .get(&key)
                .is_some_and(|known| known.read_position >= event.position())
            {
                continue;
            }
            let receipt = Receipt {
                event_id: read.event_id,
                read_position: event.position(),
                ts: self.clock().now(),
                position: Position(0),
            };
            new.push((key, receipt));
        }
        if new.is_empty() {
            return Ok(());
        }
        Ok(receipts::commit(self.database(), room, new).await?)
    }

    /// The name of the thread, if the event is part of it.
    pub(crate) async fn check_thread(
        &self,
        room: &Room,
        event: &Event,
        thread: &ReceiptThread,
    ) -> Result<Arc<str>, RoomError> {
        let unrelated = || RoomError::BadRequest("The event does not belong to that thread.".to_owned());
        match thread {
            ReceiptThread::Unthreaded => Ok("".into()),
            ReceiptThread::Main => match self.thread_of(room, event).await? {
                None => Ok("main".into()),
                Some(_) => Err(unrelated()),
            },
            // The root counts for the main timeline, but clients that have opened an empty thread name it as well.
            ReceiptThread::Thread(root) if *root == event.pdu.event_id => Ok(root.as_str().into()),
            ReceiptThread::Thread(root) => match self.thread_of(room, event).await? {
                Some(found) if found == *root => Ok(root.as_str().into()),
                _ if self.is_related(room, event, root).await? => Ok(root.as_str().into()),
                _ => Err(unrelated()),
            },
            _ => Err(RoomError::BadRequest(
                "`thread_id` is neither `main` nor an event ID.".to_owned(),
            )),
        }
    }

    /// Moves the fully-read marker of a member, but never backwards. Errors: `NotJoined`, `UnknownEvent`.
    pub async fn mark_fully_read(
        &self,
        accounts: &Accounts,
        room: &Room,
        (user, user_id): (UserNumber, &UserId),
        event_id: &EventId,
    ) -> Result<(), RoomError> {
        self.check_joined(room, user_id).await?;
        let event = self.event_by_id(room, event_id).await?;
        let data = accounts.room_account_data(user).await?;
        let datum = data.get(&room.number).and_then(|data| data.get("m.fully_read"));
        if let Some(marked) =
            datum.and_then(|datum| serde_json::from_str::<FullyRead>(datum.content.get()).ok())
        {
            match self.event_by_id(room, &marked.event_id).await {
                Ok(marked) if marked.position() >= event.position() => return Ok(()),
                Ok(_) | Err(RoomError::UnknownEvent(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let content = to_raw_value(&FullyRead {
            event_id: event_id.to_owned(),
        });
        let content = content.map_err(|error| RoomError::BadRequest(error.to_string()))?;
        Ok(accounts
            .set_room_account_data(user, room.number, "m.fully_read", content)
            .await?)
    }
}

#[cfg(test)]
mod tests;
