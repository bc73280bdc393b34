//! Events of other servers: received in transactions, staged, acknowledged, and worked off room by room.
//!
//! - `transaction` takes what other servers send, keeps it durably (`store`) and acknowledges it.
//! - `worker` works a room's staged events off in order; `workers` knows which rooms have one.
//! - `verify` checks formats, hashes and signatures, many at once.
//! - `ancestors` fetches what an event is built upon, `backfill` what was before our time, `partial` the members of
//!   rooms that were joined without them; `sticky` keeps sticky events that nothing known is built upon.

mod ancestors;
mod backfill;
mod deferred;
mod partial;
mod sticky;
mod store;
mod transaction;
mod verify;
mod worker;
mod workers;

use axum::Router;
use echorift_web::Routes as _;
use ruma::api::federation::transactions::send_transaction_message;

pub(crate) use self::{backfill::Backfills, worker::Inbox};
use crate::Federation;

pub(crate) fn routes() -> Router<Federation> {
    Router::new().ruma::<send_transaction_message::v1::Request, _, _>(transaction::receive)
}
