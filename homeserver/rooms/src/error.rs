use std::time::Duration;

use echorift_accounts::AccountError;
use echorift_events::{AuthRefusal, EventError};
use echorift_storage::StorageError;
use http::StatusCode;
use ruma::{OwnedEventId, OwnedRoomAliasId, OwnedRoomId, OwnedServerName, OwnedUserId, RoomVersionId};

/// Why the room engine did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum RoomError {
    #[error("room {0} is not known here")]
    UnknownRoom(OwnedRoomId),
    #[error("event {0} is not known here")]
    UnknownEvent(OwnedEventId),
    #[error("{user_id} is not in {room_id}")]
    NotJoined {
        user_id: OwnedUserId,
        room_id: OwnedRoomId,
    },
    /// Allowed by nobody's rules: the sentence says which one.
    #[error("{0}")]
    Forbidden(String),
    #[error("{0}")]
    NotFound(String),
    #[error("{0}")]
    BadRequest(String),
    #[error("room version {0} is not supported")]
    UnsupportedVersion(RoomVersionId),
    #[error("alias {0} is taken")]
    AliasTaken(OwnedRoomAliasId),
    /// An alias is advertised for a room that it does not stand for.
    #[error("alias {0} does not stand for this room")]
    BadAlias(OwnedRoomAliasId),
    #[error("alias {0} is of another server")]
    RemoteAlias(OwnedRoomAliasId),
    #[error("user {0} is of another server")]
    RemoteUser(OwnedUserId),
    #[error("{0} lets nobody invite them")]
    InviteBlocked(OwnedUserId),
    /// The operator keeps everybody of this server out of the room.
    #[error("{0} is blocked on this server")]
    Blocked(OwnedRoomId),
    #[error("the room welcomes no guests")]
    GuestsForbidden,
    #[error("the invite to the server's notices cannot be declined")]
    CannotLeaveNotices,
    /// Only rooms that were left can be forgotten.
    #[error("{0} has not been left")]
    NotLeft(OwnedRoomId),
    #[error("the initial state is not allowed: {0}")]
    BadInitialState(String),
    /// Threads start only from events that relate to nothing themselves.
    #[error("{0} cannot be the root of a thread")]
    NoThreadRoot(OwnedEventId),
    /// An automatic subscription names an event of another place as its cause.
    #[error("{0} is not in the thread")]
    NotInThread(OwnedEventId),
    /// The user unsubscribed from the thread after the event that should subscribe them.
    #[error("the user has unsubscribed from the thread since")]
    UnsubscribedSince,
    #[error("{0} has the same annotation of this user already")]
    DuplicateAnnotation(OwnedEventId),
    /// The user has as many sticky events in the room as one may have at a time.
    #[error("too many sticky events of one user")]
    TooManySticky { retry_after: Duration },
    /// The operator has turned federation off.
    #[error("this server does not federate")]
    NoFederation,
    /// None of the servers that could be asked answered.
    #[error("no other server could be asked: {0}")]
    Unreachable(String),
    /// Another server refused; the client is told what it said.
    #[error("{server} answered {status}: {errcode}: {message}")]
    PeerRefused {
        server: OwnedServerName,
        status: StatusCode,
        errcode: String,
        message: String,
    },
    /// The conditions are met, and nobody of this server may let the user in.
    #[error("a restricted join cannot be authorised here: {0}")]
    CannotAuthoriseJoin(String),
    /// Whether the conditions are met is not known here: this server is not in all of the rooms that they name.
    #[error("the conditions of a restricted join cannot be judged here")]
    CannotJudgeConditions,
    #[error("the authorisation rules do not allow this: {0}")]
    Refused(#[from] AuthRefusal),
    #[error(transparent)]
    Event(#[from] EventError),
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error("the room could not be read or written: {0}")]
    Storage(#[from] StorageError),
}

impl From<RoomError> for echorift_web::MatrixError {
    fn from(error: RoomError) -> Self {
        match error {
            // Whether a room exists is not told to those who are not in it.
            RoomError::UnknownRoom(_) => Self::forbidden("You are not in this room."),
            RoomError::UnknownEvent(_) => {
                Self::not_found("This event does not exist, or you may not see it.")
            }
            RoomError::NotJoined { .. } => Self::forbidden("You are not in this room."),
            RoomError::Forbidden(reason) => Self::forbidden(reason),
            RoomError::NotFound(what) => Self::not_found(what),
            RoomError::BadRequest(reason) => Self::invalid_param(reason),
            RoomError::UnsupportedVersion(version) => {
                Self::unsupported_room_version(format!("Room version {version} is not supported here."))
            }
            RoomError::AliasTaken(alias) => Self::room_in_use(format!("The alias {alias} is taken.")),
            RoomError::BadAlias(alias) => {
                Self::bad_alias(format!("The alias {alias} does not stand for this room."))
            }
            RoomError::RemoteAlias(alias) => Self::not_found(format!(
                "The alias {alias} is of another server, which cannot be asked from here."
            )),
            RoomError::RemoteUser(user) => Self::unknown(format!(
                "{user} is of another server, which cannot be reached from here."
            )),
            RoomError::InviteBlocked(user) => {
                Self::invite_blocked(format!("{user} does not accept invites."))
            }
            RoomError::Blocked(_) => {
                Self::forbidden("The administrators of this server have closed this room to its users.")
            }
            RoomError::GuestsForbidden => {
                Self::guest_access_forbidden("Guests may not do this in this room.")
            }
            RoomError::CannotLeaveNotices => Self::new(
                http::StatusCode::FORBIDDEN,
                "M_CANNOT_LEAVE_SERVER_NOTICE_ROOM",
                "This invite cannot be declined: the server writes to you in this room.",
            ),
            RoomError::NotLeft(_) => Self::unknown("Leave this room before you forget it."),
            RoomError::Account(error) => error.into(),
            RoomError::BadInitialState(reason) => Self::invalid_room_state(reason),
            RoomError::CannotAuthoriseJoin(reason) => Self::unable_to_authorise_join(reason),
            RoomError::CannotJudgeConditions => Self::unable_to_authorise_join(
                "This server is not in all of the rooms whose members may join.",
            ),
            RoomError::NoThreadRoot(_) => {
                Self::unknown("A thread cannot start from an event that relates to another.")
            }
            // MSC4306, under the names that its errcodes have until it is accepted.
            RoomError::NotInThread(_) => Self::new(
                StatusCode::BAD_REQUEST,
                "IO.ELEMENT.MSC4306.M_NOT_IN_THREAD",
                "This event does not belong to the thread.",
            ),
            RoomError::UnsubscribedSince => Self::new(
                StatusCode::CONFLICT,
                "IO.ELEMENT.MSC4306.M_CONFLICTING_UNSUBSCRIPTION",
                "You have unsubscribed from the thread after this event.",
            ),
            RoomError::DuplicateAnnotation(_) => {
                Self::duplicate_annotation("You have reacted like this already.")
            }
            RoomError::TooManySticky { retry_after } => Self::limit_exceeded(retry_after),
            RoomError::NoFederation => Self::forbidden("This server does not federate with other servers."),
            RoomError::Unreachable(_) => Self::new(
                StatusCode::BAD_GATEWAY,
                "M_UNKNOWN",
                "None of the servers that could answer this can be reached now.",
            ),
            RoomError::PeerRefused {
                status,
                errcode,
                message,
                ..
            } => Self::new(status, errcode, message),
            RoomError::Refused(refusal) => Self::forbidden(refusal.to_string()),
            RoomError::Event(error) => match error {
                EventError::TooLarge { .. } | EventError::FieldTooLarge { .. } => {
                    Self::too_large(error.to_string())
                }
                EventError::BadJson(_) | EventError::BadFormat(_) => Self::bad_json(error.to_string()),
                EventError::Signature(_)
                | EventError::BadKey(_)
                | EventError::MissingEvent(_)
                | EventError::Resolution(_) => Self::internal(error),
            },
            RoomError::Storage(cause) => Self::internal(cause),
        }
    }
}
