//! The routes of the server itself, and what surrounds every request.

mod discovery;
mod envelope;
mod health;
mod metrics;
mod to_the_end;
mod unread_body;
mod web_client;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use echorift_admin::Traffic;
use echorift_calls::CallsDiscovery;
use echorift_web::MatrixError;
use echorift_webclient::FirstAccount;
use http::{HeaderMap, Method, Uri};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::RequestBodyTimeoutLayer;

use crate::config::{Config, Service};

pub(crate) use self::health::Health;
pub(crate) use self::metrics::Metrics;
use self::web_client::web_client;

/// What the server's own routes and the envelope work with.
pub(crate) struct OwnRoutes<'a> {
    pub(crate) calls: &'a CallsDiscovery,
    pub(crate) health: Arc<Health>,
    pub(crate) metrics: Option<Metrics>,
    pub(crate) traffic: Arc<Traffic>,
    pub(crate) first_account: FirstAccount,
}

/// Merges the features' routes with the server's own and puts the envelope around them.
///
/// What matches no route is the web client's, as far as it is a path for browsers; otherwise `M_UNRECOGNIZED`: 404, or 405
/// where another method would match (CS API § Common error codes).
pub(crate) fn assemble(features: Router, config: &Config, own: OwnRoutes<'_>) -> Router {
    let client = web_client(config, own.calls, own.first_account);
    let body_bytes_max = usize::try_from(config.limits.request_body_bytes_max).unwrap_or(usize::MAX);
    features
        .merge(discovery::routes(config, own.calls))
        .merge(health::routes(own.health))
        .merge(metrics::routes(own.metrics))
        .merge(client.router())
        .fallback(async move |method: Method, uri: Uri, headers: HeaderMap| {
            client.answer(method, uri, headers).await
        })
        .method_not_allowed_fallback(async || {
            MatrixError::method_not_allowed("This path exists, but not with this method.")
        })
        .layer(DefaultBodyLimit::max(body_bytes_max))
        .layer(RequestBodyTimeoutLayer::new(config.limits.body_timeout))
        .layer(CatchPanicLayer::custom(envelope::answer_panic))
        .layer(axum::middleware::from_fn(to_the_end::run))
        .layer(axum::middleware::from_fn(unread_body::pass_over))
        .layer(axum::middleware::from_fn_with_state(own.traffic, envelope::wrap))
}

/// The groups of routes that a path belongs to: a listener refuses it unless it serves all of them.
pub(crate) fn services_of(path: &str) -> &'static [Service] {
    let below = |prefix: &str| path.starts_with(prefix);
    if below("/_matrix/media/") || below("/_matrix/client/v1/media/") {
        &[Service::Media]
    } else if below("/_matrix/client/")
        || below("/livekit/")
        || below("/_echorift/client/")
        || below("/_echorift/v1/")
        || below("/_echorift/hooks/")
    {
        &[Service::Client]
    } else if below("/_matrix/federation/") || below("/_matrix/key/") {
        &[Service::Federation]
    } else if below("/_synapse/admin/") || below("/_echorift/admin/") {
        &[Service::Admin]
    } else if below("/health/") {
        &[Service::Health]
    } else if path == "/metrics" {
        &[Service::Metrics]
    } else if below("/.well-known/") || below("/oauth2/") || path == "/account" || below("/account/") {
        &[Service::Web]
    } else {
        // The web client. Without the API at the same address it would be of no use, and an address for other servers, with
        // its well-known documents, is no place for it.
        &[Service::Client, Service::Web]
    }
}

#[cfg(test)]
mod tests;
