use std::{collections::HashMap, path::PathBuf, sync::Arc, time::Duration};

use echorift_accounts::{Accounts, ApplicationService, ApplicationServices as OfAccounts};
use echorift_encryption::Encryption;
use echorift_rooms::{ApplicationServices as OfRooms, Rooms};
use echorift_storage::{LogListener, RoomNumber, UserNumber};
use echorift_web::{BoxFuture, outbound::OutboundOptions};
use parking_lot::{Mutex, RwLock};
use ruma::{RoomAliasId, UserId};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::{
    ServiceStatus, ServicesError,
    client::ServiceClient,
    delivery::{Delivery, Shared, Wake, dispatch, tell_ephemeral},
    ephemeral::Ephemeral,
    interest::Interest,
    pages::Pages,
    queries::Queries,
    recent::Recent,
    registration::read_files,
    registry::Registry,
    status::Status,
};

/// What the operator configures (`[application_services]`).
#[derive(Debug, Clone)]
pub struct AppServicesOptions {
    /// Registrations, one service each.
    pub files: Vec<PathBuf>,
    /// For one request to a service.
    pub request_timeout: Duration,
    /// How long to wait at most before a service that takes nothing is tried again.
    pub retry_max_delay: Duration,
    /// What is trusted, and how long connecting may take. Addresses are the operator's, so none is denied.
    pub outbound: OutboundOptions,
}

/// What application services are built on.
pub struct AppServicesParts {
    pub rooms: Rooms,
    pub accounts: Accounts,
    pub encryption: Encryption,
}

/// The registered services. Cheap to clone.
#[derive(Clone)]
pub struct AppServices(Arc<Inner>);

struct Inner {
    options: AppServicesOptions,
    parts: AppServicesParts,
    client: ServiceClient,
    /// Replaced as a whole when the registrations are read again.
    registry: RwLock<Arc<Registry>>,
    running: Mutex<Running>,
    /// Held while the registrations are read again: nobody else waits for it.
    reloading: tokio::sync::Mutex<()>,
    ephemeral: Arc<Ephemeral>,
    recent: Arc<Recent>,
}

/// The tasks of a registry. They end when this is dropped.
#[derive(Default)]
struct Running {
    tasks: JoinSet<()>,
    services: HashMap<String, (Status, Arc<Wake>)>,
}

impl AppServices {
    /// Reads the registrations. [`AppServices::listener`] must be made a listener of the log before the first change, and
    /// [`AppServices::run`] called after that.
    ///
    /// Errors: `Registrations` with all that is wrong with them.
    pub fn start(options: AppServicesOptions, parts: AppServicesParts) -> Result<Self, ServicesError> {
        let registrations = read_files(&options.files, parts.rooms.server_name())?;
        let registry = Registry::new(&registrations, parts.rooms.server_name())?;
        let client = ServiceClient::new(&options.outbound, options.request_timeout)?;
        let services = Self(Arc::new(Inner {
            options,
            client,
            registry: RwLock::new(Arc::new(registry)),
            running: Mutex::default(),
            reloading: tokio::sync::Mutex::default(),
            ephemeral: Arc::default(),
            recent: Arc::new(Recent::new(parts.rooms.database().log().visible())),
            parts,
        }));
        let parts = &services.0.parts;
        parts.accounts.serve_applications(Arc::new(services.clone()));
        parts.rooms.serve_applications(Arc::new(services.clone()));
        parts.encryption.serve_applications(Arc::new(services.clone()));
        Ok(services)
    }

    /// Makes the users as whom the services act, and begins to tell the services what concerns them.
    pub async fn run(&self) -> Result<(), ServicesError> {
        let registry = self.registry();
        self.ensure_senders(&registry).await?;
        self.tell(&registry);
        Ok(())
    }

    /// Reads the registrations again, and goes on with what they say now. How many services there are. Where anything is
    /// wrong with them, all stays as it was.
    ///
    /// Errors: `Registrations` with all that is wrong with them.
    pub async fn reload(&self) -> Result<usize, ServicesError> {
        let _alone = self.0.reloading.lock().await;
        let server_name = self.0.parts.rooms.server_name();
        let registrations = read_files(&self.0.options.files, server_name)?;
        let registry = Arc::new(Registry::new(&registrations, server_name)?);
        self.ensure_senders(&registry).await?;
        *self.0.registry.write() = Arc::clone(&registry);
        let count = registry.services.len();
        self.tell(&registry);
        tracing::info!(
            services = count,
            "the registrations of application services were read again"
        );
        Ok(count)
    }

    /// All endpoints of this crate. The server adds the token verifier as an extension.
    pub fn router(&self) -> axum::Router {
        crate::http::router().with_state(self.clone())
    }

    /// What follows the log in memory.
    pub fn listeners(&self) -> [Arc<dyn LogListener>; 2] {
        [
            Arc::clone(&self.0.ephemeral) as _,
            Arc::clone(&self.0.recent) as _,
        ]
    }

    /// Who types in a room now.
    pub fn set_typing(&self, room: RoomNumber, users: Vec<UserNumber>) {
        self.0.ephemeral.set_typing(room, users);
    }

    /// The content of a user's `m.presence`.
    pub fn set_presence(&self, user: UserNumber, content: Value) {
        self.0.ephemeral.set_presence(user, content);
    }

