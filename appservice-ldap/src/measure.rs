//! How long the directory takes, and how often it fails: `echorift_directory_*` in `/metrics`.

use std::future::Future;

use tokio::time::Instant;

use crate::connection::Fault;

/// What a directory is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Operation {
    Connect,
    Bind,
    Search,
    PasswordChange,
}

impl Operation {
    fn label(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Bind => "bind",
            Self::Search => "search",
            Self::PasswordChange => "password_change",
        }
    }
}

/// Runs an operation, counts it and its time, and counts it as failed if it was not answered. A refusal of a person
/// is an answer.
pub(crate) async fn measured<T>(
    operation: Operation,
    run: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    let (label, began) = (operation.label(), Instant::now());
    let outcome = run.await;
    metrics::histogram!("echorift_directory_operation_seconds", "operation" => label)
        .record(began.elapsed().as_secs_f64());
    if outcome.is_err() {
        metrics::counter!("echorift_directory_failures_total", "operation" => label).increment(1);
    }
    outcome
}

/// How many connections of the service account are on loan, of all domains together.
pub(crate) fn connection_lent() {
    metrics::gauge!("echorift_directory_connections_in_use").increment(1);
}

/// See [`connection_lent`].
pub(crate) fn connection_returned() {
    metrics::gauge!("echorift_directory_connections_in_use").decrement(1);
}
