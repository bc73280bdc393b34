#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::net::Ipv4Addr;

use axum::{Router, response::Redirect, routing::get};

use super::*;

/// Two servers on the loopback network: one on an address that is allowed, one on 127.0.0.1, which is not.
struct World {
    outbound: Outbound,
    allowed: SocketAddr,
    denied: SocketAddr,
}

async fn serve(address: Ipv4Addr, router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind((address, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn world() -> World {
    let addresses = AddressPolicy {
        allowed: vec!["127.0.0.2".parse().unwrap()],
        ..AddressPolicy::default()
    };
    let denied = serve(
        Ipv4Addr::LOCALHOST,
        Router::new().route("/", get(async || "secret")),
    )
    .await;
    let to_denied = format!("http://{denied}/");
    let router = Router::new()
        .route("/", get(async || "hello"))
        .route("/away", get(async move || Redirect::temporary(&to_denied)))
        .route("/home", get(async || Redirect::temporary("/")))
        .route("/round", get(async || Redirect::temporary("/round")))
        .route("/file", get(async || Redirect::temporary("file:///etc/passwd")))
        .route(
            "/localhost",
            get(async move || Redirect::temporary(&format!("http://localhost:{}/", denied.port()))),
        );
    let allowed = serve(Ipv4Addr::new(127, 0, 0, 2), router).await;
    let options = OutboundOptions {
        extra_ca_files: Vec::new(),
        addresses,
        connect_timeout: Duration::from_secs(5),
        request_timeout: Duration::from_secs(10),
    };
    World {
        outbound: Outbound::new(&options).unwrap(),
        allowed,
        denied,
    }
}

impl World {
    async fn get(&self, url: &str, redirects: Redirects) -> Result<(u16, Bytes), OutboundError> {
        let url = Url::parse(url).unwrap();
        let request = self.outbound.request(Method::GET, url, redirects)?;
        let response = self.outbound.send(request).await?;
        let status = response.status().as_u16();
        Ok((status, read_limited(response, 1024).await?))
    }
}

#[tokio::test]
async fn an_allowed_address_is_fetched_and_its_redirects_are_followed() {
    let world = world().await;
    let base = format!("http://{}", world.allowed);
    let answer = world
        .get(&format!("{base}/home"), Redirects::Follow)
        .await
        .unwrap();
    assert_eq!(answer, (200, Bytes::from("hello")));
    let answer = world
        .get(&format!("{base}/home"), Redirects::Never)
        .await
        .unwrap();
    assert_eq!(answer.0, 307);
}

#[tokio::test]
async fn a_denied_address_is_refused_in_every_spelling_and_by_every_way() {
    let world = world().await;
    let port = world.denied.port();
    let spellings = [
        format!("http://127.0.0.1:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://0x7f.1:{port}/"),
        format!("http://0177.0.0.1:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://[::ffff:7f00:1]:{port}/"),
        format!("http://[::1]:{port}/"),
        format!("http://localhost:{port}/"),
        format!("http://{}/away", world.allowed),
        format!("http://{}/localhost", world.allowed),
    ];
    for url in spellings {
        let answer = world.get(&url, Redirects::Follow).await;
        assert!(
            matches!(answer, Err(OutboundError::Denied(_))),
            "{url}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn what_is_no_plain_web_address_is_refused() {
    let world = world().await;
    for url in [
        "ftp://example.org/",
        "file:///etc/passwd",
        "http://user:word@example.org/",
        "data:text/plain,x",
    ] {
        let answer = world.get(url, Redirects::Follow).await;
        assert!(
            matches!(answer, Err(OutboundError::BadUrl(_))),
            "{url}: {answer:?}"
        );
    }
    let base = format!("http://{}", world.allowed);
    let answer = world.get(&format!("{base}/round"), Redirects::Follow).await;
    assert!(matches!(answer, Err(OutboundError::Failed(_))), "{answer:?}");
    // Not followed: the redirect itself is the answer.
    let answer = world
        .get(&format!("{base}/file"), Redirects::Follow)
        .await
        .unwrap();
    assert_eq!(answer, (307, Bytes::new()));
}

#[tokio::test]
async fn a_body_is_read_up_to_its_limit() {
    let world = world().await;
    let url = Url::parse(&format!("http://{}/", world.allowed)).unwrap();
    let request = world
        .outbound
        .request(Method::GET, url, Redirects::Never)
        .unwrap();
    let response = world.outbound.send(request).await.unwrap();
    assert!(matches!(
        read_limited(response, 4).await,
        Err(OutboundError::TooLarge(4))
    ));
}
