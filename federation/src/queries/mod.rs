//! Questions of other servers about rooms and people, and ours to them.
//!
//! What they ask is answered in `http`, within what `access` lets them see; what we ask is in `ask`, and what a room's
//! policy server makes of events in `policy_server`.

mod access;
mod ask;
mod http;
mod policy_server;

use axum::Router;

pub(crate) use self::ask::{Asked, room_error};
pub use self::policy_server::{PolicyRefusal, PolicyVerdict};
use crate::Federation;

pub(crate) fn routes() -> Router<Federation> {
    http::routes()
}

#[cfg(test)]
mod tests {
    /// Two handlers for one path make axum panic when the routes come together.
    #[test]
    fn no_two_endpoints_claim_one_path() {
        assert!(super::routes().merge(crate::media::routes()).has_routes());
    }
}
