//! Events of other servers: how they come into rooms (SS API § PDUs).
//!
//! Whoever calls has checked formats, hashes and signatures; what the rules say of an event is decided here.
//!
//! - [`Rooms::receive`] appends an event where its parents are known (`receive`), with the states of a forked history
//!   resolved to one (`resolve`) by way of auth chains (`auth_chain`).
//! - [`Rooms::admit_outliers`] keeps what only authorises other events (`outliers`).
//! - [`Rooms::import`] takes a room over when a user of ours joins it elsewhere (`import`).
//! - [`Rooms::complete`] adds the members to a room that was joined without them (`partial`).
//! - [`Rooms::prepend`] adds history from when this server was not in the room (`prepend`), where it is missing (`history`).
//! - [`Rooms::receive_sticky`] keeps sticky events from before this server's time (`sticky`).
//! - [`Rooms::record_outside`] is about rooms that this server is not in (`outside`).

mod auth_chain;
mod history;
mod import;
mod order;
mod outliers;
mod outside;
mod partial;
mod prepend;
mod receive;
mod resolve;
mod sticky;
#[cfg(test)]
mod tests;

pub use self::{
    import::{PartialAnswer, RemoteJoin},
    order::in_history_order,
    outside::OutsideMembership,
    partial::PartialJoin,
    receive::{MissingAncestors, Received, Reception, ToldState},
};
