//! The endpoints of calls.

mod homeserver;
mod moderation;
mod service;
mod transports;
mod turn;
mod webhook;

use axum::Router;

pub use self::{service::SERVICE_PATH, transports::CallsDiscovery, webhook::WEBHOOK_PATH};
use crate::{Calls, TurnOptions, delayed};

/// What the endpoints work with.
#[derive(Clone)]
pub struct CallsApi {
    pub calls: Calls,
    /// `None` where the operator runs no TURN server.
    pub turn: Option<TurnOptions>,
}

/// All endpoints of this crate. The server adds the token verifier as an extension.
pub fn router(api: CallsApi) -> Router {
    let delayed_events = delayed::routes().with_state(api.calls.delayed().clone());
    Router::new()
        .merge(transports::routes())
        .merge(homeserver::routes())
        .merge(moderation::routes())
        .merge(service::routes())
        .merge(turn::routes())
        .merge(webhook::routes())
        .with_state(api)
        .merge(delayed_events)
}
