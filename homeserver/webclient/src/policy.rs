//! What the browser lets the client do.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use url::Url;

const PERMISSIONS: &str = "camera=(self), microphone=(self), display-capture=(self), fullscreen=(self)";

/// Where the client may connect to beside its own origin.
#[derive(Debug, Clone, Default)]
pub struct Connections {
    /// The server's public address; WebSockets there are named for browsers that do not count them to the origin.
    pub base_url: String,
    /// Addresses of SFUs elsewhere, `wss://…`.
    pub sfus: Vec<String>,
    /// Whether calls are shared with other servers. Each brings its own SFU and the service beside it, whose addresses
    /// nobody knows before.
    pub are_calls_federated: bool,
}

/// The headers that go with everything of the client's.
#[derive(Debug)]
pub(crate) struct Policy {
    connect_sources: String,
}

impl Policy {
    pub fn new(connections: &Connections) -> Self {
        let mut sources: Vec<String> = vec!["'self'".to_owned()];
        sources.extend(
            origins(&connections.base_url.replacen("http", "ws", 1))
                .into_iter()
                .take(1),
        );
        sources.extend(connections.sfus.iter().flat_map(|sfu| origins(sfu)));
        if connections.are_calls_federated {
            // Pages without TLS are for trying things out, with SFUs without TLS.
            let is_plain = connections.base_url.starts_with("http:");
            // The SFU by WebSocket; the service beside it, which gives the tokens, by HTTP.
            let schemes = if is_plain {
                ["ws:", "http:"]
            } else {
                ["wss:", "https:"]
            };
            sources.extend(schemes.map(str::to_owned));
        }
        sources.dedup();
        Self {
            connect_sources: sources.join(" "),
        }
    }

    /// Adds the headers. `nonce` is that of a page's styles.
    pub fn add_to(&self, headers: &mut HeaderMap, nonce: Option<&str>) {
        for (name, value) in [
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
            (HeaderName::from_static("permissions-policy"), PERMISSIONS),
            (
                HeaderName::from_static("cross-origin-opener-policy"),
                "same-origin",
            ),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        // Made of nonces, which are base64, and of parsed URLs.
        if let Ok(policy) = HeaderValue::try_from(self.content_security(nonce)) {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
    }

    /// Also on scripts: a worker's own answer says what the worker may do.
    fn content_security(&self, nonce: Option<&str>) -> String {
        let connect = &self.connect_sources;
        let style = nonce.map(|nonce| format!(" 'nonce-{nonce}'")).unwrap_or_default();
        format!(
            "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'{style}; connect-src {connect}; \
             img-src 'self' blob: data:; media-src 'self' blob:; font-src 'self'; worker-src 'self'; manifest-src 'self'; \
             object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        )
    }
}

/// The origin of an SFU, and the same by HTTP, where its client asks why a connection was refused. Without any if it is no
/// address.
fn origins(websocket_url: &str) -> Vec<String> {
    let Ok(url) = Url::parse(websocket_url) else {
        return Vec::new();
    };
    let origin = url.origin().ascii_serialization();
    let by_http = origin.replacen("ws", "http", 1);
    if url.origin().is_tuple() {
        vec![origin, by_http]
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connect_sources(base_url: &str, sfus: &[&str], are_calls_federated: bool) -> String {
        let connections = Connections {
            base_url: base_url.to_owned(),
            sfus: sfus.iter().map(|sfu| (*sfu).to_owned()).collect(),
            are_calls_federated,
        };
        Policy::new(&connections).connect_sources
    }

    #[test]
    fn the_client_connects_to_its_origin_and_to_sfus() {
        let base_url = "https://chat.example.org/somewhere";
        assert_eq!(
            connect_sources(base_url, &[], false),
            "'self' wss://chat.example.org"
        );
        assert_eq!(
            connect_sources(
                base_url,
                &["wss://sfu.example.org:7443/path", "no address; 'unsafe-inline'"],
                false
            ),
            "'self' wss://chat.example.org wss://sfu.example.org:7443 https://sfu.example.org:7443"
        );
        assert_eq!(
            connect_sources(base_url, &[], true),
            "'self' wss://chat.example.org wss: https:"
        );
        assert_eq!(
            connect_sources("http://127.0.0.1:8008", &[], true),
            "'self' ws://127.0.0.1:8008 ws: http:"
        );
    }

    #[test]
    fn scripts_come_from_files_alone() {
        let policy = Policy::new(&Connections::default());
        let mut headers = HeaderMap::new();
        policy.add_to(&mut headers, Some("abc"));
        let text = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(text.contains("script-src 'self' 'wasm-unsafe-eval';"), "{text}");
        assert!(text.contains("style-src 'self' 'nonce-abc';"), "{text}");
        assert!(!text.contains("unsafe-inline"));
        policy.add_to(&mut headers, None);
        let text = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(text.contains("style-src 'self';"), "{text}");
    }
}