    /// How each service is doing, in the order of the registrations.
    pub fn statuses(&self) -> Vec<ServiceStatus> {
        let visible = self.0.parts.rooms.database().log().visible();
        let running = self.0.running.lock();
        let registry = self.registry();
        let show = |service: &Arc<crate::registry::Service>| {
            let id = service.registration.id.clone();
            let known = running.services.get(&id);
            let progress = known.map(|(status, _)| status.of());
            let url = service.registration.url.as_ref();
            let lag = progress.as_ref().filter(|progress| !progress.is_idle);
            let failing = progress.as_ref().and_then(|progress| progress.failing.clone());
            ServiceStatus {
                id,
                url: url.map(ToString::to_string),
                sender: service.sender.to_string(),
                lag_positions: lag.map_or(0, |progress| visible.0.saturating_sub(progress.position.0).max(0)),
                transactions: progress.as_ref().map_or(0, |progress| progress.transactions),
                last_success: progress.as_ref().and_then(|progress| progress.last_success),
                failing_since: failing.as_ref().map(|failing| failing.since),
                attempts: failing.as_ref().map_or(0, |failing| failing.attempts),
                last_error: failing.map(|failing| failing.reason),
            }
        };
        registry.services.iter().map(show).collect()
    }

    pub(crate) fn registry(&self) -> Arc<Registry> {
        Arc::clone(&self.0.registry.read())
    }

    pub(crate) fn parts(&self) -> &AppServicesParts {
        &self.0.parts
    }

    pub(crate) fn client(&self) -> &ServiceClient {
        &self.0.client
    }

    pub(crate) fn queries<'a>(&'a self, registry: &'a Registry) -> Queries<'a> {
        Queries {
            registry,
            client: &self.0.client,
        }
    }

    /// A service was heard of: what waits for it need not wait longer.
    pub(crate) fn try_again(&self, id: &str) {
        if let Some((_, wake)) = self.0.running.lock().services.get(id) {
            wake.try_again();
        }
    }

    async fn ensure_senders(&self, registry: &Registry) -> Result<(), ServicesError> {
        for service in &registry.services {
            self.0.parts.accounts.ensure_sender(service.as_ref()).await?;
        }
        Ok(())
    }

    /// Ends the tasks of the registry before, and starts those of this one. A request that is under way then is repeated
    /// under its transaction ID.
    fn tell(&self, registry: &Arc<Registry>) {
        let parts = &self.0.parts;
        let wants_ephemeral = registry
            .services
            .iter()
            .any(|service| service.registration.wants_ephemeral);
        self.0.ephemeral.want(wants_ephemeral);
        self.0.recent.want(
            registry
                .services
                .iter()
                .any(|service| service.registration.url.is_some()),
        );
        let interest = Interest::new(Arc::clone(registry), &parts.rooms);
        let shared = Arc::new(Shared {
            pages: Pages::new(interest, &self.0.recent, &parts.rooms, &parts.encryption),
            rooms: parts.rooms.clone(),
            encryption: parts.encryption.clone(),
            client: self.0.client.clone(),
            retry_max_delay: self.0.options.retry_max_delay,
        });
        let mut running = Running::default();
        let mut wakes = Vec::new();
        // Before the services' tasks begin to read.
        let now = parts.rooms.database().log().visible();
        // The tasks before must not write down where they are any more.
        *self.0.running.lock() = Running::default();
        for service in registry
            .services
            .iter()
            .filter(|service| service.registration.url.is_some())
        {
            let (status, wake) = (Status::default(), Arc::<Wake>::default());
            let delivery = Delivery {
                service: Arc::clone(service),
                shared: Arc::clone(&shared),
                status: status.clone(),
                wake: Arc::clone(&wake),
            };
            running.tasks.spawn(delivery.run());
            wakes.push((service.index, Arc::clone(&wake)));
            running
                .services
                .insert(service.registration.id.clone(), (status, wake));
        }
        if !wakes.is_empty() {
            running.tasks.spawn(dispatch(Arc::clone(&shared), wakes, now));
            running
                .tasks
                .spawn(tell_ephemeral(shared, Arc::clone(&self.0.ephemeral)));
        }
        *self.0.running.lock() = running;
    }
}

impl OfAccounts for AppServices {
    fn of_token(&self, token: &str) -> Option<Arc<dyn ApplicationService>> {
        let registry = self.registry();
        let service = registry.of_token(token)?;
        Some(Arc::clone(service) as Arc<dyn ApplicationService>)
    }

    fn is_exclusive(&self, user: &UserId) -> bool {
        self.registry().is_exclusive_user(user)
    }

    fn query_user<'a>(&'a self, user: &'a UserId) -> BoxFuture<'a, bool> {
        Box::pin(async move { self.queries(&self.registry()).knows_user(user).await })
    }
}

impl OfRooms for AppServices {
    fn may_manage_alias(&self, alias: &RoomAliasId, service: Option<&str>) -> bool {
        self.registry().may_manage_alias(alias, service)
    }

    fn query_alias<'a>(&'a self, alias: &'a RoomAliasId) -> BoxFuture<'a, bool> {
        Box::pin(async move { self.queries(&self.registry()).knows_alias(alias).await })
    }
}
