use reqwest::{Method, StatusCode};

use crate::Hosting;

#[tokio::test]
async fn assets_are_kept_for_ever_and_the_rest_is_asked_for_again() {
    let hosting = Hosting::start().await;
    for path in ["/assets/index-1.js", "/assets/crypto-1.wasm"] {
        let answer = hosting.get(path).await;
        assert_eq!(
            answer.header("cache-control"),
            "public, max-age=31536000, immutable",
            "{path}"
        );
    }
    for path in ["/", "/sw.js", "/config.json", "/manifest.webmanifest"] {
        let answer = hosting.get(path).await;
        assert_eq!(answer.header("cache-control"), "no-cache", "{path}");
    }
}

#[tokio::test]
async fn what_the_browser_has_is_not_sent_again() {
    let hosting = Hosting::start().await;
    for path in ["/assets/index-1.js", "/sw.js", "/config.json"] {
        let first = hosting.get(path).await;
        let etag = first.header("etag");
        assert!(etag.starts_with('"'), "{path}: {etag:?}");
        let again = hosting.ask(Method::GET, path, &[("if-none-match", etag)]).await;
        assert_eq!(
            (again.status, again.text.as_str()),
            (StatusCode::NOT_MODIFIED, ""),
            "{path}"
        );
        assert_eq!(again.header("etag"), etag);
        assert_eq!(again.header("cache-control"), first.header("cache-control"));
        let other = hosting
            .ask(Method::GET, path, &[("if-none-match", "\"other\"")])
            .await;
        assert_eq!(other.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn each_encoding_has_a_tag_of_its_own() {
    let hosting = Hosting::start().await;
    let plain = hosting.get("/assets/index-1.js").await;
    let packed = hosting
        .ask(Method::GET, "/assets/index-1.js", &[("accept-encoding", "br")])
        .await;
    assert_ne!(plain.header("etag"), packed.header("etag"));
}
