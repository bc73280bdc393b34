use std::sync::{Arc, OnceLock};

use axum::Router;
use echorift_accounts::Accounts;
use echorift_encryption::Encryption;
use echorift_media::Media;
use echorift_rooms::Rooms;
use echorift_storage::{Clock, Database};

use crate::{EphemeralSink, FederationClient, FederationError, FederationOptions, Keys, Policy};

/// Federation with other servers. Cheap to clone.
#[derive(Clone)]
pub struct Federation(Arc<Inner>);

/// What federation is built on.
pub struct FederationParts {
    pub database: Database,
    pub clock: Clock,
    pub rooms: Rooms,
    pub accounts: Accounts,
    pub encryption: Encryption,
    pub media: Media,
}

struct Inner {
    options: FederationOptions,
    parts: FederationParts,
    client: FederationClient,
    keys: Keys,
    policy: Policy,
    /// Where typing and presence of other servers' users go.
    ephemeral: OnceLock<Arc<dyn EphemeralSink>>,
}

impl Federation {
    /// Builds federation; nothing is sent or received before [`Federation::run`].
    pub async fn start(options: FederationOptions, parts: FederationParts) -> Result<Self, FederationError> {
        let inner = Inner {
            options,
            parts,
            client: FederationClient::new(),
            keys: Keys::new(),
            policy: Policy::new(),
            ephemeral: OnceLock::new(),
        };
        Ok(Self(Arc::new(inner)))
    }

    pub fn options(&self) -> &FederationOptions {
        &self.0.options
    }

    pub fn rooms(&self) -> &Rooms {
        &self.0.parts.rooms
    }

    pub fn accounts(&self) -> &Accounts {
        &self.0.parts.accounts
    }

    pub fn encryption(&self) -> &Encryption {
        &self.0.parts.encryption
    }

    pub fn media(&self) -> &Media {
        &self.0.parts.media
    }

    pub fn database(&self) -> &Database {
        &self.0.parts.database
    }

    pub fn clock(&self) -> &Clock {
        &self.0.parts.clock
    }

    pub fn client(&self) -> &FederationClient {
        &self.0.client
    }

    pub fn keys(&self) -> &Keys {
        &self.0.keys
    }

    pub fn policy(&self) -> &Policy {
        &self.0.policy
    }

    pub(crate) fn ephemeral_sink(&self) -> &OnceLock<Arc<dyn EphemeralSink>> {
        &self.0.ephemeral
    }

    /// All endpoints of the server-server API.
    pub fn router(&self) -> Router {
        Router::new()
            .merge(crate::keys::routes())
            .merge(crate::inbound::routes())
            .merge(crate::membership::routes())
            .merge(crate::queries::routes())
            .merge(crate::encryption::routes())
            .merge(crate::media::routes())
            .with_state(self.clone())
    }
}
