//! The way to the services (AS API § Homeserver → Application Service API).

use std::time::Duration;

use axum::body::Bytes;
use echorift_web::outbound::{
    Outbound, OutboundError, OutboundOptions, OutboundSetupError, Redirects, read_limited,
};
use http::{Method, StatusCode};
use serde_json::Value;
use url::Url;

use crate::registry::Service;

/// What is read of a service's answer: the largest are lists of third-party users.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// Sends requests to services. Operators name their addresses, so none is refused.
#[derive(Clone)]
pub(crate) struct ServiceClient(Outbound);

/// Why a service did not answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("its registration names no `url`")]
    NoUrl,
    #[error(transparent)]
    Failed(#[from] OutboundError),
}

/// What a service said.
pub(crate) struct Answer {
    pub status: StatusCode,
    pub body: Bytes,
}

impl Answer {
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

impl ServiceClient {
    /// Trusts what `outbound` trusts. `request_timeout` is for a whole request. Errors: files of authorities that cannot be
    /// read.
    pub fn new(outbound: &OutboundOptions, request_timeout: Duration) -> Result<Self, OutboundSetupError> {
        let options = OutboundOptions {
            request_timeout,
            ..outbound.anywhere()
        };
        Outbound::new(&options).map(Self)
    }

    /// Asks a service; `path` is split into segments, which are encoded, and `query` is added to the URL.
    pub async fn call(
        &self,
        service: &Service,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<String>,
    ) -> Result<Answer, CallError> {
        let registration = &service.registration;
        let base = registration.url.as_ref().ok_or(CallError::NoUrl)?;
        let url = address(base, path, query).ok_or(CallError::NoUrl)?;
        let mut request = self.0.request(method, url, Redirects::Never)?;
        request = request.bearer_auth(&registration.hs_token);
        if let Some(body) = body {
            request = request
                .header(http::header::CONTENT_TYPE, "application/json")
                .body(body);
        }
        let response = self.0.send(request).await?;
        let status = response.status();
        let body = read_limited(response, ANSWER_BYTES_MAX).await?;
        Ok(Answer { status, body })
    }
}

fn address(base: &Url, path: &[&str], query: &[(&str, &str)]) -> Option<Url> {
    let mut url = base.clone();
    url.path_segments_mut().ok()?.pop_if_empty().extend(path);
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_stand_below_the_services_own_and_hide_nothing_in_it() {
        let base = Url::parse("http://127.0.0.1:9000/bridge/").unwrap();
        let url = address(
            &base,
            &["_matrix", "app", "v1", "users", "@a/b?c:d"],
            &[("n", "x y")],
        )
        .unwrap();
        assert_eq!(
            url.as_str(),
            "http://127.0.0.1:9000/bridge/_matrix/app/v1/users/@a%2Fb%3Fc:d?n=x+y"
        );
    }
}
