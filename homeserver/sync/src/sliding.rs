//! Simplified sliding sync (MSC4186): a client names windows into its list of rooms and rooms of its own choice, and is
//! told of those only.
//!
//! [`request`] reads what a client wants. [`connection`] is what it was sent so far, [`connections`] remembers that.
//! [`room_list`] is the list that windows look into, [`windows`] looks. [`room`] tells of one room, [`extensions`] of
//! everything else, and [`poll`] waits until there is something to tell.

mod answer;
mod connection;
mod connections;
mod departures;
mod direct;
mod extensions;
mod filters;
mod http;
mod poll;
mod request;
mod required_state;
mod room;
mod room_list;
mod room_state;
mod rooms;
mod store;
mod windows;

pub(crate) use self::{connections::Connections, departures::Departures, direct::DirectRooms, http::router};
