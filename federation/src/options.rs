use ruma::OwnedServerName;

/// `[federation]` of the configuration, and what the server is.
#[derive(Debug, Clone)]
pub struct FederationOptions {
    pub server_name: OwnedServerName,
    /// Whether other servers learn the names that people gave their devices.
    pub share_device_names: bool,
}
