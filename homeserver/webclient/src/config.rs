//! `/config.json`: what the client is told of the server before anybody has logged in.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde::Serialize;

/// The document. What is `None` is left out.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ClientConfig {
    pub server_name: String,
    pub version: String,
    /// The name that the client goes by.
    pub brand: String,
    /// Where the Matrix API is; empty for the client's own origin.
    pub base_url: String,
    pub login: Login,
    pub features: Features,
    pub limits: Limits,
    /// Whom people may turn to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub support: Option<Support>,
    /// A page that explains the client to this company's people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help_url: Option<String>,
}

impl ClientConfig {
    /// The same for a server where people may make accounts.
    pub(crate) fn with_registration(&self) -> Self {
        let mut config = self.clone();
        config.login.registration = true;
        config
    }
}

/// How people log in.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Login {
    /// On pages of the server.
    pub oauth: bool,
    pub password: bool,
    /// Whether they may make accounts themselves.
    pub registration: bool,
}

/// What works on this server.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Features {
    pub calls: bool,
    pub federation: bool,
    pub push: PushFeature,
    pub delayed_events: bool,
    pub url_previews: bool,
}

/// How browsers are woken.
#[derive(Debug, Clone, Default, Serialize)]
pub struct PushFeature {
    /// The key under which browsers subscribe; without it there is no push to browsers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vapid_public_key: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Limits {
    pub upload_bytes_max: u64,
}

/// As `[support]` has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Support {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matrix_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
}

/// The document as it is sent.
#[derive(Debug)]
pub(crate) struct Document {
    pub text: String,
    pub etag: String,
}

impl Document {
    pub fn new(config: &ClientConfig) -> Self {
        // Texts, numbers and booleans: there is nothing that could not be written.
        let text = serde_json::to_string(config).unwrap_or_default();
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        Self {
            etag: format!("\"{:016x}\"", hasher.finish()),
            text,
        }
    }
}
