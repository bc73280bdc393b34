//! `[webhooks]`: ways into rooms and out of them for programs.

use std::time::Duration;

use super::table::Table;

/// `[webhooks]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WebhookSettings {
    pub(crate) enabled: bool,
    pub(crate) per_room_max: u32,
    /// Whether targets without TLS are accepted: for tests and closed networks.
    pub(crate) allow_http: bool,
    pub(crate) request_timeout: Duration,
    pub(crate) retry_initial_delay: Duration,
    pub(crate) retry_max_delay: Duration,
    /// A hook whose deliveries fail for so long is turned off.
    pub(crate) disable_after: Duration,
}

impl WebhookSettings {
    pub(super) fn read(table: &mut Table<'_, '_>) -> Self {
        let settings = Self {
            enabled: table.flag("enabled", true),
            per_room_max: table.whole("per_room", 20, 1..=1_000),
            allow_http: table.flag("allow_http", false),
            request_timeout: table.duration("request_timeout", "15s"),
            retry_initial_delay: table.duration("retry_initial_delay", "5s"),
            retry_max_delay: table.duration("retry_max_delay", "15m"),
            disable_after: table.duration("disable_after", "3d"),
        };
        if settings.retry_initial_delay.is_zero() || settings.request_timeout.is_zero() {
            table.refuse(
                "retry_initial_delay",
                "or request_timeout is zero",
                "Targets need a moment: write \"5s\" and \"15s\" or the like.",
            );
        }
        settings
    }
}
