use echorift_encryption::OutgoingEdu;
use echorift_storage::{Position, StorageError};
use ruma::{OwnedServerName, ServerName};

use crate::Federation;

/// What other servers are to hear of local users' devices, and what local users send to devices of theirs: EDUs that must
/// arrive, however long their destination is away.
#[derive(Clone)]
pub struct DeviceEdus(Federation);

impl DeviceEdus {
    pub fn new(federation: &Federation) -> Self {
        Self(federation.clone())
    }

    /// Which servers have EDUs with `after < position <= up_to` waiting.
    pub async fn waiting(
        &self,
        after: Position,
        up_to: Position,
    ) -> Result<Vec<OwnedServerName>, StorageError> {
        let servers = self.0.encryption().edu_destinations(after, up_to).await?;
        Ok(servers.into_iter().collect())
    }

    /// The first `limit` EDUs for `destination` after a position, in order of position; each has its own. Fewer than
    /// `limit` mean that there are no more.
    pub async fn next(
        &self,
        destination: &ServerName,
        after: Position,
        limit: usize,
    ) -> Result<Vec<(Position, OutgoingEdu)>, StorageError> {
        let with_names = self.0.options().share_device_names;
        self.0
            .encryption()
            .outgoing_edus(destination, after, limit, with_names)
            .await
    }

    /// The destination has everything up to here.
    pub async fn delivered(&self, destination: &ServerName, up_to: Position) -> Result<(), StorageError> {
        self.0.encryption().edus_delivered(destination, up_to).await
    }
}
