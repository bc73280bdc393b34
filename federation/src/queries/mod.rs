//! Questions of other servers about rooms and people, and ours to them.
//!
//! What they ask is answered in `http`, within what `access` lets them see; what we ask is in `ask`.

mod access;
mod ask;
mod http;

use axum::Router;

pub(crate) use self::ask::{Asked, room_error};
use crate::Federation;

pub(crate) fn routes() -> Router<Federation> {
    http::routes()
}
