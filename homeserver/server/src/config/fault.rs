//! What is wrong with a configuration, told all at once.

use std::fmt;

/// One wrong setting: which, where it was written, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Dotted path of the key, as in `database.url`; empty when the file as a whole is at fault.
    pub(crate) key: String,
    /// The value as written; `None` where it is missing or secret.
    pub(crate) value: Option<String>,
    /// The file, or the environment variable, that set it.
    pub(crate) place: String,
    /// What is wrong with it.
    pub(crate) problem: String,
    /// What to do about it.
    pub(crate) fix: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.key.is_empty() {
            write!(f, "{}", self.key)?;
            if let Some(value) = &self.value {
                write!(f, " = {value}")?;
            }
            write!(f, " ({}): ", self.place)?;
        }
        write!(f, "{}. {}", self.problem, self.fix)
    }
}

/// Every fault of one configuration, in the order in which the settings are documented. Never empty.
#[derive(Debug, thiserror::Error)]
pub(crate) struct Faults(pub(crate) Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = if self.0.len() == 1 { "fault" } else { "faults" };
        write!(f, "the configuration has {} {noun}:", self.0.len())?;
        for fault in &self.0 {
            write!(f, "\n  - {fault}")?;
        }
        Ok(())
    }
}
