use std::time::Duration;

use echorift_storage::StorageError;
use echorift_web::{MatrixError, NoScopes};
use ruma::OwnedServerName;

use crate::Refusal;

/// When to ask for a letter again, after too many.
const LETTERS_PAUSE: Duration = Duration::from_secs(60 * 60);

/// Why something about an account could not be done.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error("there is no such user on this server")]
    NoSuchUser,
    #[error("the name is taken")]
    UserInUse,
    #[error("the name is in the namespace of an application service, or outside of the one that asks")]
    Exclusive,
    #[error("the name cannot be used: {0}")]
    InvalidUsername(&'static str),
    #[error("the password cannot be used: {0}")]
    BadPassword(&'static str),
    #[error("the name and the password do not belong together")]
    WrongCredentials,
    #[error("the account is deactivated")]
    Deactivated,
    #[error("the account is locked")]
    Locked,
    #[error("the account is suspended")]
    Suspended,
    #[error("the account is a guest's")]
    Guest,
    #[error("the directory that knows the account does not answer")]
    DirectoryUnavailable,
    #[error("the password of this account is kept by the directory")]
    DirectoryPassword,
    /// The password was right.
    #[error("the directory does not let the person in: {0:?}")]
    RefusedByDirectory(Refusal),
    /// The directory's own words.
    #[error("the directory does not take the new password: {0}")]
    RefusedPassword(String),
    #[error("this field of the profile is kept by the directory")]
    DirectoryField,
    #[error("whoever checks challenges does not answer")]
    RecaptchaUnavailable,
    #[error("the token is unknown or no longer valid")]
    UnknownToken { soft_logout: bool },
    #[error("{what} is over the limit of {limit}")]
    TooLarge { what: &'static str, limit: usize },
    #[error("a profile of more than {limit} bytes")]
    ProfileTooLarge { limit: usize },
    #[error("a key of more than {limit} bytes")]
    KeyTooLarge { limit: usize },
    #[error("the name of the profile field cannot be used")]
    BadFieldName,
    #[error("this account's e-mail addresses cannot be changed here, or no mail is configured")]
    MailOff,
    #[error("the e-mail address belongs to an account already")]
    AddressInUse,
    #[error("the e-mail address was not confirmed for this")]
    NotConfirmed,
    #[error("the e-mail address was written to too often")]
    TooManyLetters,
    #[error("the letter was not sent")]
    MailFailed,
    #[error("too many requests")]
    Limited(MatrixError),
    #[error("{0} cannot be asked now")]
    PeerUnreachable(OwnedServerName),
    /// Another server refused; the client is told what it said.
    #[error("another server answered {status}: {errcode}: {message}")]
    PeerRefused {
        status: http::StatusCode,
        errcode: String,
        message: String,
    },
    #[error("the account has its {limit} {what}")]
    TooMany { what: &'static str, limit: u32 },
    #[error("{0}")]
    NotAllowed(&'static str),
    #[error("{0}")]
    BadRequest(&'static str),
    #[error(transparent)]
    Scopes(#[from] NoScopes),
    #[error("a page could not be made: {0}")]
    Page(#[from] minijinja::Error),
    #[error("the key that signs access tokens ({path}): {reason}")]
    SigningKey { path: String, reason: String },
    #[error("a token could not be made: {0}")]
    Token(#[from] jsonwebtoken::errors::Error),
    #[error("a password could not be hashed: {0}")]
    Hash(String),
    #[error("the accounts could not be read or written")]
    Storage(#[from] StorageError),
}

impl From<AccountError> for MatrixError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::NoSuchUser => Self::not_found("There is no such user."),
            AccountError::UserInUse => Self::user_in_use("This user name is taken."),
            AccountError::Exclusive => {
                Self::exclusive("This user name is reserved for an application service.")
            }
            AccountError::InvalidUsername(reason) => Self::invalid_username(reason),
            AccountError::BadPassword(reason) => Self::weak_password(reason),
            AccountError::WrongCredentials => Self::forbidden("The user name or the password is wrong."),
            AccountError::Deactivated => Self::user_deactivated("This account has been deactivated."),
            AccountError::Locked => Self::user_locked("This account is locked: ask your administrator."),
            AccountError::Suspended => {
                Self::user_suspended("This account is suspended: ask your administrator.")
            }
            AccountError::Guest => Self::bad_state("This is a guest's account."),
            AccountError::DirectoryUnavailable => {
                Self::unavailable("The company directory does not answer: try again later.")
            }
            AccountError::RecaptchaUnavailable => {
                Self::unavailable("The challenge cannot be checked now: try again later.")
            }
            AccountError::DirectoryField => Self::forbidden(
                "This part of your profile is kept by the company directory: have it changed there.",
            ),
            AccountError::DirectoryPassword => Self::forbidden(
                "The password of this account is kept by the company directory: change it there.",
            ),
            AccountError::RefusedByDirectory(refusal) => refused(refusal),
            AccountError::RefusedPassword(reason) => Self::weak_password(reason),
            AccountError::UnknownToken { soft_logout } => {
                Self::unknown_token("This token is unknown or no longer valid.", soft_logout)
            }
            AccountError::TooLarge { .. } => Self::too_large(format!("{error}.")),
            AccountError::ProfileTooLarge { .. } => Self::new(
                http::StatusCode::BAD_REQUEST,
                "M_PROFILE_TOO_LARGE",
                "The profile would be over 64 KiB.",
            ),
            AccountError::KeyTooLarge { .. } => Self::new(
                http::StatusCode::BAD_REQUEST,
                "M_KEY_TOO_LARGE",
                "The name of the field is over 255 bytes.",
            ),
            AccountError::BadFieldName => Self::invalid_param("This name of a profile field cannot be used."),
            AccountError::MailOff => Self::new(
                http::StatusCode::FORBIDDEN,
                "M_THREEPID_DENIED",
                "E-mail addresses cannot be changed or used for this here.",
            ),
            AccountError::AddressInUse => Self::new(
                http::StatusCode::BAD_REQUEST,
                "M_THREEPID_IN_USE",
                "This e-mail address belongs to an account already.",
            ),
            AccountError::NotConfirmed => Self::new(
                http::StatusCode::FORBIDDEN,
                "M_THREEPID_AUTH_FAILED",
                "This e-mail address has not been confirmed: open the link in the letter.",
            ),
            AccountError::TooManyLetters => Self::limit_exceeded(LETTERS_PAUSE),
            AccountError::MailFailed => {
                Self::unavailable("The letter could not be sent: check the address, or try again later.")
            }
            AccountError::Limited(refusal) => refusal,
            AccountError::PeerUnreachable(server) => Self::new(
                http::StatusCode::BAD_GATEWAY,
                "M_UNKNOWN",
                format!("The server {server} cannot be reached now."),
            ),
            AccountError::PeerRefused {
                status,
                errcode,
                message,
            } => Self::new(status, errcode, message),
            AccountError::TooMany { what, limit } => Self::new(
                http::StatusCode::BAD_REQUEST,
                "M_RESOURCE_LIMIT_EXCEEDED",
                format!("There are {limit} {what} already, and no more can be made: delete old ones first."),
            ),
            AccountError::NotAllowed(reason) => Self::forbidden(reason),
            AccountError::BadRequest(reason) => Self::invalid_param(reason),
            AccountError::Scopes(reason) => Self::invalid_param(format!("{reason}.")),
            AccountError::Page(cause) => Self::internal(cause),
            AccountError::SigningKey { .. } | AccountError::Token(_) | AccountError::Hash(_) => {
                Self::internal(error)
            }
            AccountError::Storage(cause) => Self::internal(cause),
        }
    }
}

/// What somebody with the right password is told. Those errcodes are ours: the specification has one for locked
/// accounts alone.
fn refused(refusal: Refusal) -> MatrixError {
    let error = |errcode: &'static str, message: &str| {
        let error = MatrixError::new(http::StatusCode::FORBIDDEN, errcode, message);
        if refusal.may_change() {
            error.with("password_change", true.into())
        } else {
            error
        }
    };
    match refusal {
        Refusal::Nothing => AccountError::WrongCredentials.into(),
        Refusal::Locked => MatrixError::user_locked(
            "This account is locked in the company directory: ask your administrator.",
        ),
        Refusal::Disabled => error(
            "ORG.ECHORIFT.ACCOUNT_DISABLED",
            "This account is disabled in the company directory: ask your administrator.",
        ),
        Refusal::Expired => error(
            "ORG.ECHORIFT.ACCOUNT_EXPIRED",
            "This account has expired in the company directory: ask your administrator.",
        ),
        Refusal::PasswordExpired { may_change: true } => error(
            "ORG.ECHORIFT.PASSWORD_EXPIRED",
            "Your password has expired: choose a new one.",
        ),
        Refusal::PasswordExpired { may_change: false } => error(
            "ORG.ECHORIFT.PASSWORD_EXPIRED",
            "Your password has expired: change it where your company lets you.",
        ),
        Refusal::PasswordMustChange { may_change: true } => error(
            "ORG.ECHORIFT.PASSWORD_MUST_CHANGE",
            "You have to choose a new password before you can log in.",
        ),
        Refusal::PasswordMustChange { may_change: false } => error(
            "ORG.ECHORIFT.PASSWORD_MUST_CHANGE",
            "You have to change your password where your company lets you before you can log in.",
        ),
    }
}
