//! Joining, leaving, inviting and knocking between servers, in both directions.
//!
//! For others we are the resident server, or that of an invited user:
//! - `http` takes their requests apart; `gate` says who is let near a room.
//! - `templates` are what they sign, `received` is how what they signed is checked, `resident` appends it,
//!   `join_answer` tells them the room.
//! - `invited` takes invites of users of ours, `outside` hears what becomes of them, `shown_state` is what the invited
//!   see of a room, `third_party` is about people who are known by an address.
//!
//! For our users we ask others: `handshake` goes from server to server; `joining`, `knocking`, `leaving` and `inviting`
//! are what the room engine asks for.

mod gate;
mod handshake;
mod http;
mod invited;
mod inviting;
mod join_answer;
mod joining;
mod knocking;
mod leaving;
mod outside;
mod received;
mod resident;
mod shown_state;
mod templates;
#[cfg(test)]
mod tests;
mod third_party;

pub(crate) use self::{http::routes, joining::Joins};
