//! Mirroring: the people and groups of the directory, kept in step on this server (`docs/directory.md` § Mirroring).

mod snapshot;

pub use snapshot::{Dn, Group, ImmutableId, Person, Snapshot, Standing};
