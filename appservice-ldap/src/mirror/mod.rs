//! Mirroring: the people and groups of the directory, kept in step on this server (`docs/directory.md` § Mirroring).
//!
//! A run reads the whole directory ([`Directory::read`](crate::Directory::read)) into a [`Snapshot`], compares it with
//! the accounts ([`plan()`]), and carries the plan out, unless it would lock more people than is plausible. Where the
//! directory tells of changes (`notice`) or counts them (`poll`), runs in between read those entries alone (`told`,
//! `read::changed`), work them into what was read last (`records`), and plan for all whom they concern (`concern`).
//! [`Mirror`] starts runs: at intervals, when the directory tells of a change, when a login or an administrator asks
//! (`pace`). Where another process reads the directory, it feeds them (`feed`).

mod apply;
mod concern;
mod deleted;
mod feed;
mod job;
mod notice;
mod pace;
mod plan;
mod poll;
mod read;
mod records;
mod run;
pub(crate) mod settings;
pub(crate) mod snapshot;
mod status;
mod told;

pub use feed::{
    FedChanges, FedEntries, FedGroup, FedPerson, FedRun, FedState, FedTotals, Feed, FeedError, FeedFailure,
    FeedSender, FeedTarget,
};
pub use job::{Mirror, MirrorError, MirrorParts, PhotoStore};
pub use plan::{About, Change, FieldChange, Leaving, Plan, Policy, Trouble, plan};
pub use read::{ReadError, Reading};
pub use settings::{DIRECTORY_FIELDS, MirrorConfig};
pub use snapshot::{Dn, Group, ImmutableId, Person, Snapshot, Standing};
pub use status::{Heard, MirrorStatus, Outcome, Reach, Run, RunCounts};
