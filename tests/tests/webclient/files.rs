use reqwest::{Method, StatusCode};

use crate::{Hosting, SCRIPT, SCRIPT_BR, SCRIPT_GZ};

#[tokio::test]
async fn files_have_the_types_that_browsers_insist_on() {
    let hosting = Hosting::start().await;
    for (path, expected) in [
        ("/sw.js", "text/javascript; charset=utf-8"),
        ("/assets/index-1.js", "text/javascript; charset=utf-8"),
        ("/assets/index-1.css", "text/css; charset=utf-8"),
        ("/assets/crypto-1.wasm", "application/wasm"),
        ("/assets/inter-1.woff2", "font/woff2"),
        ("/manifest.webmanifest", "application/manifest+json"),
        ("/icon.svg", "image/svg+xml"),
    ] {
        let answer = hosting.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        assert_eq!(answer.header("content-type"), expected, "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
    }
}

#[tokio::test]
async fn the_smallest_copy_is_sent_that_the_browser_takes() {
    let hosting = Hosting::start().await;
    for (accepted, encoding, text) in [
        ("gzip, deflate, br, zstd", "br", SCRIPT_BR),
        ("gzip, br;q=0", "gzip", SCRIPT_GZ),
        ("identity", "", SCRIPT),
    ] {
        let answer = hosting
            .ask(
                Method::GET,
                "/assets/index-1.js",
                &[("accept-encoding", accepted)],
            )
            .await;
        assert_eq!(answer.header("content-encoding"), encoding, "{accepted}");
        assert_eq!(answer.text, text);
        assert_eq!(answer.header("content-length"), text.len().to_string());
        assert_eq!(answer.header("vary"), "Accept-Encoding");
        assert_eq!(answer.header("content-type"), "text/javascript; charset=utf-8");
    }
    // There is no copy of this one.
    let answer = hosting
        .ask(
            Method::GET,
            "/assets/index-1.css",
            &[("accept-encoding", "br, gzip")],
        )
        .await;
    assert_eq!(
        (answer.header("content-encoding"), answer.text.as_str()),
        ("", "body { margin: 0 }")
    );
}

#[tokio::test]
async fn head_tells_of_a_file_without_sending_it() {
    let hosting = Hosting::start().await;
    for path in ["/assets/index-1.js", "/", "/config.json"] {
        let got = hosting.get(path).await;
        let head = hosting.ask(Method::HEAD, path, &[]).await;
        assert_eq!(head.status, StatusCode::OK);
        assert!(head.text.is_empty());
        for name in ["content-type", "content-length", "etag", "cache-control"] {
            assert_eq!(head.header(name), got.header(name), "{path}: {name}");
        }
    }
}

#[tokio::test]
async fn nothing_outside_of_the_folder_and_nothing_hidden_is_served() {
    let parent = tempfile::tempdir().unwrap();
    std::fs::write(parent.path().join("secret"), "the secret").unwrap();
    let hosting = Hosting::start().await;
    std::os::unix::fs::symlink(parent.path().join("secret"), hosting.folder.path().join("link")).unwrap();
    std::os::unix::fs::symlink(parent.path(), hosting.folder.path().join("assets/out")).unwrap();
    for path in [
        "/link",
        "/assets/out/secret",
        "/.vite/manifest.json",
        "/assets/..%2f.vite%2fmanifest.json",
        "/assets/index-1.js.br",
        "/assets/%00",
        "/assets",
        "/assets/",
        "/..%2f..%2f..%2f..%2fetc%2fpasswd",
        "/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/%5c..%5c..%5cetc%5cpasswd",
        "//etc/passwd",
    ] {
        hosting.get(path).await.is_unrecognized(StatusCode::NOT_FOUND);
        let opened = hosting.open(path).await;
        assert!(
            !opened.text.contains("root:") && !opened.text.contains("the secret"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_new_client_is_there_as_soon_as_it_lies_in_the_folder() {
    let hosting = Hosting::start().await;
    let before = hosting.get("/sw.js").await;
    std::fs::write(hosting.folder.path().join("sw.js"), "// the next one").unwrap();
    let after = hosting
        .ask(Method::GET, "/sw.js", &[("if-none-match", before.header("etag"))])
        .await;
    assert_eq!(
        (after.status, after.text.as_str()),
        (StatusCode::OK, "// the next one")
    );
}
