//! Why a login was refused. The operator sees this reason in the log; whoever showed the right password sees the
//! reasons that `provider.rs` passes on, and everybody else one answer for all.

/// The reasons, each with one name for logs and `docs/directory.md`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginRefusal {
    #[error("no entry matches the user filter below base_dn")]
    UnknownUser,
    #[error("the directory does not accept the password")]
    WrongPassword,
    /// Never sent to the directory: a bind without a password always succeeds (RFC 4513 § 5.1.2).
    #[error("the password is empty")]
    EmptyPassword,
    #[error("the person is not a member of login_group")]
    NotInLoginGroup,
    #[error("more than one entry matches the user filter")]
    Ambiguous,
    #[error("the account is disabled in the directory")]
    Disabled,
    #[error("the account is locked in the directory, usually after too many wrong passwords")]
    Locked,
    #[error("the account has expired in the directory")]
    Expired,
    #[error("the password has expired")]
    PasswordExpired {
        /// The directory takes a new one in exchange for the expired one.
        is_changeable: bool,
    },
    #[error("the password must be changed before it can be used")]
    PasswordMustChange,
    /// The directory refused without looking at the password, so that whoever asks may be anybody.
    #[error("{0}; the directory did not look at the password")]
    Unproved(Box<Self>),
    #[error("the directory does not let this account log in at this time or from this place")]
    LogonRestricted,
    #[error("this can be no name in the directory")]
    BadUsername,
    #[error("the entry's {attribute} is missing or cannot be used")]
    IncompleteEntry { attribute: String },
    /// Not the person's fault: the directory is down, or does not answer as configured.
    #[error("the directory cannot answer: {0}")]
    Unavailable(String),
}

impl LoginRefusal {
    /// The reason's name in logs.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::UnknownUser => "unknown_user",
            Self::WrongPassword => "wrong_password",
            Self::EmptyPassword => "empty_password",
            Self::NotInLoginGroup => "not_in_login_group",
            Self::Ambiguous => "ambiguous",
            Self::Disabled => "disabled",
            Self::Locked => "locked",
            Self::Expired => "expired",
            Self::PasswordExpired { .. } => "password_expired",
            Self::PasswordMustChange => "password_must_change",
            Self::Unproved(refusal) => refusal.reason(),
            Self::LogonRestricted => "logon_restricted",
            Self::BadUsername => "bad_username",
            Self::IncompleteEntry { .. } => "incomplete_entry",
            Self::Unavailable(_) => "unavailable",
        }
    }

    /// Writes the one line that an operator looks for. The name is shown quoted and escaped: it is whatever a
    /// stranger typed. `domain` is empty for that of `[directory]` itself.
    pub(crate) fn log(&self, username: &str, domain: &str) {
        let (reason, username) = (self.reason(), shortened(username));
        let domain = Some(domain).filter(|domain| !domain.is_empty());
        match self {
            Self::Unavailable(_) => {
                tracing::error!(reason, ?username, domain, "directory login impossible: {self}");
            }
            Self::Ambiguous | Self::IncompleteEntry { .. } => {
                tracing::warn!(reason, ?username, domain, "directory login refused: {self}");
            }
            _ => tracing::info!(reason, ?username, domain, "directory login refused: {self}"),
        }
    }
}

/// A log line stays a line, whatever was typed.
fn shortened(username: &str) -> String {
    const LOGGED_CHARS_MAX: usize = 64;
    username.chars().take(LOGGED_CHARS_MAX).collect()
}
