#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Notify;

use super::*;

/// Longer than any test takes; only a hanging one meets it.
const LONG: Duration = Duration::from_secs(60);

struct Running {
    address: String,
    stop: CancellationToken,
    listeners: Listeners,
}

async fn start(router: Router, change: impl FnOnce(&mut Config)) -> Running {
    let mut config = Config::default_settings().unwrap();
    config.listeners[0].address = "127.0.0.1:0".parse().unwrap();
    change(&mut config);
    let listener = Listener::open(&config.listeners[0]).await.unwrap();
    let address = listener.socket.local_addr().unwrap().to_string();
    let stop = CancellationToken::new();
    let listeners = Listeners::start(vec![listener], router, &config, stop.clone());
    Running {
        address,
        stop,
        listeners,
    }
}

/// Sends one request on a fresh connection and reads until the server closes it.
async fn ask(address: &str, path: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

async fn show_client(address: ClientAddress) -> String {
    address.key()
}

#[tokio::test]
async fn a_listener_serves_only_its_services() {
    let router = Router::new()
        .route("/_matrix/client/v3/who", get(show_client))
        .route("/_synapse/admin/v1/register", get(show_client));
    let running = start(router, |config| {
        config.listeners[0].serves = vec![Service::Client];
    })
    .await;
    assert!(
        ask(&running.address, "/_matrix/client/v3/who", "")
            .await
            .starts_with("HTTP/1.1 200")
    );
    let refused = ask(&running.address, "/_synapse/admin/v1/register", "").await;
    assert!(
        refused.starts_with("HTTP/1.1 404") && refused.contains("M_UNRECOGNIZED"),
        "{refused}"
    );
}

#[tokio::test]
async fn handlers_learn_the_client_behind_a_trusted_proxy() {
    let router = || Router::new().route("/_matrix/client/v3/who", get(show_client));
    let forwarded = "x-forwarded-for: 192.0.2.33\r\n";
    let running = start(router(), |_| ()).await;
    assert!(
        ask(&running.address, "/_matrix/client/v3/who", forwarded)
            .await
            .ends_with("127.0.0.1")
    );
    let trusting = |config: &mut Config| config.server.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    let running = start(router(), trusting).await;
    assert!(
        ask(&running.address, "/_matrix/client/v3/who", forwarded)
            .await
            .ends_with("192.0.2.33")
    );
}

#[tokio::test]
async fn stopping_lets_open_requests_end() {
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let handler = {
        let (begun, go_on) = (Arc::clone(&begun), Arc::clone(&go_on));
        async move || {
            begun.notify_one();
            go_on.notified().await;
            "done"
        }
    };
    let running = start(
        Router::new().route("/_matrix/client/v3/wait", get(handler)),
        |_| (),
    )
    .await;
    let address = running.address.clone();
    let asked = tokio::spawn(async move { ask(&address, "/_matrix/client/v3/wait", "").await });
    begun.notified().await;
    running.stop.cancel();
    let finishing = tokio::spawn(running.listeners.finish(LONG));
    go_on.notify_one();
    assert!(asked.await.unwrap().ends_with("done"));
    finishing.await.unwrap();
    assert!(
        TcpStream::connect(&running.address).await.is_err(),
        "nobody listens any more"
    );
}

#[tokio::test]
async fn stopping_does_not_wait_for_ever() {
    let begun = Arc::new(Notify::new());
    let handler = {
        let begun = Arc::clone(&begun);
        async move || {
            begun.notify_one();
            std::future::pending::<&'static str>().await
        }
    };
    let running = start(
        Router::new().route("/_matrix/client/v3/hang", get(handler)),
        |_| (),
    )
    .await;
    let mut stream = TcpStream::connect(&running.address).await.unwrap();
    stream
        .write_all(b"GET /_matrix/client/v3/hang HTTP/1.1\r\nhost: test\r\n\r\n")
        .await
        .unwrap();
    begun.notified().await;
    running.stop.cancel();
    running.listeners.finish(Duration::from_millis(1)).await;
    let mut rest = Vec::new();
    assert_eq!(stream.read_to_end(&mut rest).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_a_place() {
    let served = Arc::new(AtomicUsize::new(0));
    let handler = {
        let served = Arc::clone(&served);
        async move || served.fetch_add(1, Ordering::SeqCst).to_string()
    };
    let router = Router::new().route("/_matrix/client/v3/count", get(handler));
    let running = start(router, |config| config.limits.connections_max = 1).await;
    let first = TcpStream::connect(&running.address).await.unwrap();
    let address = running.address.clone();
    let second = tokio::spawn(async move { ask(&address, "/_matrix/client/v3/count", "").await });
    drop(first);
    assert!(second.await.unwrap().ends_with('0'));
}
