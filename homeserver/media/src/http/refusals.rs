use std::time::Duration;

use echorift_web::MatrixError;
use http::StatusCode;

use crate::MediaError;

/// When created media may have been uploaded or forgotten, so that it is worth trying again.
const PENDING_RETRY: Duration = Duration::from_secs(60);

impl From<MediaError> for MatrixError {
    fn from(error: MediaError) -> Self {
        let upstream = |message: &str| Self::unknown(message).with_status(StatusCode::BAD_GATEWAY);
        match error {
            MediaError::NotFound => Self::not_found("There is no such media."),
            MediaError::NotYetUploaded => Self::new(
                StatusCode::GATEWAY_TIMEOUT,
                "M_NOT_YET_UPLOADED",
                "This media has not been uploaded yet.",
            ),
            MediaError::CannotOverwrite => Self::new(
                StatusCode::CONFLICT,
                "M_CANNOT_OVERWRITE_MEDIA",
                "This media has its content already.",
            ),
            MediaError::NotTheCreator => Self::forbidden("Somebody else has created this media."),
            MediaError::TooManyPending(_) => Self::limit_exceeded(PENDING_RETRY),
            MediaError::TooLarge(bytes_max) => {
                Self::too_large(format!("Files may have {bytes_max} bytes at most."))
            }
            MediaError::BrokenOff(reason) => Self::unknown(format!("The upload broke off: {reason}.")),
            MediaError::LongFileName(letters_max) => {
                Self::invalid_param(format!("File names may have {letters_max} characters at most."))
            }
            MediaError::NoThumbnail(_) => Self::unknown("No thumbnail can be made of this content."),
            MediaError::TooLargeForThumbnail => Self::too_large("The image is too large for a thumbnail."),
            MediaError::BadThumbnail(reason) => Self::invalid_param(reason),
            MediaError::RemoteTooLarge(bytes_max) => Self::too_large(format!(
                "Files of other servers may have {bytes_max} bytes at most."
            ))
            .with_status(StatusCode::BAD_GATEWAY),
            MediaError::RemoteUnreachable(_) => upstream("The server of this media cannot be reached now."),
            MediaError::RemoteRefused {
                status,
                errcode,
                message,
            } => Self::new(status, errcode, message),
            MediaError::PreviewsOff => Self::forbidden("This server does not preview pages."),
            MediaError::BadAddress(reason) => Self::invalid_param(format!("The address {reason}.")),
            MediaError::DeniedHost(_) => Self::forbidden("This address is not previewed."),
            MediaError::PageRefused(404 | 410) => Self::not_found("There is no page at this address."),
            MediaError::PageRefused(status) => upstream(&format!("The page answered with status {status}.")),
            MediaError::PageTimeout => upstream("The page did not answer in time."),
            MediaError::PageFailed(_) => upstream("The page could not be fetched."),
            cause @ (MediaError::Blobs(_) | MediaError::Lost(_) | MediaError::Storage(_)) => {
                Self::internal(cause)
            }
        }
    }
}
