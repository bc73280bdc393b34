use std::time::Duration;

use echorift_accounts::AccountError;
use echorift_events::EventError;
use echorift_rooms::RoomError;
use echorift_storage::StorageError;
use echorift_web::MatrixError;
use ruma::OwnedUserId;

/// Why a delayed event was not kept, managed or sent.
#[derive(Debug, thiserror::Error)]
pub enum DelayedError {
    #[error("no events are delayed on this server")]
    Off,
    #[error("a delay is {max_ms} ms at most")]
    TooLong { max_ms: i64 },
    #[error("{max} delayed events wait already; the next is sent in {}s", next.as_secs())]
    TooMany { max: u32, next: Duration },
    #[error("{what} of {bytes} bytes is over the limit of {bytes_max}")]
    TooLarge {
        what: &'static str,
        bytes: usize,
        bytes_max: usize,
    },
    #[error("{0}")]
    BadRequest(&'static str),
    /// There is none with this ID, or it is somebody else's.
    #[error("there is no such delayed event")]
    NotFound,
    /// It is finalised, and otherwise than is wanted now.
    #[error("the delayed event was {0} already")]
    Conflict(&'static str),
    /// Somebody else has set the state since that the event would set.
    #[error("the state was changed by somebody else since")]
    Overtaken,
    #[error("{0} has no account any more")]
    Deactivated(OwnedUserId),
    #[error("{0} is locked")]
    Locked(OwnedUserId),
    #[error("{0} is suspended")]
    Suspended(OwnedUserId),
    /// The token was made for a program that is to do less.
    #[error("the access token does not have the scope `manage`")]
    OutOfScope,
    /// Its sender sends too much.
    #[error("{0}")]
    Limited(MatrixError),
    #[error(transparent)]
    Event(#[from] EventError),
    #[error(transparent)]
    Room(#[from] RoomError),
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl DelayedError {
    /// Whether the fault is this server's and may be over soon. What the user may not do is not tried again.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Storage(_)
                | Self::Room(RoomError::Storage(_) | RoomError::Account(AccountError::Storage(_)))
                | Self::Account(AccountError::Storage(_))
        )
    }
}

impl From<DelayedError> for MatrixError {
    fn from(error: DelayedError) -> Self {
        match error {
            DelayedError::Off => Self::forbidden("This server sends events at once or not at all."),
            DelayedError::TooLong { max_ms } => {
                Self::forbidden(format!("This server delays events by {max_ms} ms at most."))
            }
            DelayedError::TooMany { max, next } => Self::limit_exceeded(next).with_message(format!(
                "You have {max} delayed events already, which is the most."
            )),
            DelayedError::TooLarge { .. } => Self::too_large(error.to_string()),
            DelayedError::BadRequest(reason) => Self::invalid_param(reason),
            DelayedError::NotFound => {
                Self::not_found("There is no such delayed event, or it was forgotten since.")
            }
            DelayedError::Conflict(_) | DelayedError::Overtaken => {
                Self::unknown(error.to_string()).with_status(::http::StatusCode::CONFLICT)
            }
            DelayedError::Deactivated(_) => Self::user_deactivated("This account was deactivated."),
            DelayedError::Locked(_) => Self::user_locked("This account is locked."),
            DelayedError::Suspended(_) => {
                Self::user_suspended("You cannot perform this action while suspended.")
            }
            DelayedError::OutOfScope => Self::forbidden(
                "State and redactions take the scope `manage`, which this access token does not have.",
            ),
            DelayedError::Limited(refusal) => refusal,
            DelayedError::Event(error) => RoomError::from(error).into(),
            DelayedError::Room(error) => error.into(),
            DelayedError::Account(error) => error.into(),
            DelayedError::Storage(cause) => Self::internal(cause),
        }
    }
}
