//! The directory: LDAP and Active Directory login (`docs/directory.md`).
//!
//! [`Directory`] answers one question: is this the password of somebody who may use this server, and who are
//! they? And it changes that password where the company lets people do so. There is one for each domain. It keeps nothing of people: the account that a login leads to belongs to `echorift-accounts`, which asks
//! it as one of its password providers. The modules below stand in the order in which a login meets them.

mod config;
mod provider;

mod directory;
mod login_name;
mod password_change;
mod refusal;
mod status;

mod account_state;
mod groups;
mod identity;
mod password_policy;

mod connection;
mod endpoints;
mod measure;
mod pool;
mod referral;
mod tls;

mod dn;
mod entry;
mod photo;
mod template;
mod url;

mod check;

pub mod mapping;
pub mod mirror;

pub use check::{CheckFinding, Severity};
pub use config::{ConfigFault, DirectoryConfig, POOL_SIZE_MAX};
pub use directory::Directory;
pub use identity::DirectoryUser;
pub use password_change::{PasswordChangeRefusal, Whose};
pub use password_policy::PasswordWarning;
pub use provider::provider_name;
pub use referral::Referrals;
pub use refusal::LoginRefusal;
pub use status::{DirectoryFailure, DirectoryStatus};
pub use tls::DirectoryError;
