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
mod directory;
mod engine;
mod error;
mod event;
mod facts;
mod filter;
mod follow_accounts;
mod hierarchy;
mod http;
mod membership;
mod membership_history;
mod present;
mod reader;
mod receipts;
mod relations;
mod reports;
mod room;
mod sends;
mod state;
mod store;
mod summary;
mod token;
mod upgrade;
mod user_rooms;
mod visibility;

pub use self::{
    append::EventDraft,
    directory::{DirectoryPage, DirectoryToken},
    engine::{PublishPolicy, Rooms, RoomsOptions},
    error::RoomError,
    event::{Event, Outcome, Relation, Transaction},
    facts::JoinRules,
    filter::EventMatcher,
    hierarchy::{HierarchyQuery, HierarchyRoom},
    http::{RoomsApi, router},
    membership::JoinRequest,
    reader::{IgnoredUsers, Reader},
    receipts::{Receipt, ReceiptKey, ReceiptKind, RoomReceipts},
    room::{Members, Room, View},
    state::{State, StateChange, key_of},
    store::{events::Order, memberships::UserMembership},
    token::TimelineToken,
    summary::{MutualRooms, Onlooker, SummarisedRoom},
    upgrade::UpgradeRequest,
    user_rooms::RoomsOfUser,
    visibility::Access,
};
