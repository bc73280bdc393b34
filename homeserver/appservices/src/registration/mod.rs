//! What a registration file says (AS API § Registration).

mod fields;
mod files;
#[cfg(test)]
mod tests;

use std::fmt;

use url::Url;

pub use self::files::check_files;
pub(crate) use self::{fields::anchored, files::read_files};

/// One service, as registered.
#[derive(Clone, PartialEq)]
pub(crate) struct Registration {
    pub id: String,
    /// Where it is reached; `None` for a service that only makes requests.
    pub url: Option<Url>,
    /// What it shows to this server.
    pub as_token: String,
    /// What this server shows to it.
    pub hs_token: String,
    pub sender_localpart: String,
    pub users: Vec<Namespace>,
    pub aliases: Vec<Namespace>,
    pub rooms: Vec<Namespace>,
    pub is_rate_limited: bool,
    /// Whether it is told of typing, receipts and presence.
    pub wants_ephemeral: bool,
    /// Whether it is told what encryption needs (MSC3202, MSC4203).
    pub wants_encryption: bool,
    /// The third-party networks that it serves.
    pub protocols: Vec<String>,
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the tokens.
        f.debug_struct("Registration")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// A pattern of users, aliases or rooms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Namespace {
    /// A regular expression that begins to match at the start.
    pub regex: String,
    pub is_exclusive: bool,
}

/// One wrong value: in which file, under which key, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrationFault {
    pub file: String,
    /// Dotted path, as `namespaces.users[0].regex`; empty when the file as a whole is at fault.
    pub key: String,
    /// As written; `None` where it is missing or secret.
    pub value: Option<String>,
    pub problem: String,
    pub fix: String,
}

impl fmt::Display for RegistrationFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.file)?;
        if !self.key.is_empty() {
            write!(f, "{}", self.key)?;
            if let Some(value) = &self.value {
                write!(f, " = {value}")?;
            }
            write!(f, ": ")?;
        }
        write!(f, "{}. {}", self.problem, self.fix)
    }
}

/// Everything that is wrong with the registrations, file by file. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct RegistrationFaults(pub Vec<RegistrationFault>);

impl fmt::Display for RegistrationFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = if self.0.len() == 1 { "fault" } else { "faults" };
        write!(
            f,
            "the registrations of application services have {} {noun}:",
            self.0.len()
        )?;
        for fault in &self.0 {
            write!(f, "\n  - {fault}")?;
        }
        Ok(())
    }
}
