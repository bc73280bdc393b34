//! Groups of the directory become servers, channels and roles (`docs/directory.md` § Groups).
//!
//! A run reads a [`crate::Snapshot`], plans each room that a mapping names, and carries the plan out. In the order in
//! which it happens:
//!
//! - `config`: what the operator writes. `target`: the rooms that it names, each once.
//! - `roster`: whose account here is whose in the directory, and what is wished for them.
//! - `place`, `picture`: where a room is, and how it stands. `mark`, `store`: what of it the directory owns.
//! - `plan`, `administrators`: what there is to do. Pure.
//! - `mapper`, `planner`: all of this for a snapshot. `apply`, `create`: doing it. `job`: when. `http`: what members are
//!   told of it.

mod administrators;
mod apply;
mod change;
mod config;
mod create;
mod http;
mod job;
mod mapper;
mod mark;
mod picture;
mod place;
mod plan;
mod planner;
mod roster;
mod store;
mod target;
#[cfg(test)]
mod testing;

pub use self::{
    change::{Change, Drift, DriftKind, Obstacle, Owned},
    config::{
        CHANNELS_MAX, Creation, GroupsConfig, LEVEL_MAX, MAPPINGS_MAX, MappingConfig, Removal, Role,
        RoomName, Visibility,
    },
    http::router,
    job::{GroupSync, GroupSyncParts, GroupSyncStatus},
    mapper::{Approval, Changed, Mapper, MapperParts, MappingError, Outcome, Plan},
    plan::Stop,
    target::{Blueprint, RoomKind},
};
