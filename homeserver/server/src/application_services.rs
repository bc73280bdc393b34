//! Application services, wired to the features that they follow: what lies above them in the layers meets them here.

use std::sync::Arc;

use echorift_appservices::AppServices;
use echorift_storage::{RoomNumber, UserNumber};
use echorift_sync::{EphemeralListener, Syncs};
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};

/// Has services told of typing and presence.
pub(crate) fn connect(services: &AppServices, syncs: &Syncs) {
    syncs.listen_to_ephemeral(Arc::new(Listener(services.clone())));
}

struct Listener(AppServices);

impl EphemeralListener for Listener {
    fn on_room_typing(&self, room: RoomNumber, users: Vec<UserNumber>) {
        self.0.set_typing(room, users);
    }

    fn on_presence_event(&self, user: UserNumber, content: Value) {
        self.0.set_presence(user, content);
    }
}

/// Reads the registrations again with each SIGHUP, for as long as the server runs.
pub(crate) async fn reload_on_hangup(services: AppServices) {
    let mut hangup = match signal(SignalKind::hangup()) {
        Ok(hangup) => hangup,
        Err(error) => {
            tracing::error!(%error, "SIGHUP cannot be heard: registrations are read again through the admin API only");
            return;
        }
    };
    while hangup.recv().await.is_some() {
        if let Err(error) = services.reload().await {
            tracing::error!(%error, "the registrations were not read again; those of before stay");
        }
    }
}
