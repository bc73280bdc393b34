//! The directory: LDAP and Active Directory login (`docs/directory.md`).
//!
//! [`Directory`] answers one question: is this the password of somebody who may use this server, and who are
//! they? It keeps nothing of people; the account that a login leads to belongs to `echorift-accounts`, which

mod config;
mod refusal;

mod check;
mod directory;

mod account_state;
mod groups;
mod identity;

mod connection;
mod endpoints;
mod pool;
mod tls;

mod dn;
mod entry;
mod template;
mod url;

pub use check::{CheckFinding, Severity};
pub use config::{ConfigFault, DirectoryConfig, POOL_SIZE_MAX};
pub use directory::Directory;
pub use identity::DirectoryUser;
pub use refusal::LoginRefusal;
pub use tls::DirectoryError;
