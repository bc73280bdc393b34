//! Signing keys: ours, published, and those of other servers, fetched and kept (SS API § Retrieving server keys).

use axum::Router;
use ruma::{MilliSecondsSinceUnixEpoch, OwnedServerName, signatures::PublicKeyMap};

use crate::{Federation, FederationError};

/// The signing keys of servers. Cheap to clone.
#[derive(Clone)]
pub struct Keys;

impl Keys {
    pub(crate) fn new() -> Self {
        Self
    }

    /// The keys of these servers, each valid at the time given with it: from memory, the database, the server itself,
    /// then the trusted notaries. Keys that cannot be had are left out. `key_ids` names those that are needed.
    pub async fn valid_at(
        &self,
        wanted: &[(OwnedServerName, Vec<String>, MilliSecondsSinceUnixEpoch)],
    ) -> Result<PublicKeyMap, FederationError> {
        let _ = wanted;
        Ok(PublicKeyMap::new())
    }
}

pub(crate) fn routes() -> Router<Federation> {
    Router::new()
}
