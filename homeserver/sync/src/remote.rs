//! Typing and presence across servers: what others are told of local users, and what they say of theirs.

use std::sync::Arc;

use echorift_rooms::Room;
use echorift_storage::{RoomNumber, StorageError, Timestamp, UserNumber};
use ruma::{RoomId, UserId};

use crate::{
    Syncs,
    presence::{RemotePresence, UserPresence},
    typing::{REMOTE_TIMEOUT, TypingEnd},
};

/// Is told of what local users do that is not in the log. Its methods must be quick and must not wait.
pub trait EphemeralObserver: Send + Sync {
    /// A local user types in a room, or no longer does. Said again now and then while it goes on.
    fn on_typing(&self, room: &RoomId, user: &UserId, is_typing: bool);

    /// The presence of a local user at `now`. Said again now and then while the user is about.
    fn on_presence(&self, user: &UserId, presence: &UserPresence, now: Timestamp);
}

/// Is told of typing and presence as all who share a room are, whoever's it is. Its methods must be quick and must not
/// wait.
pub trait EphemeralListener: Send + Sync {
    /// Who types in a room now.
    fn on_room_typing(&self, room: RoomNumber, users: Vec<UserNumber>);

    /// The content of a user's `m.presence` event.
    fn on_presence_event(&self, user: UserNumber, content: serde_json::Value);
}

impl Syncs {
    /// Names who is told of all typing and presence, once. Whether nobody was named before.
    pub fn listen_to_ephemeral(&self, listener: Arc<dyn EphemeralListener>) -> bool {
        self.listener_cell().set(listener).is_ok()
    }

    /// Names who is told of local users' typing and presence, once. Whether nobody was named before.
    pub fn observe_ephemeral(&self, observer: Arc<dyn EphemeralObserver>) -> bool {
        self.observer_cell().set(observer).is_ok()
    }

    /// A user of another server types in a room, or no longer does. The caller has checked that the user is joined.
    pub fn set_remote_typing(&self, room: &Room, user: UserNumber, is_typing: bool) {
        let now = self.clock().now();
        let timeout_ms = i64::try_from(REMOTE_TIMEOUT.as_millis()).unwrap_or(i64::MAX);
        let until = is_typing.then(|| now.plus_ms(timeout_ms));
        if let Some(version) = self.typing().set(room.number, user, until, now).version {
            self.tell_typing(room, version);
        }
    }

    /// The presence of a user of another server. Without presence on this server nothing is kept.
    pub fn set_remote_presence(&self, user: UserNumber, presence: RemotePresence) {
        if let Some(known) = self.presence() {
            known.set_remote(user, presence, self.clock().now());
        }
    }

    /// Tells other servers that a local user types, or has stopped.
    pub(crate) fn tell_servers_of_typing(&self, room: &Room, user: &UserId, is_typing: bool) {
        if let Some(observer) = self.observer_cell().get() {
            observer.on_typing(&room.id, user, is_typing);
        }
    }

    /// Tells other servers of local users' typing that has run out.
    pub(crate) async fn tell_servers_of_end(&self, room: &Room, end: &TypingEnd) -> Result<(), StorageError> {
        if self.observer_cell().get().is_none() {
            return Ok(());
        }
        for user in self.rooms().user_ids(&end.users).await? {
            if self.rooms().is_local(&user) {
                self.tell_servers_of_typing(room, &user, false);
            }
        }
        Ok(())
    }

    /// Tells other servers the presence of those of these users who are of this one.
    pub(crate) async fn tell_servers_of_presence(&self, users: &[UserNumber]) -> Result<(), StorageError> {
        let (Some(observer), Some(presence)) = (self.observer_cell().get(), self.presence()) else {
            return Ok(());
        };
        let now = self.clock().now();
        let ids = self.rooms().user_ids(users).await?;
        for (user, id) in users.iter().zip(ids) {
            if self.rooms().is_local(&id)
                && let Some(known) = presence.of(*user)
            {
                observer.on_presence(&id, &known, now);
            }
        }
        Ok(())
    }
}
