use std::time::Duration;

/// What the operator configures (`[webhooks]`).
#[derive(Debug, Clone)]
pub struct WebhooksOptions {
    pub enabled: bool,
    /// Where programs reach this server, for the addresses of hooks.
    pub public_base_url: String,
    /// How many hooks one room may have.
    pub per_room_max: u32,
    /// Whether outgoing hooks may have targets without TLS.
    pub allow_http: bool,
    pub request_timeout: Duration,
    /// When a target that did not take a delivery is asked again; doubled each time up to the longest.
    pub retry_initial_delay: Duration,
    pub retry_max_delay: Duration,
    /// A hook whose deliveries fail for so long is turned off.
    pub disable_after: Duration,
}
