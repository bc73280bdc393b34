//! `[push]`: notifications to phones.

use std::time::Duration;

use super::table::Table;

/// `[push]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PushSettings {
    /// Whether texts, names of rooms and of people leave the server.
    pub(crate) include_content: bool,
    /// Whether gateways without TLS are accepted: for tests and closed networks.
    pub(crate) allow_http: bool,
    /// Whom push services may turn to; empty: the server's own address.
    pub(crate) contact: String,
    pub(crate) request_timeout: Duration,
    pub(crate) retry_initial_delay: Duration,
    pub(crate) retry_max_delay: Duration,
    /// What could not be delivered for so long is given up.
    pub(crate) give_up_after: Duration,
}

impl PushSettings {
    pub(super) fn read(table: &mut Table<'_, '_>) -> Self {
        let settings = Self {
            include_content: table.flag("include_content", false),
            allow_http: table.flag("allow_http", false),
            contact: table.text("contact", ""),
            request_timeout: table.duration("request_timeout", "15s"),
            retry_initial_delay: table.duration("retry_initial_delay", "10s"),
            retry_max_delay: table.duration("retry_max_delay", "1h"),
            give_up_after: table.duration("give_up_after", "24h"),
        };
        if settings.retry_initial_delay.is_zero() || settings.request_timeout.is_zero() {
            table.refuse(
                "retry_initial_delay",
                "or request_timeout is zero",
                "Gateways need a moment: write \"10s\" and \"15s\" or the like.",
            );
        }
        let is_uri = settings.contact.starts_with("mailto:") || settings.contact.starts_with("https://");
        if !settings.contact.is_empty() && !is_uri {
            table.refuse(
                "contact",
                "is neither a mail address nor a web address",
                "Write \"mailto:admin@example.org\" or \"https://example.org\".",
            );
        }
        settings
    }
}
