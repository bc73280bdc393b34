//! Why a command could not do its work.

use std::io;
use std::path::PathBuf;

use echorift_accounts::AccountError;
use echorift_appservice_ldap::DirectoryError;
use echorift_appservices::ServicesError;
use echorift_calls::{CallError, ManagedError};
use echorift_federation::FederationError;
use echorift_mail::MailError;
use echorift_media::MediaError;
use echorift_storage::StorageError;
use echorift_web::outbound::OutboundSetupError;

use crate::config::Faults;
use crate::listener::ListenError;
use crate::signing_key::SigningKeyError;
use crate::sqlite_file::LockError;

/// Shown to the operator as it is, so every variant is a sentence that says what to look at.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServerError {
    #[error(transparent)]
    Config(#[from] Faults),
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error(transparent)]
    SigningKey(#[from] SigningKeyError),
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Outbound(#[from] OutboundSetupError),
    #[error("media cannot be served: {0}")]
    Media(#[from] MediaError),
    #[error("calls cannot start: {0}")]
    Calls(#[from] CallError),
    #[error("federation cannot start: {0}")]
    Federation(#[from] FederationError),
    #[error("application services cannot be served: {0}")]
    Services(#[from] ServicesError),
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error(transparent)]
    Sfu(#[from] ManagedError),
    #[error("letters cannot be sent: {0}")]
    Mail(#[from] MailError),
    #[error("the directory cannot be used: {0}")]
    Directory(#[from] DirectoryError),
    #[error("{path}: {cause}")]
    File { path: PathBuf, cause: io::Error },
    #[error("the metrics could not be set up: {0}")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
    #[error("the system refused: {0}")]
    System(#[from] io::Error),
    /// What the operator asked for cannot be done as asked; the text says why and what to do.
    #[error("{0}")]
    Refused(String),
}

impl ServerError {
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |cause| Self::File { path, cause }
    }
}
