use echorift_accounts::AccountError;
use echorift_rooms::RoomError;
use echorift_storage::StorageError;
use echorift_web::MatrixError;
use http::StatusCode;

/// Why something about pushers or notifications could not be done.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    #[error("{0}")]
    Invalid(&'static str),
    #[error("`data.url` is missing")]
    MissingUrl,
    #[error("the e-mail address is not one of the account's")]
    NotOwnAddress,
    #[error("the user has too many pushers")]
    TooMany,
    #[error("the device of the pusher is gone")]
    NoDevice,
    #[error("no subscription of the app waits for a token")]
    NoPusher,
    #[error("the token is not one that a subscription was told")]
    UnknownToken,
    #[error("the token has expired")]
    ExpiredToken,
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error(transparent)]
    Room(#[from] RoomError),
    #[error("the pushers could not be read or written")]
    Storage(#[from] StorageError),
}

impl From<PushError> for MatrixError {
    fn from(error: PushError) -> Self {
        match error {
            PushError::Invalid(reason) => Self::invalid_param(reason),
            PushError::MissingUrl => Self::missing_param("`data.url` is missing."),
            PushError::NotOwnAddress => Self::new(
                StatusCode::BAD_REQUEST,
                "M_THREEPID_NOT_FOUND",
                "This is not an e-mail address of your account: add and confirm it first.",
            ),
            PushError::TooMany => Self::new(
                StatusCode::BAD_REQUEST,
                "M_RESOURCE_LIMIT_EXCEEDED",
                "You have too many pushers: delete old ones first.",
            ),
            PushError::NoDevice => Self::unknown_token("This device is gone.", false),
            PushError::NoPusher => {
                Self::not_found("This app has no pusher of kind \"webpush\" in your account.")
            }
            PushError::UnknownToken => Self::new(
                StatusCode::BAD_REQUEST,
                "M_UNKNOWN_ACTIVATION_TOKEN",
                "No pusher of yours was told this token: it may be that of an earlier one.",
            ),
            PushError::ExpiredToken => Self::new(
                StatusCode::BAD_REQUEST,
                "M_EXPIRED_ACTIVATION_TOKEN",
                "This token has expired: set the pusher again to be told a new one.",
            ),
            PushError::Account(cause) => cause.into(),
            PushError::Room(cause) => cause.into(),
            PushError::Storage(cause) => Self::internal(cause),
        }
    }
}
