use std::time::Duration;

use echorift_accounts::AccountError;
use echorift_rooms::RoomError;
use echorift_storage::StorageError;
use echorift_web::MatrixError;
use http::StatusCode;
use ruma::OwnedServerName;

use crate::{DelayedError, SfuError};

/// Why somebody does not get into a call, or may not do something in it.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    #[error("this server has no calls")]
    Off,
    #[error("the request lacks {0}")]
    Incomplete(&'static str),
    #[error("the OpenID token is not good, or not of the user that it is used for")]
    BadOpenIdToken,
    #[error("the user is not in the room, or may not take part in its calls")]
    Forbidden,
    /// What a moderator lacks, in a sentence for them.
    #[error("{0}")]
    NoPower(&'static str),
    #[error("{0} is no SFU of this server")]
    UnknownSfu(String),
    /// The delayed event is not there, or somebody else's, or of another room.
    #[error("there is no delayed event of the user with this ID in the room")]
    UnknownDelay,
    /// A user of another server wants this one to send their delayed event.
    #[error("the delayed event is kept by another server")]
    ForeignDelay,
    #[error("the user holds too many seats in the call")]
    TooManySeats,
    #[error("the participant is not in the call")]
    NotInCall,
    #[error("other servers are out of reach")]
    NoFederation,
    #[error("{server} does not let the user into the call: {errcode}")]
    PeerRefused {
        server: OwnedServerName,
        status: StatusCode,
        errcode: String,
    },
    #[error("{server} did not answer as it should: {reason}")]
    Peer { server: OwnedServerName, reason: String },
    #[error("the webhook is not signed with a key of this server")]
    ForgedWebhook,
    #[error(transparent)]
    Sfu(#[from] SfuError),
    #[error("a token could not be signed: {0}")]
    Token(#[from] livekit_api::access_token::AccessTokenError),
    #[error(transparent)]
    Room(#[from] RoomError),
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error(transparent)]
    Delayed(#[from] DelayedError),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<CallError> for MatrixError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Off => Self::unrecognized("This server has no calls."),
            CallError::Incomplete(what) => Self::bad_json(format!("The request lacks {what}.")),
            CallError::BadOpenIdToken => Self::new(
                StatusCode::UNAUTHORIZED,
                "M_UNAUTHORIZED",
                "The OpenID token could not be verified.",
            ),
            CallError::Forbidden => Self::forbidden("You may not take part in calls of this room."),
            CallError::NoPower(what) => Self::forbidden(what),
            CallError::UnknownSfu(_) => Self::invalid_param("The URL is not of an SFU of this server."),
            CallError::UnknownDelay => {
                Self::invalid_param("You have no delayed event with this ID in this room.")
            }
            CallError::ForeignDelay => Self::forbidden(
                "Your own server keeps your delayed event, so that it cannot be left to this one.",
            ),
            // Tokens are over after an hour; most of that has gone by for the oldest.
            CallError::TooManySeats => Self::limit_exceeded(Duration::from_secs(60)),
            CallError::NotInCall => Self::not_found("They are not in the call."),
            CallError::NoFederation => Self::forbidden("This server does not federate with other servers."),
            CallError::PeerRefused { status, errcode, .. } => Self::new(
                status,
                errcode,
                "The other server does not let you into this call.",
            ),
            CallError::Peer { server, reason } => {
                tracing::info!(%server, reason, "another server gave no token for its calls");
                let answer =
                    "The server that carries this call cannot be reached or did not answer as it should.";
                Self::new(StatusCode::BAD_GATEWAY, "M_UNKNOWN", answer)
            }
            CallError::ForgedWebhook => Self::new(
                StatusCode::UNAUTHORIZED,
                "M_UNAUTHORIZED",
                "The webhook is not signed as it should be.",
            ),
            // An SFU that is away is known from its health; each request would say it again.
            CallError::Sfu(cause) => {
                tracing::warn!(%cause, "the SFU failed a request");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "M_UNKNOWN",
                    "The call could not be opened: its media server does not answer.",
                )
            }
            CallError::Token(cause) => Self::internal(cause),
            CallError::Room(error) => error.into(),
            CallError::Account(error) => error.into(),
            CallError::Delayed(error) => error.into(),
            CallError::Storage(cause) => Self::internal(cause),
        }
    }
}
