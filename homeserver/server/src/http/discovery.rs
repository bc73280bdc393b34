//! How clients and servers find this server and learn what it can do.

use axum::Json;
use axum::Router;
use axum::routing::get;
use echorift_calls::CallsDiscovery;
use echorift_rooms::EncryptionDefault;
use echorift_web::MatrixError;
use serde_json::{Value, json};

use crate::config::{Config, SupportSettings};

/// The versions of the specification whose client features this server has.
const VERSIONS: [&str; 19] = [
    "v1.1", "v1.2", "v1.3", "v1.4", "v1.5", "v1.6", "v1.7", "v1.8", "v1.9", "v1.10", "v1.11", "v1.12",
    "v1.13", "v1.14", "v1.15", "v1.16", "v1.17", "v1.18", "v1.19",
];

/// Features that clients look for under the names they had before they became part of a version, and proposals
/// that are part of none yet. Only what works stands here.
const FEATURES: &[&str] = &[
    // Read receipts that others do not see, and markers.
    "org.matrix.msc2285.stable",
    // Jump to date.
    "org.matrix.msc3030",
    "org.matrix.msc3030.stable",
    // Threads, their list, receipts and counts.
    "org.matrix.msc3440.stable",
    "org.matrix.msc3771",
    "org.matrix.msc3773",
    "org.matrix.msc3856.stable",
    // Relations of relations.
    "org.matrix.msc3981",
    // Mentions by intention.
    "org.matrix.msc3952_intentional_mentions",
    // Extended profiles.
    "uk.tcpip.msc4133",
    "uk.tcpip.msc4133.stable",
    // Rooms that one shares with somebody.
    "uk.half-shot.msc2666.query_mutual_rooms",
    "uk.half-shot.msc2666.query_mutual_rooms.stable",
    // Wanting no invites.
    "org.matrix.msc4380",
    "org.matrix.msc4380.stable",
    // Simplified sliding sync.
    "org.matrix.simplified_msc3575",
    // Threads that one follows, and in sliding sync.
    "org.matrix.msc4306",
    // Pushers that are switched on and off from other devices, and the push of every encrypted event.
    "org.matrix.msc3881",
    "org.matrix.msc4174",
    "org.matrix.msc4028",
    // A spare device that receives room keys.
    "org.matrix.msc3814",
    // Events that reach everybody in the room for a while.
    "org.matrix.msc4354",
    // Redactions sent like other events, in every room version.
    "com.beeper.msc4169",
];

/// Events that are sent later; there as long as the operator lets events be delayed.
const DELAYED_EVENTS: [&str; 2] = ["org.matrix.msc4140", "org.matrix.msc4140.stable"];

/// Meeting points for sign-in by QR code; there with `[oauth]` alone.
const RENDEZVOUS: [&str; 2] = ["org.matrix.msc4108", "io.element.msc4388"];

/// Where calls go; there with `[calls.livekit]` alone.
const TRANSPORTS: [&str; 1] = ["org.matrix.msc4143"];

pub(super) fn routes(config: &Config, calls: &CallsDiscovery) -> Router {
    let versions = versions(config, calls);
    let mut routes = Router::new().route("/_matrix/client/versions", get(async move || Json(versions)));
    if config.federation.is_on() {
        routes = routes.route(
            "/_matrix/federation/v1/version",
            get(async || Json(federation_version())),
        );
    }
    if config.federation.well_known_client {
        let client = client_document(config, calls);
        let server = delegated_server(&config.server.public_base_url)
            .filter(|_| config.federation.is_on())
            .map(|name| json!({ "m.server": name }));
        let support = support(&config.support);
        routes = routes
            .route("/.well-known/matrix/client", get(async move || Json(client)))
            .route("/.well-known/matrix/server", get(async move || found(server)))
            .route("/.well-known/matrix/support", get(async move || found(support)))
            // This server is no policy server; another may answer here for this name.
            .route("/.well-known/matrix/policy_server", get(async || found(None)));
    }
    routes
}

/// `GET /.well-known/matrix/client` (CS API § Well-known URI). Where calls go stands there for clients that do not ask the
/// endpoint for it yet (MSC4143).
fn client_document(config: &Config, calls: &CallsDiscovery) -> Value {
    let mut client = json!({ "m.homeserver": { "base_url": config.server.public_base_url } });
    if let (Some(foci), Some(fields)) = (&calls.foci, client.as_object_mut()) {
        fields.insert("org.matrix.msc4143.rtc_foci".to_owned(), foci.clone());
    }
    client
}

fn found(document: Option<Value>) -> Result<Json<Value>, MatrixError> {
    document
        .map(Json)
        .ok_or_else(|| MatrixError::not_found("This server does not publish that document."))
}

/// `GET /_matrix/client/versions` (CS API § API Versions).
fn versions(config: &Config, calls: &CallsDiscovery) -> Value {
    let encryption = config.rooms.encryption_by_default;
    let meets = RENDEZVOUS.iter().filter(|_| config.oauth.enabled);
    let calls = TRANSPORTS.iter().filter(|_| calls.is_on);
    let delays = DELAYED_EVENTS
        .iter()
        .filter(|_| config.calls.delayed_events.options().is_on());
    let mut features: serde_json::Map<String, Value> = FEATURES
        .iter()
        .chain(meets)
        .chain(calls)
        .chain(delays)
        .map(|name| ((*name).to_owned(), Value::Bool(true)))
        .collect();
    // Which presets make encrypted rooms, so that clients need not ask for it or can say so.
    for (preset, is_forced) in [
        ("private", encryption != EncryptionDefault::Off),
        ("trusted_private", encryption != EncryptionDefault::Off),
        ("public", encryption == EncryptionDefault::All),
    ] {
        features.insert(format!("io.element.e2ee_forced.{preset}"), is_forced.into());
    }
    json!({ "versions": VERSIONS, "unstable_features": features })
}

/// `GET /_matrix/federation/v1/version` (SS API § Retrieving server version); clients show it too.
fn federation_version() -> Value {
    json!({ "server": { "name": "EchoRift", "version": env!("CARGO_PKG_VERSION") } })
}

/// `m.server`: the host and port behind the public address (SS API § Server discovery). Servers meet over TLS only: without
/// it this one is found at its name's port 8448, if anywhere.
fn delegated_server(public_base_url: &str) -> Option<String> {
    let url = reqwest::Url::parse(public_base_url).ok()?;
    if url.scheme() != "https" {
        return None;
    }
    Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
}

/// `GET /.well-known/matrix/support`; `None` without any contact, for an empty document is not allowed.
fn support(settings: &SupportSettings) -> Option<Value> {
    let mut document = serde_json::Map::new();
    let mut contact = serde_json::Map::new();
    if let Some(user_id) = &settings.matrix_id {
        contact.insert("matrix_id".to_owned(), Value::from(user_id.as_str()));
    }
    if let Some(email) = &settings.email {
        contact.insert("email_address".to_owned(), Value::from(email.as_str()));
    }
    if !contact.is_empty() {
        contact.insert("role".to_owned(), Value::from("m.role.admin"));
        document.insert("contacts".to_owned(), Value::from(vec![Value::Object(contact)]));
    }
    if let Some(page) = &settings.page {
        document.insert("support_page".to_owned(), Value::from(page.as_str()));
    }
    (!document.is_empty()).then_some(Value::Object(document))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_feature_is_named_twice() {
        assert_eq!(FEATURES.iter().collect::<BTreeSet<_>>().len(), FEATURES.len());
    }
}
