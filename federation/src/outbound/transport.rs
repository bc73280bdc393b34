//! How a transaction reaches another server.

use std::{future::Future, pin::Pin, sync::Arc};

use echorift_storage::Timestamp;
use http::StatusCode;
use ruma::{OwnedServerName, ServerName};
use tokio::sync::broadcast;

use super::transaction::TransactionBody;

/// Why a transaction did not arrive.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendFailure {
    /// Not now: the destination is away, overloaded, or does not trust us at the moment.
    #[error("{reason}")]
    Later {
        reason: String,
        /// Whether it answered, and would not have it.
        is_refusal: bool,
    },
    /// The destination will never take this transaction.
    #[error("refused with {status}: {reason}")]
    Refused { status: StatusCode, reason: String },
}

impl SendFailure {
    /// What an answer other than 200 means. A transaction that is answered with an error of the client's kind would be
    /// answered so for ever, except where the error is about us or the moment.
    pub fn of_status(status: StatusCode, reason: String) -> Self {
        let is_passing = matches!(status.as_u16(), 401 | 403 | 404 | 408 | 421 | 425 | 429);
        if status.is_client_error() && !is_passing {
            Self::Refused { status, reason }
        } else {
            Self::Later {
                reason: format!("{status}: {reason}"),
                is_refusal: status.is_client_error(),
            }
        }
    }
}

pub(crate) type Sending<'a> = Pin<Box<dyn Future<Output = Result<(), SendFailure>> + Send + 'a>>;

/// Sends transactions, and knows whom it is of use to ask.
pub(crate) trait Transport: Send + Sync {
    /// Sends a transaction and waits for the answer; bounded in time.
    fn send<'a>(
        &'a self,
        destination: &'a ServerName,
        transaction_id: &'a str,
        body: &'a Arc<TransactionBody>,
    ) -> Sending<'a>;

    /// When a destination that failed may be asked again; `None` if it may be asked now.
    fn due_at(&self, destination: &ServerName) -> Option<Timestamp>;

    /// Tells of destinations that may be asked before that time after all: they were heard of.
    fn heard_of(&self) -> broadcast::Receiver<OwnedServerName>;
}
