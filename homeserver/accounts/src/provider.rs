use echorift_web::BoxFuture;

/// Vouches for people by their passwords: a company directory, say. Asked before the local accounts, in the order
/// that the operator configured.
pub trait PasswordProvider: Send + Sync {
    /// Names the provider in the log and marks the accounts that it owns; never changes.
    fn name(&self) -> &'static str;

    /// `login` is what the person typed, without `@` and server name.
    fn check<'a>(
        &'a self,
        login: &'a str,
        password: &'a str,
    ) -> BoxFuture<'a, Result<ProviderAnswer, ProviderError>>;

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
}

/// What a provider says of a name and a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderAnswer {
    Accepted(Identity),
    WrongPassword,
    /// The person is known and may not log in; the reason is for the log.
    Refused(String),
    /// The provider knows nobody of that name: the next one is asked.
    Unknown,
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
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// Nobody can be judged at present; says why, for the log.
    #[error("it does not answer: {0}")]
    Unavailable(String),
}
