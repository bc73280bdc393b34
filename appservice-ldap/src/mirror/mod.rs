//! Mirroring: the people and groups of the directory, kept in step on this server (`docs/directory.md` § Mirroring).
//!
//! A run reads the whole directory ([`Directory::read`](crate::Directory::read)) into a [`Snapshot`], compares it with
//! the accounts ([`plan()`]), and carries the plan out, unless it would lock more people than is plausible. [`Mirror`]
//! starts runs: at intervals, when the directory tells of a change, when a login or an administrator asks.

mod apply;
mod job;
mod notice;
mod plan;
mod read;
pub(crate) mod settings;
pub(crate) mod snapshot;
mod status;

pub use job::{Mirror, MirrorError, MirrorParts, PhotoStore};
pub use plan::{Change, FieldChange, Leaving, Plan, Policy, Trouble, plan};
pub use read::{ReadError, Reading};
pub use settings::{DIRECTORY_FIELDS, MirrorConfig};
pub use snapshot::{Dn, Group, ImmutableId, Person, Snapshot, Standing};
pub use status::{MirrorStatus, Outcome, Run, RunCounts};
