//! Questions of other servers about rooms and people, and ours to them.

use axum::Router;

use crate::Federation;

pub(crate) fn routes() -> Router<Federation> {
    Router::new()
}
