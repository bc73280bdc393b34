//! `[application_services]`: bots and bridges that are registered by files.

use std::path::PathBuf;
use std::time::Duration;

use echorift_appservices::AppServicesOptions;
use echorift_web::outbound::OutboundOptions;

use super::table::Table;

/// `[application_services]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ApplicationServiceSettings {
    /// One registration each. They are read and checked when the server starts, and again while it runs.
    pub(crate) files: Vec<PathBuf>,
    request_timeout: Duration,
    retry_max_delay: Duration,
}

impl ApplicationServiceSettings {
    pub(super) fn read(table: &mut Table<'_, '_>) -> Self {
        let files = table.list("files", &[]);
        Self {
            files: files.into_iter().map(PathBuf::from).collect(),
            request_timeout: table.duration("request_timeout", "60s"),
            retry_max_delay: table.duration("retry_max_delay", "1m"),
        }
    }

    pub(crate) fn options(&self, outbound: &OutboundOptions) -> AppServicesOptions {
        AppServicesOptions {
            files: self.files.clone(),
            request_timeout: self.request_timeout,
            retry_max_delay: self.retry_max_delay,
            outbound: outbound.clone(),
        }
    }
}
