//! Push: rules, unread counts, pushers, and what they are told.
//!
//! - Push rules are kept for their users as account data (`rules`) and evaluated for whoever asks (`reader`): the part
//!   that is the same for everyone is done once for each event (`facts`).
//! - Nothing is counted when an event is sent. A reader's sync counts what is new in its rooms since it last looked
//!   ([`Unread`]).
//! - [`Push`] follows the log for users with pushers and tells their gateways (`delivery`), or writes them letters.

mod counts;
mod delivery;
mod error;
mod facts;
mod http;
mod notifications;
mod pusher;
mod pushers;
mod read;
mod reader;
mod rules;
mod store;
mod web_push;

pub use self::{
    counts::{RoomCounts, Unread, UnreadCounts},
    delivery::{DigestOptions, Push, PushOptions},
    error::PushError,
};
