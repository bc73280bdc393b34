//! What clients follow: `GET /sync`, typing, presence.
//!
//! A poll waits on its user's feed ([`feeds`]), which the log wakes. What it is then told is read from the rooms'
//! views and latest events in memory: with nothing new, or with a few new events in busy rooms, no database is asked.

mod account_data;
mod ephemeral;
mod feeds;
mod http;
mod memberships;
mod old_sync;
mod presence;
mod remote;
mod service;
mod sliding;
mod sticky;
mod stripped;
mod summary;
mod timeline;
mod token;
mod typing;
mod v2;

pub use self::{
    feeds::{Changes, Feed, Feeds},
    presence::{RemotePresence, UserPresence},
    remote::{EphemeralListener, EphemeralObserver},
    service::{SyncOptions, Syncs},
    token::{BadToken, SyncToken},
};
