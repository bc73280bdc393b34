//! Mirroring by a process of its own: it reads the directory where that can be reached, and feeds the server with what it
//! read (`docs/directory.md` § Read by a process of its own).
//!
//! The process sends all entries, in parts of a *reading*, and afterwards entries that changed, which follow a certain
//! reading and *revision* or are refused ([`wire`] is what is said). Everything else stays where the accounts are: the
//! plan, the safety stop and what becomes of rooms ([`Feed`]). The process is [`FeedSender`].

mod intake;
mod parts;
mod sender;
mod target;
mod wire;

pub(super) use self::intake::Intake;
pub use self::intake::{Feed, FeedError};
pub use self::sender::FeedSender;
pub use self::target::{FeedFailure, FeedTarget};
pub use self::wire::{FedChanges, FedEntries, FedGroup, FedPerson, FedRun, FedState, FedTotals};
