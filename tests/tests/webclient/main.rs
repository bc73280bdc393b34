//! What browsers get at the server's own address: the web client.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests say what they expect by failing"
)]

mod caching;
mod config;
mod files;
mod headers;
mod listeners;
mod routes;

use echorift_tests::{ServerBuilder, TestServer};
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Method, StatusCode};
use tempfile::TempDir;

/// What a browser says it takes when somebody opens an address.
const PAGE_WANTED: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
const PAGE: &str =
    "<!doctype html><meta property=\"csp-nonce\" nonce=\"__CSP_NONCE__\"><title>The client</title>";
const SCRIPT: &str = "export const answer = 42;";
/// Nothing unpacks these here, so that they need not be packed.
const SCRIPT_BR: &str = "the script, by brotli";
const SCRIPT_GZ: &str = "the script, by gzip";

/// A server with a client in a folder of the test's own.
struct Hosting {
    server: TestServer,
    folder: TempDir,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Hosting {
    async fn start() -> Self {
        Self::with(|builder| builder).await
    }

    async fn with(change: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let builder = TestServer::builder().set("server.client_dir", folder.path().to_str().unwrap());
        for (name, text) in [
            ("index.html", PAGE),
            ("sw.js", "self.addEventListener('fetch', () => {});"),
            ("manifest.webmanifest", "{}"),
            ("icon.svg", "<svg/>"),
            ("assets/index-1.js", SCRIPT),
            ("assets/index-1.js.br", SCRIPT_BR),
            ("assets/index-1.js.gz", SCRIPT_GZ),
            ("assets/index-1.css", "body { margin: 0 }"),
            ("assets/crypto-1.wasm", "\0asm"),
            ("assets/inter-1.woff2", "wOF2"),
            (".vite/manifest.json", "{}"),
        ] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self {
            server: change(builder).start().await,
            folder,
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[]).await
    }

    /// As a browser does when somebody opens the address.
    async fn open(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[("accept", PAGE_WANTED)]).await
    }

    async fn ask(&self, method: Method, path: &str, headers: &[(&'static str, &str)]) -> Answer {
        ask(&self.server, method, path, headers).await
    }
}

async fn ask(server: &TestServer, method: Method, path: &str, headers: &[(&'static str, &str)]) -> Answer {
    let mut request = server.anonymous().request(method, path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    Answer {
        status: response.status(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}

impl Answer {
    /// A header's text, empty without it.
    fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).map(HeaderValue::to_str);
        value.map_or("", |value| value.unwrap())
    }

    #[track_caller]
    fn is_the_page(&self) {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        assert_eq!(self.header("content-type"), "text/html; charset=utf-8");
        assert!(self.text.contains("<title>The client</title>"), "{}", self.text);
    }

    #[track_caller]
    fn is_unrecognized(&self, status: StatusCode) {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/json");
        assert!(self.text.contains("M_UNRECOGNIZED"), "{}", self.text);
    }
}
