use std::collections::HashMap;

use echorift_storage::Timestamp;
use parking_lot::Mutex;

use crate::{Calls, Sfu, SfuError, livekit::label};

/// How long people have to come back after their SFU has lost its rooms. Clients try for longer than that, but most are back
/// within seconds.
const SETTLING_MS: i64 = 20_000;

/// The rooms, by SFU and name, that an SFU has lost, by a restart, and that were opened again: until when their people may
/// be missing.
#[derive(Default)]
pub(crate) struct Settling(Mutex<HashMap<(String, String), Timestamp>>);

impl Settling {
    fn until(&self, sfu: &Sfu, room: &str) -> Option<Timestamp> {
        let key = (sfu.options().name.clone(), room.to_owned());
        self.0.lock().get(&key).copied()
    }

    fn start(&self, sfu: &Sfu, room: &str, until: Timestamp) {
        let key = (sfu.options().name.clone(), room.to_owned());
        self.0.lock().insert(key, until);
    }

    /// Forgets the rooms that have long settled.
    pub(crate) fn prune(&self, now: Timestamp) {
        let long_ago = now.plus_ms(-SETTLING_MS);
        self.0.lock().retain(|_, until| *until > long_ago);
    }
}

impl Calls {
    /// Whether who is missing in a room, and had been there since a time, is gone. They may be on their way back where the SFU
    /// was restarted. It has lost the room then, which otherwise stays open for a while after somebody has left it: so it
    /// is missing, or was opened after they had come, by somebody who was quicker. A missing one is opened again.
    pub(crate) async fn is_settled(
        &self,
        sfu: &Sfu,
        room: &str,
        since: Option<Timestamp>,
    ) -> Result<bool, SfuError> {
        let now = self.now();
        if let Some(until) = self.0.settling.until(sfu, room) {
            return Ok(until <= now);
        }
        match sfu.opened_at(room).await? {
            None => {
                self.reopen(sfu, room).await?;
                Ok(false)
            }
            Some(opened) if since.is_some_and(|since| opened > since) => {
                self.0.settling.start(sfu, room, now.plus_ms(SETTLING_MS));
                Ok(false)
            }
            Some(_) => Ok(true),
        }
    }

    /// Opens a room that the SFU has lost.
    pub(crate) async fn reopen(&self, sfu: &Sfu, room: &str) -> Result<(), SfuError> {
        self.0.settling.start(sfu, room, self.now().plus_ms(SETTLING_MS));
        tracing::info!(
            sfu = label(&sfu.options().name),
            "the SFU has lost a call; its room is opened again"
        );
        sfu.create_room(room).await
    }
}
