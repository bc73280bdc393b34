use std::io;
use std::sync::Arc;

use echorift_storage::StorageError;
use echorift_web::outbound::OutboundError;

/// What can stand in the way of media. Cheap to clone: several may wait for one thumbnail or preview.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MediaError {
    #[error("there is no such media")]
    NotFound,
    /// Created, and within its time, but nothing has been uploaded.
    #[error("nothing has been uploaded for this media yet")]
    NotYetUploaded,
    #[error("this media has its content already")]
    CannotOverwrite,
    #[error("this media was created by somebody else")]
    NotTheCreator,
    #[error("there are {0} media waiting for their upload already")]
    TooManyPending(u32),
    #[error("the content is larger than {0} bytes")]
    TooLarge(u64),
    #[error("the upload broke off: {0}")]
    BrokenOff(String),
    #[error("the file name is longer than {0} characters")]
    LongFileName(usize),
    #[error("no thumbnail can be made of this: {0}")]
    NoThumbnail(String),
    #[error("the image is too large for a thumbnail")]
    TooLargeForThumbnail,
    #[error("this cannot be a thumbnail: {0}")]
    BadThumbnail(&'static str),
    #[error("the media of the other server is larger than {0} bytes")]
    RemoteTooLarge(u64),
    #[error("the other server could not be asked for its media: {0}")]
    RemoteUnreachable(String),
    /// Another server refused; the client is told what it said.
    #[error("the other server answered {status}: {errcode}: {message}")]
    RemoteRefused {
        status: http::StatusCode,
        errcode: String,
        message: String,
    },
    #[error("previews of pages are turned off")]
    PreviewsOff,
    #[error("the address cannot be previewed: {0}")]
    BadAddress(&'static str),
    #[error("pages of {0} are not previewed")]
    DeniedHost(String),
    #[error("the page answered with status {0}")]
    PageRefused(u16),
    #[error("the page did not answer in time")]
    PageTimeout,
    #[error("the page could not be fetched: {0}")]
    PageFailed(String),
    #[error("the media store failed: {0}")]
    Blobs(Arc<str>),
    /// The database names a content that the store does not have.
    #[error("the media store has lost {0}")]
    Lost(String),
    #[error("the media could not be read or written")]
    Storage(#[from] StorageError),
}

impl MediaError {
    /// The store failed: the disk, or the service that speaks S3.
    pub(crate) fn blobs(cause: impl std::fmt::Display) -> Self {
        Self::Blobs(cause.to_string().into())
    }
}

impl From<io::Error> for MediaError {
    fn from(error: io::Error) -> Self {
        Self::blobs(error)
    }
}

impl From<tokio::task::JoinError> for MediaError {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::blobs(error)
    }
}

impl From<OutboundError> for MediaError {
    fn from(error: OutboundError) -> Self {
        match error {
            OutboundError::BadUrl(reason) => Self::BadAddress(reason),
            OutboundError::Denied(host) => Self::DeniedHost(host),
            OutboundError::Timeout => Self::PageTimeout,
            OutboundError::TooLarge(bytes) => Self::PageFailed(format!("it is larger than {bytes} bytes")),
            OutboundError::Failed(reason) => Self::PageFailed(reason),
        }
    }
}
