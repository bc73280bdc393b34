//! The directory: LDAP and Active Directory login (`docs/directory.md`).
//!
//! [`Directory`] answers one question: is this the password of somebody who may use this server, and who are
//! they? It keeps nothing of people: the account that a login leads to belongs to `echorift-accounts`, which asks
//! it as one of its password providers. The modules below stand in the order in which a login meets them.

mod config;
mod provider;

mod directory;
mod refusal;
mod status;

mod account_state;
mod groups;
mod identity;

mod connection;
mod endpoints;
mod pool;
mod tls;

mod dn;
mod entry;
mod photo;
mod template;
mod url;

mod check;

pub mod mirror;

pub use check::{CheckFinding, Severity};
pub use config::{ConfigFault, DirectoryConfig, POOL_SIZE_MAX};
pub use directory::Directory;
pub use identity::DirectoryUser;
pub use refusal::LoginRefusal;
pub use status::{DirectoryFailure, DirectoryStatus};
pub use tls::DirectoryError;
