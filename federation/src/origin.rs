//! Requests of other servers (SS API § Authentication).

use std::{collections::BTreeMap, fmt};

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
};
use echorift_web::{LimitKind, MatrixError, RateLimits, parse_request, read_body};
use http::{StatusCode, request::Parts};
use ruma::{OwnedServerName, ServerName, api::IncomingRequest};

use crate::{
    CanonicalBody, Destinations, Federation, Keys, Policy,
    client::{RequestToSign, signatures_of},
    policy::Crossing,
};

/// The largest body of a request between servers. A transaction holds at most 50 PDUs of 64 KiB and 100 EDUs, which may be
/// larger; events for joins and invites come one at a time.
pub(crate) const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A request of another server, whose signature was checked against its keys, and which the policy lets in.
///
/// As an extractor it reads the whole body, so it stands last.
pub struct Signed<R> {
    pub origin: OwnedServerName,
    pub request: R,
}

impl<R: fmt::Debug> fmt::Debug for Signed<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed")
            .field("origin", &self.origin)
            .field("request", &self.request)
            .finish()
    }
}

impl<R: IncomingRequest> FromRequest<Federation> for Signed<R> {
    type Rejection = MatrixError;

    async fn from_request(request: Request, federation: &Federation) -> Result<Self, MatrixError> {
        let (mut parts, body) = read_body(request, federation).await?;
        let origin = admit(federation, &parts, &body).await?;
        let request = parse_request(&mut parts, &body, federation).await?;
        Ok(Self { origin, request })
    }
}

/// Who sent this request. Errors as [`Gate::admit`].
pub(crate) async fn admit(
    federation: &Federation,
    parts: &Parts,
    body: &Bytes,
) -> Result<OwnedServerName, MatrixError> {
    let gate = Gate {
        own_name: federation.server_name(),
        policy: federation.policy(),
        keys: federation.keys(),
        limits: federation.limits(),
        destinations: federation.destinations(),
    };
    gate.admit(parts, body).await
}

/// What a request of another server is measured by.
pub(crate) struct Gate<'a> {
    pub own_name: &'a ServerName,
    pub policy: &'a Policy,
    pub keys: &'a Keys,
    pub limits: &'a RateLimits,
    pub destinations: &'a Destinations,
}

impl Gate<'_> {
    /// The server that signed a request.
    ///
    /// Errors: 401 `M_UNAUTHORIZED` if nobody signed it or the signature is wrong, 403 `M_FORBIDDEN` if the policy keeps
    /// the server out, `M_LIMIT_EXCEEDED`.
    pub(crate) async fn admit(&self, parts: &Parts, body: &Bytes) -> Result<OwnedServerName, MatrixError> {
        let (origin, signatures) = signatures_of(&parts.headers).map_err(unauthorized)?;
        let is_for_us = |destination: &OwnedServerName| destination == self.own_name;
        // Older servers leave it out; the signature is over our name all the same.
        if !signatures
            .iter()
            .all(|signature| signature.destination.as_ref().is_none_or(is_for_us))
        {
            return Err(unauthorized("The request is for another server."));
        }
        if origin == self.own_name {
            return Err(unauthorized("This server sends no requests to itself."));
        }
        // Before its keys are asked for: there is to be no contact at all.
        if !self.policy.allows(&origin, Crossing::Contact) {
            return Err(MatrixError::forbidden(
                "This server does not federate with yours.",
            ));
        }
        let content = if body.is_empty() {
            None
        } else {
            let content = CanonicalBody::from_json(body);
            Some(content.map_err(|_| MatrixError::not_json("The request body is not JSON."))?)
        };
        let mut keys = BTreeMap::new();
        for signature in &signatures {
            let key_ids = vec![signature.key.clone()];
            keys.extend(self.keys.of_requester(&origin, key_ids).await?);
        }
        if keys.is_empty() {
            return Err(unauthorized("The keys of your server cannot be fetched."));
        }
        let signed = RequestToSign {
            method: parts.method.as_str(),
            uri: parts.uri.path_and_query().map_or("/", |path| path.as_str()),
            origin: &origin,
            destination: self.own_name,
            content: content.as_ref(),
        };
        if !signed.is_signed(&signatures, &keys) {
            tracing::info!(%origin, "a request is not signed as it claims");
            return Err(unauthorized("The signature of the request is wrong."));
        }
        self.limits.check(LimitKind::Federation, origin.as_str())?;
        // It lives: what waits for it need not wait longer.
        self.destinations.note_success(&origin).await;
        Ok(origin)
    }
}

fn unauthorized(message: &'static str) -> MatrixError {
    metrics::counter!("echorift_federation_unauthorized_requests_total").increment(1);
    MatrixError::new(StatusCode::UNAUTHORIZED, "M_UNAUTHORIZED", message)
}

#[cfg(test)]
mod tests;
