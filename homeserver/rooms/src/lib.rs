//! The room engine: every event of every room is appended, kept and read here.
//!
//! - [`Rooms`] finds and loads rooms, events and states (`engine`).
//! - [`EventDraft`] and [`Rooms::append`] are the one door for new events (`append`, `sends`).
//! - [`Room`] is a loaded room: its head, what readers see of it ([`View`]), its latest events (`room`).
//! - Rooms are made in `create`, entered and left in `membership`, found by `aliases`.
//! - [`router`] serves the endpoints (`http`).

mod aliases;
mod append;
mod create;
mod engine;
mod error;
mod event;
mod facts;
mod http;
mod membership;
mod receipts;
mod room;
mod sends;
mod state;
mod store;
mod user_rooms;

pub use self::{
    append::EventDraft,
    engine::{PublishPolicy, Rooms, RoomsOptions},
    error::RoomError,
    event::{Event, Outcome, Relation, Transaction},
    facts::JoinRules,
    http::{RoomsApi, router},
    membership::JoinRequest,
    receipts::{Receipt, ReceiptKey, ReceiptKind, RoomReceipts},
    room::{Members, Room, View},
    state::{State, StateChange, key_of},
    store::{events::Order, memberships::UserMembership},
    user_rooms::RoomsOfUser,
};
