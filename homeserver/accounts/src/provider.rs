use echorift_web::BoxFuture;

/// Vouches for people by their passwords: a company directory, say. Asked before the local accounts, in the order
/// that the operator configured.
pub trait PasswordProvider: Send + Sync {
    /// Names the provider in the log and marks the accounts that it owns; never changes. All directories are `ldap`,
    /// or begin with `ldap:`.
    fn name(&self) -> &'static str;

    /// `login` is what the person typed, without `@` and server name.
    fn check<'a>(
        &'a self,
        login: &'a str,
        password: &'a str,
    ) -> BoxFuture<'a, Result<ProviderAnswer, ProviderError>>;

    /// Whether [`PasswordProvider::change_password`] can do it at all.
    fn changes_passwords(&self) -> bool {
        false
    }

    /// Puts `new` in the place of `old`, which may have expired.
    fn change_password<'a>(
        &'a self,
        _whose: WhosePassword<'a>,
        _old: &'a str,
        _new: &'a str,
    ) -> BoxFuture<'a, Result<ChangeAnswer, ProviderError>> {
        Box::pin(async { Ok(ChangeAnswer::NotOffered) })
    }

    /// The [`Identity::external_id`] of the person whom another place, which vouches for them, calls this; `None` if it
    /// cannot be one.
    fn external_id_of(&self, told: &str) -> Option<String> {
        Some(told.to_owned())
    }

    /// How a person stands whom the provider once vouched for; asked when their session is refreshed. Whoever does not
    /// want to be asked says `Fine`.
    fn standing<'a>(&'a self, external_id: &'a str) -> BoxFuture<'a, Result<StandingAnswer, ProviderError>> {
        let _ = external_id;
        Box::pin(async { Ok(StandingAnswer::Fine) })
    }
}

/// What a provider says of a person who has a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StandingAnswer {
    /// Nothing speaks against them, or the provider finds out in its own time.
    Fine,
    /// This very person may not use their account; the reason is for the log.
    Refused(String),
    /// They are not to be found, or not among those who may log in. Nobody new is let in on their behalf; whoever is in
    /// stays, because it may be a mistake that concerns everybody, until the provider has looked into it.
    Missing,
}

/// What a provider says of a name and a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderAnswer {
    Accepted(Identity),
    WrongPassword,
    /// The person is known and may not log in.
    Refused {
        /// What the person is told.
        told: Refusal,
        /// For the log.
        reason: String,
    },
    /// The provider knows nobody of that name: the next one is asked.
    Unknown,
}

/// What somebody is told who may not log in. All but the first may be said only after the right password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The same as after a wrong password.
    Nothing,
    Locked,
    Disabled,
    Expired,
    PasswordExpired {
        /// The person can change it here, with the one that has expired.
        may_change: bool,
    },
    PasswordMustChange {
        may_change: bool,
    },
}

impl Refusal {
    /// Whether a new password would help, and can be given here.
    pub fn may_change(self) -> bool {
        matches!(
            self,
            Self::PasswordExpired { may_change: true } | Self::PasswordMustChange { may_change: true }
        )
    }
}

/// Whose password is to be changed.
#[derive(Debug, Clone, Copy)]
pub enum WhosePassword<'a> {
    /// As in [`PasswordProvider::check`].
    Login(&'a str),
    /// See [`Identity::external_id`].
    ExternalId(&'a str),
}

/// What a provider says to a new password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeAnswer {
    Changed {
        external_id: String,
    },
    WrongPassword,
    /// The new password is against the rules there; a sentence for the person.
    Weak(String),
    Refused {
        told: Refusal,
        reason: String,
    },
    /// The provider knows nobody of that name.
    Unknown,
    NotOffered,
}

/// That a password works for now and will not for long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordWarning {
    /// Seconds until it expires.
    ExpiresIn(u32),
    /// It has expired, and this many log-ins with it are left.
    GraceLogins(u32),
}

/// A person as the provider knows them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// Never changes, whatever else does (`entryUUID`, `objectGUID`): keeps the account through a rename.
    pub external_id: Option<String>,
    pub localpart: String,
    pub display_name: Option<String>,
    pub mail: Option<String>,
    /// `None` leaves the account as it is.
    pub is_admin: Option<bool>,
    pub password_warning: Option<PasswordWarning>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// Nobody can be judged at present; says why, for the log.
    #[error("it does not answer: {0}")]
    Unavailable(String),
}
