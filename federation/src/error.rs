use echorift_events::EventError;
use echorift_rooms::RoomError;
use echorift_storage::StorageError;
use echorift_web::MatrixError;
use http::StatusCode;
use ruma::OwnedServerName;

/// Why another server was not asked, did not answer, or was not believed.
#[derive(Debug, thiserror::Error)]
pub enum FederationError {
    /// The operator's policy keeps this server apart.
    #[error("this server does not federate with {0}")]
    Denied(OwnedServerName),
    /// It failed of late, and is left alone until it is due again.
    #[error("{0} did not answer of late and is not asked again yet")]
    BackingOff(OwnedServerName),
    /// No answer: the name does not resolve, the connection failed, the certificate is wrong, the time is over.
    #[error("{server} cannot be reached: {reason}")]
    Unreachable { server: OwnedServerName, reason: String },
    /// It answered with an error of its own.
    #[error("{server} answered {status}: {errcode}: {message}")]
    Refused {
        server: OwnedServerName,
        status: StatusCode,
        errcode: String,
        message: String,
        /// The whole body, where the errcode says that there is more in it.
        body: serde_json::Value,
    },
    /// It answered, and the answer is not what the specification says it should be.
    #[error("{server} gave a wrong answer: {reason}")]
    BadAnswer { server: OwnedServerName, reason: String },
    /// A request of ours that cannot be put on the wire, by its own fault or for want of connections.
    #[error("the request cannot be sent: {0}")]
    BadRequest(String),
    #[error(transparent)]
    Event(#[from] EventError),
    #[error(transparent)]
    Room(Box<RoomError>),
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A setting or a file that federation cannot start with.
    #[error("{0}")]
    Setup(String),
}

impl From<RoomError> for FederationError {
    fn from(error: RoomError) -> Self {
        Self::Room(Box::new(error))
    }
}

/// What a client, or a server that asked on behalf of one, is told.
impl From<FederationError> for MatrixError {
    fn from(error: FederationError) -> Self {
        match error {
            FederationError::Denied(server) => {
                Self::forbidden(format!("This server does not federate with {server}."))
            }
            FederationError::BackingOff(server) | FederationError::Unreachable { server, .. } => Self::new(
                StatusCode::BAD_GATEWAY,
                "M_UNKNOWN",
                format!("The server {server} cannot be reached now."),
            ),
            FederationError::Refused {
                status,
                errcode,
                message,
                ..
            } => Self::new(status, errcode, message),
            FederationError::BadAnswer { server, .. } => Self::new(
                StatusCode::BAD_GATEWAY,
                "M_UNKNOWN",
                format!("The server {server} gave a wrong answer."),
            ),
            FederationError::Event(error) => RoomError::Event(error).into(),
            FederationError::Room(error) => (*error).into(),
            FederationError::Storage(cause) => Self::internal(cause),
            FederationError::BadRequest(cause) | FederationError::Setup(cause) => {
                Self::internal(std::io::Error::other(cause))
            }
        }
    }
}
