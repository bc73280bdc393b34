use crate::{Hosting, PAGE, SCRIPT};

/// The directives of a policy, by name.
fn directive<'p>(policy: &'p str, name: &str) -> &'p str {
    let mut directives = policy.split("; ");
    let found = directives.find_map(|directive| directive.strip_prefix(name)?.strip_prefix(' '));
    found.unwrap_or_else(|| panic!("no {name} in {policy}"))
}

#[tokio::test]
async fn the_page_may_do_what_the_client_needs_and_nothing_else() {
    let hosting = Hosting::with(|builder| {
        builder
            .set("server.public_base_url", "https://chat.example.org")
            .set("federation.mode", "off")
    })
    .await;
    let answer = hosting.get("/").await;
    let policy = answer.header("content-security-policy");
    for (name, expected) in [
        ("default-src", "'self'"),
        ("script-src", "'self' 'wasm-unsafe-eval'"),
        ("connect-src", "'self' wss://chat.example.org"),
        ("img-src", "'self' blob: data:"),
        ("media-src", "'self' blob:"),
        ("worker-src", "'self'"),
        ("object-src", "'none'"),
        ("base-uri", "'none'"),
        ("form-action", "'self'"),
        ("frame-ancestors", "'none'"),
    ] {
        assert_eq!(directive(policy, name), expected, "{name}");
    }
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin");
    assert_eq!(
        answer.header("permissions-policy"),
        "camera=(self), microphone=(self), display-capture=(self), fullscreen=(self)"
    );
}

#[tokio::test]
async fn each_page_has_a_nonce_of_its_own() {
    let hosting = Hosting::start().await;
    let mut seen = Vec::new();
    for _ in 0..2 {
        let answer = hosting.get("/").await;
        let styles = directive(answer.header("content-security-policy"), "style-src").to_owned();
        let nonce = styles
            .strip_prefix("'self' 'nonce-")
            .unwrap()
            .trim_end_matches('\'')
            .to_owned();
        assert_eq!(answer.text, PAGE.replace("__CSP_NONCE__", &nonce));
        // Somebody who has the page would have its nonce, too, and with it the right to its styles.
        assert_eq!(answer.header("etag"), "");
        seen.push(nonce);
    }
    assert_ne!(seen[0], seen[1]);
}

#[tokio::test]
async fn workers_are_bound_as_the_page_is() {
    let hosting = Hosting::start().await;
    let answer = hosting.get("/assets/index-1.js").await;
    assert_eq!(answer.text, SCRIPT);
    let policy = answer.header("content-security-policy");
    assert_eq!(directive(policy, "default-src"), "'self'");
    assert_eq!(directive(policy, "style-src"), "'self'");
}

#[tokio::test]
async fn sfus_elsewhere_can_be_reached() {
    let federated = Hosting::with(|builder| {
        builder
            .set("server.public_base_url", "https://chat.example.org")
            .set("calls.livekit.mode", "external")
            .set("calls.livekit.url", "wss://sfu.example.org/path")
            .set("calls.livekit.api_url", "http://127.0.0.1:1")
            .set("calls.livekit.api_key", "key")
            .set("calls.livekit.api_secret", "secret")
    })
    .await;
    let answer = federated.get("/").await;
    // Those of other servers are not known before.
    assert_eq!(
        directive(answer.header("content-security-policy"), "connect-src"),
        "'self' wss://chat.example.org wss://sfu.example.org https://sfu.example.org wss: https:"
    );
}

#[tokio::test]
async fn pages_of_other_origins_may_read_the_api_and_not_the_client() {
    let hosting = Hosting::start().await;
    for path in ["/", "/sw.js", "/assets/index-1.js"] {
        let answer = hosting.get(path).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
    }
    for path in [
        "/config.json",
        "/_matrix/client/versions",
        "/nothing",
        "/assets/nothing",
    ] {
        let answer = hosting.get(path).await;
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
    }
}
