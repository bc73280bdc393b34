//! Requests of other servers (SS API § Authentication).

use axum::extract::{FromRequest, Request};
use echorift_web::MatrixError;
use ruma::{OwnedServerName, api::IncomingRequest};

use crate::Federation;

/// A request of another server, whose signature was checked against its keys, and which the policy lets in.
///
/// As an extractor it reads the whole body, so it stands last.
#[derive(Debug)]
pub struct Signed<R> {
    pub origin: OwnedServerName,
    pub request: R,
}

impl<R: IncomingRequest> FromRequest<Federation> for Signed<R> {
    type Rejection = MatrixError;

    async fn from_request(request: Request, federation: &Federation) -> Result<Self, MatrixError> {
        let _ = (request, federation);
        Err(MatrixError::forbidden("No request is believed yet."))
    }
}
