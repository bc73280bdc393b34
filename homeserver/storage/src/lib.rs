//! The database, the one writer, and the log.
//!
//! - [`Database`] opens SQLite or PostgreSQL and runs the same SQL text on either ([`sql`]).
//! - [`Writer`] groups whatever changes are waiting into one transaction (group commit), gives out
//!   [`Position`]s in commit order, and answers each caller after the commit ([`writer`]).
//! - [`Log`] tells its listeners what became visible, in that order ([`log`]).
//! - [`Sequence`] and [`Names`] give out the integers that stand for rooms, users and events.

mod change;
mod clock;
mod database;
mod error;
mod log;
mod migrate;
mod names;
mod numbers;
mod pattern;
mod sql;
mod tx;
mod writer;

pub use self::{
    change::{Cell, Cells, Chain, Change, RecordIndex, Statement},
    clock::{Clock, Timestamp},
    database::{Database, DatabaseOptions, backup_sqlite},
    error::StorageError,
    log::{Log, LogListener, Record},
    names::Names,
    numbers::{EventNumber, Position, RoomNumber, Sequence, SnapshotNumber, UserNumber},
    pattern::containing,
    sql::{Dialect, Row, Sql, Value, list},
    tx::Tx,
    writer::{Commit, CommitTotals, Writer},
};
