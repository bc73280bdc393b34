//! What is known of the directory, for whoever operates the server.

use std::sync::{Mutex, PoisonError};

use echorift_storage::Timestamp;

use crate::{Directory, LoginRefusal};

/// How the directory is asked, and how it has answered since the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryStatus {
    /// Empty for that of `[directory]` itself.
    pub domain: String,
    /// In the order in which they are asked; without passwords, which stand elsewhere.
    pub urls: Vec<String>,
    pub start_tls: bool,
    pub base_dn: String,
    pub user_filter: String,
    /// Empty where everybody may log in.
    pub login_group: String,
    /// Empty where the directory does not say who administers.
    pub admin_group: String,
    /// When it last answered, whatever the answer was.
    pub last_answer: Option<Timestamp>,
    pub last_failure: Option<DirectoryFailure>,
}

impl DirectoryStatus {
    /// Whether it answered when it was last asked; `None` if nobody has asked yet.
    pub fn is_up(&self) -> Option<bool> {
        match (self.last_answer, &self.last_failure) {
            (None, None) => None,
            (answer, failure) => Some(answer > failure.as_ref().map(|failure| failure.at)),
        }
    }
}

/// That the directory did not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryFailure {
    pub at: Timestamp,
    pub reason: String,
}

/// How the directory has answered. Guards two values; nothing is awaited while it is held.
#[derive(Debug, Default)]
pub(crate) struct Answers(Mutex<(Option<Timestamp>, Option<DirectoryFailure>)>);

impl Answers {
    pub(crate) fn note<T>(&self, outcome: &Result<T, LoginRefusal>, now: Timestamp) {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            // The directory was not asked.
            Err(LoginRefusal::EmptyPassword | LoginRefusal::BadUsername) => {}
            Err(LoginRefusal::Unavailable(reason)) => {
                answers.1 = Some(DirectoryFailure {
                    at: now,
                    reason: reason.clone(),
                });
            }
            Ok(_) | Err(_) => answers.0 = Some(now),
        }
    }
}

impl Directory {
    /// How the directory is asked, and how it has answered since the start.
    pub fn status(&self) -> DirectoryStatus {
        let config = &self.inner.config;
        let answers = self
            .inner
            .answers
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        DirectoryStatus {
            domain: config.domain.clone(),
            urls: config.urls.clone(),
            start_tls: config.start_tls,
            base_dn: config.base_dn.clone(),
            user_filter: config.user_filter.clone(),
            login_group: config.login_group.clone(),
            admin_group: config.admin_group.clone(),
            last_answer: answers.0,
            last_failure: answers.1.clone(),
        }
    }
}
