//! Transactions of other servers: staged, acknowledged, worked off room by room.

use axum::Router;

use crate::Federation;

pub(crate) fn routes() -> Router<Federation> {
    Router::new()
}
