//! Joining, leaving, inviting and knocking between servers.

use axum::Router;

use crate::Federation;

pub(crate) fn routes() -> Router<Federation> {
    Router::new()
}
