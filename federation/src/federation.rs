use std::sync::{Arc, OnceLock};

use axum::{Router, extract::DefaultBodyLimit};
use echorift_accounts::Accounts;
use echorift_calls::Calls;
use echorift_encryption::Encryption;
use echorift_media::Media;
use echorift_rooms::{AliasObserver as _, Rooms};
use echorift_storage::{Clock, Database, LogListener};
use echorift_web::{
    RateLimits,
    outbound::{Outbound, OutboundSetupError},
};
use ruma::ServerName;

use crate::{
    EphemeralSink, FederationClient, FederationError, FederationOptions, Keys, Policy,
    client::{ClientParts, Connector, tls_config},
    destinations::Destinations,
    discovery::{Discovery, HickoryDns, OutboundPages},
    encryption::DeviceEdus,
    inbound::{Backfills, Inbox},
    membership::Joins,
    origin::BODY_BYTES_MAX,
    outbound::{ClientTransport, Outbound as Sender, OutboundParts},
    queries::Asked,
};

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
    pub calls: Calls,
    pub limits: Arc<RateLimits>,
    /// For the pages by which servers say where they are.
    pub outbound: Outbound,
}

struct Inner {
    options: FederationOptions,
    parts: FederationParts,
    client: FederationClient,
    keys: Keys,
    policy: Policy,
    destinations: Destinations,
    asked: Asked,
    inbox: Inbox,
    backfills: Backfills,
    joins: Joins,
    sender: Sender,
    /// Where typing and presence of other servers' users go.
    ephemeral: OnceLock<Arc<dyn EphemeralSink>>,
}

impl Federation {
    /// Builds federation; nothing is sent or received before [`Federation::run`].
    ///
    /// Errors: `Setup` for a CA file that cannot be used, `Storage`.
    pub async fn start(options: FederationOptions, parts: FederationParts) -> Result<Self, FederationError> {
        let policy = Policy::new(options.server_name.clone(), options.policy.clone());
        let (database, clock) = (&parts.database, &parts.clock);
        let (initial, max) = (options.retry_initial_delay, options.retry_max_delay);
        let destinations = Destinations::start(database, clock.clone(), initial, max).await?;
        let discovery = discovery(&options, OutboundPages(parts.outbound.clone()), clock);
        let client = client(&options, policy.clone(), destinations.clone(), discovery)?;
        if policy.needs_aliases() {
            parts.rooms.observe_aliases(Arc::new(policy.clone()));
            for (alias, room) in parts.rooms.all_aliases().await? {
                policy.alias_made(&alias, &room);
            }
        }
        let keys = Keys::new(
            options.signing_key.clone(),
            options.old_keys.clone(),
            options.trusted_key_servers.clone(),
            (database, clock),
            client.clone(),
        );
        let inbox = Inbox::new(database);
        let sender = Sender::start(OutboundParts {
            rooms: parts.rooms.clone(),
            clock: clock.clone(),
            policy: policy.clone(),
            transport: Arc::new(ClientTransport::new(client.clone(), destinations.clone())),
        })
        .await?;
        Ok(Self(Arc::new(Inner {
            options,
            parts,
            client,
            keys,
            policy,
            destinations,
            asked: Asked::new(),
            inbox,
            backfills: Backfills::default(),
            joins: Joins::default(),
            sender,
            ephemeral: OnceLock::new(),
        })))
    }

    pub fn options(&self) -> &FederationOptions {
        &self.0.options
    }

    pub fn server_name(&self) -> &ServerName {
        &self.0.options.server_name
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

    pub fn calls(&self) -> &Calls {
        &self.0.parts.calls
    }

    pub fn database(&self) -> &Database {
        &self.0.parts.database
    }

    pub fn clock(&self) -> &Clock {
        &self.0.parts.clock
    }

    pub fn limits(&self) -> &RateLimits {
        &self.0.parts.limits
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

    pub fn destinations(&self) -> &Destinations {
        &self.0.destinations
    }

    pub(crate) fn asked(&self) -> &Asked {
        &self.0.asked
    }

    pub(crate) fn inbox(&self) -> &Inbox {
        &self.0.inbox
    }

    pub(crate) fn backfills(&self) -> &Backfills {
        &self.0.backfills
    }

    pub(crate) fn joins(&self) -> &Joins {
        &self.0.joins
    }

    /// Sends what is ours to others.
    pub fn sender(&self) -> &Sender {
        &self.0.sender
    }

    pub(crate) fn ephemeral_sink(&self) -> &OnceLock<Arc<dyn EphemeralSink>> {
        &self.0.ephemeral
    }

    /// Starts to send, and goes on with what was received before the last stop.
    ///
    /// [`Federation::listener`] must be a listener of the log by then.
    pub async fn run(&self) -> Result<(), FederationError> {
        self.sender().keep_durable_edus(Arc::new(DeviceEdus::new(self)));
        self.sender().run();
        self.resume_partial_joins().await?;
        self.resume_inbox().await
    }

    /// What must be made a listener of the log, before the first change.
    pub fn listener(&self) -> Arc<dyn LogListener> {
        self.sender().listener()
    }

    /// Sends nothing more, and remembers how far everyone is.
    pub async fn stop(&self) -> Result<(), FederationError> {
        Ok(self.sender().stop().await?)
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
            .merge(crate::calls::routes())
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .with_state(self.clone())
    }
}

/// Discovery with the system's DNS, from the settings that concern it.
pub(crate) fn discovery(options: &FederationOptions, pages: OutboundPages, clock: &Clock) -> Discovery {
    Discovery::new(
        options.hosts.clone(),
        options.outbound.addresses.clone(),
        Box::new(HickoryDns::new()),
        Box::new(pages),
        clock.clone(),
    )
}

/// The client alone, from the settings that concern it.
pub(crate) fn client(
    options: &FederationOptions,
    policy: Policy,
    destinations: Destinations,
    discovery: Discovery,
) -> Result<FederationClient, FederationError> {
    let setup = |error: OutboundSetupError| FederationError::Setup(error.to_string());
    let outbound = &options.outbound;
    let tls = tls_config(&outbound.extra_ca_files).map_err(setup)?;
    Ok(FederationClient::new(ClientParts {
        signing_key: options.signing_key.clone(),
        connector: Connector::new(discovery.clone(), tls, outbound.connect_timeout),
        discovery,
        destinations,
        policy,
        timeout: outbound.request_timeout,
    }))
}
