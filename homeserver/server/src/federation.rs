//! Federation, wired to the features that it serves: what lies beside it in the layers meets here.

use std::sync::Arc;

use echorift_accounts::Accounts;
use echorift_calls::Calls;
use echorift_encryption::Encryption;
use echorift_federation::{EphemeralSink, Federation, Outbound, ReceivedPresence};
use echorift_media::Media;
use echorift_rooms::{Room, Rooms};
use echorift_storage::{Timestamp, UserNumber};
use echorift_sync::{EphemeralObserver, RemotePresence, Syncs, UserPresence};
use ruma::{RoomId, UInt, UserId, api::federation::transactions::edu::PresenceUpdate};

/// The features that ask other servers for something.
pub(crate) struct Askers<'a> {
    pub rooms: &'a Rooms,
    pub accounts: &'a Accounts,
    pub encryption: &'a Encryption,
    pub media: &'a Media,
    pub calls: &'a Calls,
    pub syncs: &'a Syncs,
    /// Whether presence crosses the border.
    pub shares_presence: bool,
}

/// Tells every feature how other servers are reached. Once, before the first request.
pub(crate) fn connect(federation: &Federation, askers: &Askers<'_>) {
    let peers = Arc::new(federation.clone());
    askers.rooms.federate(Arc::clone(&peers) as _);
    askers.accounts.ask_for_profiles(Arc::clone(&peers) as _);
    askers.encryption.federate(Arc::clone(&peers) as _);
    askers.calls.federate(Arc::clone(&peers) as _);
    askers.media.fetch_remote_with(peers);
    federation.set_ephemeral_sink(Arc::new(Sink {
        syncs: askers.syncs.clone(),
        shares_presence: askers.shares_presence,
    }));
    askers.syncs.observe_ephemeral(Arc::new(Observer {
        sender: federation.sender().clone(),
        shares_presence: askers.shares_presence,
    }));
}

/// Typing and presence on their way in.
struct Sink {
    syncs: Syncs,
    shares_presence: bool,
}

impl EphemeralSink for Sink {
    fn set_typing(&self, room: &Room, user: UserNumber, is_typing: bool) {
        self.syncs.set_remote_typing(room, user, is_typing);
    }

    fn set_presence(&self, user: UserNumber, presence: ReceivedPresence) {
        if self.shares_presence {
            let presence = RemotePresence {
                state: presence.state,
                status_msg: presence.status_msg,
                last_active: presence.last_active,
                is_currently_active: presence.is_currently_active,
            };
            self.syncs.set_remote_presence(user, presence);
        }
    }
}

/// Typing and presence on their way out.
struct Observer {
    sender: Outbound,
    shares_presence: bool,
}

impl EphemeralObserver for Observer {
    fn on_typing(&self, room: &RoomId, user: &UserId, is_typing: bool) {
        self.sender.send_typing(room, user, is_typing);
    }

    fn on_presence(&self, user: &UserId, presence: &UserPresence, now: Timestamp) {
        if !self.shares_presence {
            return;
        }
        let ago = now.0.saturating_sub(presence.last_active.0).max(0);
        self.sender.send_presence(PresenceUpdate {
            user_id: user.to_owned(),
            presence: presence.state.clone(),
            status_msg: presence.status_msg.clone(),
            last_active_ago: UInt::try_from(ago).unwrap_or_default(),
            currently_active: presence.is_currently_active(),
        });
    }
}
