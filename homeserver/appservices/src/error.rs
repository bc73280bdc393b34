use echorift_accounts::AccountError;
use echorift_storage::StorageError;
use echorift_web::{MatrixError, outbound::OutboundSetupError};

use crate::registration::RegistrationFaults;

/// Why application services cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServicesError {
    #[error(transparent)]
    Registrations(#[from] RegistrationFaults),
    #[error("the patterns of all namespaces together are too large: {0}")]
    Patterns(#[from] regex::Error),
    #[error(transparent)]
    Client(#[from] OutboundSetupError),
    #[error("the user of an application service could not be made: {0}")]
    Account(#[from] AccountError),
    #[error("how far application services have come could not be read or written: {0}")]
    Storage(#[from] StorageError),
}

impl From<ServicesError> for MatrixError {
    fn from(error: ServicesError) -> Self {
        match error {
            ServicesError::Registrations(faults) => Self::invalid_param(faults.to_string()),
            ServicesError::Patterns(error) => Self::invalid_param(error.to_string()),
            ServicesError::Account(cause) => cause.into(),
            ServicesError::Client(cause) => Self::internal(cause),
            ServicesError::Storage(cause) => Self::internal(cause),
        }
    }
}
