//! Requests to other servers: found, signed, bounded, and not repeated in vain.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use ruma::{
    ServerName,
    api::{OutgoingRequest, federation::authentication::ServerSignatures, path_builder::SinglePath},
};

use crate::FederationError;

/// Asks other servers. Cheap to clone.
#[derive(Clone)]
pub struct FederationClient;

/// How one request differs from the others.
#[derive(Debug, Clone, Copy, Default)]
pub struct SendOptions {
    pub timeout: Option<Duration>,
    pub answer_bytes_max: usize,
    pub even_backing_off: bool,
}

/// A body in canonical JSON.
pub struct CanonicalBody;

/// An answer whose body is still to be read, within its bounds of size and time.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
}

impl Answer {
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, FederationError> {
        Ok(None)
    }
}

impl FederationClient {
    pub async fn send_raw(
        &self,
        destination: &ServerName,
        method: Method,
        path_and_query: &str,
        body: Option<&CanonicalBody>,
        options: SendOptions,
    ) -> Result<Answer, FederationError> {
        let _ = (method, path_and_query, body, options);
        Err(FederationError::BackingOff(destination.to_owned()))
    }

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
