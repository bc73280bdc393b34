//! Push rules, evaluated for unread counts.
//!
//! Nothing is counted when an event is sent. A reader's sync counts what is new in its rooms since it last looked; the
//! part of the evaluation that is the same for everyone is done once for each event ([`facts`]).

mod counts;
mod facts;

pub use counts::{RoomCounts, Unread, UnreadCounts};
