//! `[oauth]`: signing in by the browser, and the places where people may do it.

use std::time::Duration;

use echorift_accounts::{DirectoryClaim, OAuthOptions, UpstreamOptions};
use echorift_appservice_ldap::provider_name;
use echorift_web::outbound::{Outbound, OutboundSetupError};

use super::OutboundSettings;
use super::secret::Secret;
use super::table::Table;

/// `[oauth]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OAuthSettings {
    pub(crate) enabled: bool,
    browser_session_lifetime: Duration,
    upstreams: Vec<UpstreamSettings>,
}

/// One `[[oauth.upstream]]`.
#[derive(Debug, Clone, PartialEq)]
struct UpstreamSettings {
    issuer: String,
    name: String,
    client_id: String,
    client_secret: Option<Secret>,
    scopes: Vec<String>,
    claim_localpart: String,
    claim_name: String,
    /// The claim with the directory's ID of the person, and the domain that it is the ID of.
    directory: Option<(String, String)>,
}

impl OAuthSettings {
    /// `domains` are those of the directory, none if there is none; the name of the first is empty.
    pub(super) fn read(table: &mut Table<'_, '_>, domains: &[&str]) -> Self {
        Self {
            enabled: table.flag("enabled", true),
            browser_session_lifetime: table.duration("browser_session_lifetime", "12h"),
            upstreams: table
                .tables("upstream", |table| UpstreamSettings::read(table, domains))
                .unwrap_or_default(),
        }
    }

    /// Errors: a CA file that cannot be read.
    pub(crate) fn options(&self, outbound: &OutboundSettings) -> Result<OAuthOptions, OutboundSetupError> {
        Ok(OAuthOptions {
            enabled: self.enabled,
            browser_session_lifetime: self.browser_session_lifetime,
            upstreams: self.upstreams.iter().map(UpstreamSettings::options).collect(),
            outbound: Some(Outbound::new(&outbound.options.anywhere())?),
        })
    }
}

impl UpstreamSettings {
    fn read(table: &mut Table<'_, '_>, domains: &[&str]) -> Self {
        let issuer = table.text("issuer", "");
        let is_loopback = ["http://localhost", "http://127.0.0.1", "http://[::1]"]
            .iter()
            .any(|local| issuer.starts_with(local));
        if !issuer.starts_with("https://") && !is_loopback {
            table.refuse(
                "issuer",
                "is not an https address",
                "Write the provider's issuer as it publishes it, for example \"https://id.example.org\".",
            );
        }
        let client_id = table.text("client_id", "");
        if client_id.is_empty() {
            table.refuse(
                "client_id",
                "is missing",
                "Register this server at the provider and write the ID it gets there.",
            );
        }
        let scopes = table.list("scopes", &["openid", "profile"]);
        if !scopes.iter().any(|scope| scope == "openid") {
            table.refuse(
                "scopes",
                "lacks \"openid\"",
                "Without it the provider names nobody.",
            );
        }
        Self {
            name: table.text("name", &issuer),
            issuer,
            client_id,
            client_secret: table.secret("client_secret"),
            scopes,
            claim_localpart: table.text("claim_localpart", "preferred_username"),
            claim_name: table.text("claim_name", "name"),
            directory: read_directory(table, domains),
        }
    }

    fn options(&self) -> UpstreamOptions {
        UpstreamOptions {
            issuer: self.issuer.clone(),
            name: self.name.clone(),
            client_id: self.client_id.clone(),
            client_secret: self
                .client_secret
                .as_ref()
                .map(|secret| secret.reveal().to_owned()),
            scopes: self.scopes.clone(),
            claim_localpart: self.claim_localpart.clone(),
            claim_name: self.claim_name.clone(),
            directory: self.directory.as_ref().map(|(claim, domain)| DirectoryClaim {
                provider: provider_name(domain),
                claim: claim.clone(),
            }),
        }
    }
}

fn read_directory(table: &mut Table<'_, '_>, domains: &[&str]) -> Option<(String, String)> {
    let claim = table.text("claim_directory_id", "");
    let domain = table.text("directory_domain", "");
    if claim.is_empty() {
        if !domain.is_empty() {
            table.refuse(
                "directory_domain",
                "says nothing without claim_directory_id",
                "Write which claim holds the directory's ID of a person, or leave this out.",
            );
        }
        return None;
    }
    if domains.is_empty() {
        table.refuse(
            "claim_directory_id",
            "needs a directory",
            "Write [directory], or leave this out: then people get accounts of their own.",
        );
    } else if !domains.contains(&domain.as_str()) {
        table.refuse(
            "directory_domain",
            "is no domain of the directory",
            "Write the NAME of one of the tables [directory.domains.NAME], or nothing for [directory] itself.",
        );
    }
    Some((claim, domain))
}
