//! The room engine: every event of every room is appended, kept and read here.
//!
//! - [`Rooms`] finds and loads rooms, events and states (`engine`).
//! - [`EventDraft`] and [`Rooms::append`] are the one door for new events (`append`, `sends`).
//! - [`Room`] is a loaded room: its head, what readers see of it ([`View`]), its latest events (`room`).
//! - Rooms are made in `create`, entered and left in `membership`, found by `aliases`.
//! - [`router`] serves the endpoints (`http`).

mod acl;
mod activity;
mod administration;
mod aliases;
mod ancestors;
mod append;
mod application_services;
mod batch;
mod blocking;
mod by_time;
mod children;
mod context;
mod create;
mod delayed;
mod directory;
mod engine;
mod error;
mod event;
mod facts;
mod filter;
mod follow_accounts;
mod gaps;
mod guests;
mod hierarchy;
mod http;
mod levels_of_users;
mod loading;
mod members;
mod membership;
mod membership_history;
mod notices;
mod pagination;
mod peers;
mod policy_server;
mod present;
mod read_markers;
mod reader;
mod receipts;
mod received_receipts;
mod relation_filter;
mod relations;
mod remote;
mod reports;
mod room;
mod sending;
mod sends;
mod server_hierarchy;
mod server_visibility;
mod servers;
mod sharing;
mod state;
mod sticky;
mod store;
mod summary;
#[cfg(test)]
mod testing;
mod thread_changes;
mod thread_subscriptions;
mod threads;
mod token;
mod upgrade;
mod user_rooms;
mod visibility;

pub use self::{
    administration::{
        ClosedRoom, MemberOverview, MembersQuery, NoPlace, ReportOverview, ReportsQuery, Resolution,
        RoomOrder, RoomOverview, RoomPlace, RoomsQuery,
    },
    aliases::AliasObserver,
    ancestors::MissingEvents,
    append::EventDraft,
    application_services::ApplicationServices,
    children::{ChildrenPage, ChildrenRequest},
    context::{ContextRequest, EventContext},
    delayed::{DelayId, Postponed, Scheduler},
    directory::{DirectoryPage, DirectoryToken},
    engine::{EncryptionDefault, PublishPolicy, Rooms, RoomsOptions},
    error::RoomError,
    event::{Event, Outcome, Relation, Transaction},
    facts::JoinRules,
    filter::EventMatcher,
    gaps::{HistoryGap, HistoryPart},
    hierarchy::{HierarchyQuery, HierarchyRoom},
    http::{FilterText, Later, RoomsApi, router},
    members::{JoinedMember, MembersRequest},
    membership::{Entrant, Entry, JoinRequest, MutualRooms},
    notices::{Notice, NoticeOptions},
    pagination::{PageRequest, TimelinePage},
    peers::{Backfilled, PeerDirectory, PeerDirectoryRequest, PeerFuture, PeerRoom, Peers},
    policy_server::{POLICY_KEY_ID, PolicyServer},
    read_markers::ReadUpTo,
    reader::{IgnoredUsers, Reader},
    receipts::{Receipt, ReceiptKey, ReceiptKind, RoomReceipts},
    received_receipts::ReceivedReceipt,
    relation_filter::RelationFilter,
    remote::{
        MissingAncestors, OutsideMembership, PartialAnswer, PartialJoin, Received, Reception, RemoteJoin,
        ToldState, in_history_order,
    },
    room::{Members, Room, Standing, View},
    sending::Sender,
    server_hierarchy::ServerHierarchy,
    state::{State, StateChange, key_of},
    sticky::StickyEvent,
    store::{events::Order, memberships::UserMembership},
    summary::{Onlooker, SummarisedRoom},
    thread_changes::{ThreadChange, ThreadChanges},
    thread_subscriptions::{Subscription, ThreadSubscription, ThreadsOfUser},
    token::TimelineToken,
    upgrade::UpgradeRequest,
    user_rooms::RoomsOfUser,
    visibility::Access,
};
