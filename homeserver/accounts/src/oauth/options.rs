use std::time::Duration;

use echorift_web::outbound::Outbound;

/// `[oauth]` of the configuration.
#[derive(Clone)]
pub struct OAuthOptions {
    pub enabled: bool,
    /// How long a browser stays signed in on the server's own pages.
    pub browser_session_lifetime: Duration,
    /// Where people may sign in instead of giving a password.
    pub upstreams: Vec<UpstreamOptions>,
    /// The client for requests to those places, which the operator has named.
    pub outbound: Option<Outbound>,
}

/// One OpenID Connect provider (`[[oauth.upstream]]`).
#[derive(Clone, PartialEq)]
pub struct UpstreamOptions {
    /// Where `.well-known/openid-configuration` is found, and what its ID tokens name as issuer, letter by letter.
    pub issuer: String,
    /// What the button says.
    pub name: String,
    pub client_id: String,
    /// `None` for a public client.
    pub client_secret: Option<String>,
    /// `openid` included.
    pub scopes: Vec<String>,
    /// The claims that give a new account its name and its display name.
    pub claim_localpart: String,
    pub claim_name: String,
    /// Whose accounts people get who sign in there; `None`: accounts of their own.
    pub directory: Option<DirectoryClaim>,
}

/// How a provider's people are found among those of a company directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryClaim {
    /// The [`crate::PasswordProvider::name`] of the directory.
    pub provider: &'static str,
    /// The claim with the directory's ID of the person, which [`crate::PasswordProvider::external_id_of`] reads.
    pub claim: String,
}

impl Default for OAuthOptions {
    fn default() -> Self {
        Self {
            enabled: true,
            browser_session_lifetime: Duration::from_secs(12 * 3600),
            upstreams: Vec::new(),
            outbound: None,
        }
    }
}

impl std::fmt::Debug for OAuthOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OAuthOptions")
            .field("enabled", &self.enabled)
            .field("browser_session_lifetime", &self.browser_session_lifetime)
            .field("upstreams", &self.upstreams.len())
            .finish_non_exhaustive()
    }
}
