//! The endpoints of search. Handlers take a request apart, ask the domain once, and answer.

mod directory;
mod messages;

use std::sync::Arc;

use axum::Router;
use echorift_accounts::Accounts;
use echorift_rooms::Rooms;
use echorift_web::RateLimits;

use crate::Visible;

/// What the endpoints work with.
#[derive(Clone)]
pub struct SearchApi {
    pub rooms: Rooms,
    pub accounts: Accounts,
    pub limits: Arc<RateLimits>,
    /// Whom people can find (`user_directory.visible`).
    pub visible: Visible,
}

/// All endpoints of this crate. The server adds the token verifier as an extension.
pub fn router(api: SearchApi) -> Router {
    Router::new()
        .merge(directory::routes())
        .merge(messages::routes())
        .with_state(api)
}
