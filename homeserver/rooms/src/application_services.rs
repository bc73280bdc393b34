//! What the room engine asks application services, and what it tells of aliases to whoever keeps up with them.

use std::sync::{Arc, atomic::Ordering};

use echorift_web::BoxFuture;
use ruma::RoomAliasId;

use crate::Rooms;

/// The registered services; `appservices` implements it.
pub trait ApplicationServices: Send + Sync {
    /// Whether an alias of this server is for `service` to make and delete; `None` stands for people. A namespace that is
    /// exclusive is closed to all but its service, and a service is confined to its namespaces (AS API § Server admin
    /// style permissions).
    fn may_manage_alias(&self, alias: &RoomAliasId, service: Option<&str>) -> bool;

    /// Asks the service in whose namespace an unknown alias is whether there is such a room, which it makes meanwhile (AS
    /// API § Querying).
    fn query_alias<'a>(&'a self, alias: &'a RoomAliasId) -> BoxFuture<'a, bool>;
}

impl Rooms {
    /// Names the registered services; only the first call counts.
    pub fn serve_applications(&self, services: Arc<dyn ApplicationServices>) {
        let _ = self.0.services.set(services);
    }

    /// Whether an alias is for `service`, or (`None`) for people, to make and delete.
    pub(crate) fn may_manage_alias(&self, alias: &RoomAliasId, service: Option<&str>) -> bool {
        let services = self.0.services.get();
        services.is_none_or(|services| services.may_manage_alias(alias, service))
    }

    /// Whether a service says that there is a room of this alias after all.
    pub(crate) async fn ask_services_for(&self, alias: &RoomAliasId) -> bool {
        match self.0.services.get() {
            Some(services) => services.query_alias(alias).await,
            None => false,
        }
    }

    /// Moves on whenever an alias of this server was made or deleted; lost with the process.
    pub fn alias_changes(&self) -> u64 {
        self.0.alias_changes.load(Ordering::Acquire)
    }
}
