use ruma::OwnedServerName;

/// `[federation]` of the configuration, and what the server is.
#[derive(Debug, Clone)]
pub struct FederationOptions {
    pub server_name: OwnedServerName,
}
