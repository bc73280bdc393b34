//! Push rules: kept for their users, and evaluated for unread counts.
//!
//! Nothing is counted when an event is sent. A reader's sync counts what is new in its rooms since it last looked; the
//! part of the evaluation that is the same for everyone is done once for each event ([`facts`]).

mod counts;
mod facts;
mod http;
mod rules;

pub use counts::{RoomCounts, Unread, UnreadCounts};
pub use http::router;
