use std::time::Duration;

use echorift_accounts::AccountError;
use echorift_rooms::RoomError;
use echorift_storage::StorageError;
use echorift_web::MatrixError;
use http::StatusCode;

use crate::message::NoMessage;

/// Why something about a webhook could not be done.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// No such hook, or not with this secret: who guesses does not learn which.
    #[error("there is no such webhook")]
    Unknown,
    #[error("the webhook is turned off: {0}")]
    Disabled(String),
    #[error("{0}")]
    Unsigned(&'static str),
    #[error("the signature was used before")]
    Replayed,
    #[error("too many requests")]
    Busy { retry_after: Duration },
    #[error("{0}")]
    Invalid(String),
    #[error("the room has its {0} webhooks")]
    TooMany(u32),
    #[error("the user may not manage the room's webhooks")]
    NotAllowed,
    #[error("the room is encrypted")]
    Encrypted,
    #[error(transparent)]
    Message(#[from] NoMessage),
    #[error(transparent)]
    Limited(MatrixError),
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error(transparent)]
    Room(#[from] RoomError),
    #[error("the webhooks could not be read or written")]
    Storage(#[from] StorageError),
}

impl From<HookError> for MatrixError {
    fn from(error: HookError) -> Self {
        match error {
            HookError::Unknown => Self::not_found("There is no such webhook."),
            HookError::Disabled(why) => Self::forbidden(format!("This webhook is turned off: {why}")),
            HookError::Unsigned(reason) => Self::forbidden(reason).with_status(StatusCode::UNAUTHORIZED),
            HookError::Replayed => Self::forbidden("This signature was used before: sign each request anew.")
                .with_status(StatusCode::CONFLICT),
            HookError::Busy { retry_after } => Self::limit_exceeded(retry_after),
            HookError::Invalid(reason) => Self::invalid_param(reason),
            HookError::TooMany(limit) => Self::new(
                StatusCode::BAD_REQUEST,
                "M_RESOURCE_LIMIT_EXCEEDED",
                format!("This room has {limit} webhooks already: delete old ones first."),
            ),
            HookError::NotAllowed => Self::forbidden(
                "You may not manage the webhooks of this room: that takes the power to change its settings.",
            ),
            HookError::Encrypted => {
                Self::bad_state("This room is encrypted, and a webhook holds no keys: it cannot write here.")
            }
            HookError::Message(NoMessage::TooLong) => Self::too_large(format!("{}.", NoMessage::TooLong)),
            HookError::Message(reason) => Self::bad_json(format!("{reason}.")),
            HookError::Limited(refusal) => refusal,
            HookError::Account(cause) => cause.into(),
            HookError::Room(cause) => cause.into(),
            HookError::Storage(cause) => Self::internal(cause),
        }
    }
}
