//! Where a server is to be found (SS API § Resolving server names).
//!
//! It happens in two steps. [`Discovery::authority_of`] answers which name a server's requests go to: its own, or the
//! one that its `/.well-known/matrix/server` delegates to. That name is the `Host` of every request, and the
//! certificate is checked against it. [`Discovery::locate`] answers at which addresses that name is, from its port,
//! SRV records and the usual port; it is asked only when a connection is opened, so that DNS decides each time.

mod dns;
mod locate;
mod well_known;

#[cfg(test)]
mod tests;

use std::{collections::HashMap, sync::Arc};

use echorift_storage::Clock;
use echorift_web::outbound::AddressPolicy;
use ruma::{OwnedServerName, ServerName};

#[cfg(test)]
pub(crate) use self::{dns::Service, well_known::Page};
pub(crate) use self::{
    dns::{Dns, HickoryDns},
    locate::LocateError,
    well_known::{OutboundPages, Pages},
};
use crate::HostAndPort;

/// Finds servers. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Discovery(Arc<Inner>);

struct Inner {
    hosts: HashMap<OwnedServerName, HostAndPort>,
    addresses: AddressPolicy,
    dns: Box<dyn Dns>,
    well_known: well_known::WellKnown,
}

impl Discovery {
    pub(crate) fn new(
        hosts: HashMap<OwnedServerName, HostAndPort>,
        addresses: AddressPolicy,
        dns: Box<dyn Dns>,
        pages: Box<dyn Pages>,
        clock: Clock,
    ) -> Self {
        Self(Arc::new(Inner {
            hosts,
            addresses,
            dns,
            well_known: well_known::WellKnown::new(pages, clock),
        }))
    }

    /// The name that requests to `server` carry as `Host`, and that the certificate must be for: steps 1 to 3.
    pub(crate) async fn authority_of(&self, server: &ServerName) -> OwnedServerName {
        let is_final = self.0.hosts.contains_key(server) || server.is_ip_literal() || server.port().is_some();
        if is_final {
            return server.to_owned();
        }
        match self.0.well_known.delegation(server.host()).await {
            Some(delegated) => delegated,
            None => server.to_owned(),
        }
    }
}
