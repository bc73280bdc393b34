//! `/livekit/sfu`: clients reach the managed SFU's signalling by this server's own address and certificate.
//!
//! Of the SFU nothing is shown but the paths on which clients connect; above all not its administration. Media goes past
//! this server.

mod tunnel;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse as _, Response},
    routing::get,
};
use echorift_web::{ClientAddress, MatrixError};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use hyper::{body::Incoming, client::conn::http1, upgrade::OnUpgrade};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, sync::Semaphore};

/// Where the SFU is on this server.
pub(super) const PREFIX: &str = "/livekit/sfu";
/// What clients ask of an SFU: a WebSocket, and, if they did not get one, why. Today's and the older protocol.
const PATHS: [&str; 4] = ["/rtc", "/rtc/validate", "/rtc/v1", "/rtc/v1/validate"];
/// How long the SFU may take to answer. It does so before any media flows, but looks for the room first.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What the SFU gets to see of a request. Neither cookies nor what proxies before us have added.
const PASSED_ON: [HeaderName; 11] = [
    header::ACCEPT,
    header::ACCEPT_LANGUAGE,
    header::AUTHORIZATION,
    header::ORIGIN,
    header::UPGRADE,
    header::USER_AGENT,
    header::SEC_WEBSOCKET_EXTENSIONS,
    header::SEC_WEBSOCKET_KEY,
    header::SEC_WEBSOCKET_PROTOCOL,
    header::SEC_WEBSOCKET_VERSION,
    header::CACHE_CONTROL,
];
/// What concerns one connection only, and so is not passed back.
const OWN_TO_A_CONNECTION: [HeaderName; 5] = [
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::TE,
    header::TRAILER,
    HeaderName::from_static("keep-alive"),
];
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The way to the managed SFU.
#[derive(Clone)]
pub struct SfuProxy {
    sfu: SocketAddr,
    /// One for each connection that is open.
    places: Arc<Semaphore>,
}

#[derive(Debug, thiserror::Error)]
enum ProxyError {
    #[error("the SFU cannot be reached: {0}")]
    Connect(#[from] std::io::Error),
    #[error("the SFU broke off: {0}")]
    Exchange(#[from] hyper::Error),
    #[error("the SFU did not answer in time")]
    Slow,
}

impl SfuProxy {
    /// At most `connections_max` clients are connected at a time.
    pub fn new(sfu: SocketAddr, connections_max: usize) -> Self {
        Self {
            sfu,
            places: Arc::new(Semaphore::new(connections_max.min(Semaphore::MAX_PERMITS))),
        }
    }

    pub fn router(self) -> Router {
        let routes = PATHS.iter().fold(Router::new(), |routes, path| {
            routes.route(&format!("{PREFIX}{path}"), get(forward))
        });
        routes.with_state(self)
    }

    /// Asks the SFU on a connection of its own, which lives on if it becomes a WebSocket.
    async fn ask(&self, request: http::Request<Body>) -> Result<http::Response<Incoming>, ProxyError> {
        let connecting = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(self.sfu));
        let stream = connecting.await.map_err(|_| ProxyError::Slow)??;
        stream.set_nodelay(true)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // It ends with the answer's body, or hands the stream over.
        tokio::spawn(connection.with_upgrades());
        let answer = tokio::time::timeout(ANSWER_TIMEOUT, sender.send_request(request));
        Ok(answer.await.map_err(|_| ProxyError::Slow)??)
    }
}

/// `GET /livekit/sfu/rtc…`: the same on the SFU.
async fn forward(State(proxy): State<SfuProxy>, client: ClientAddress, mut request: Request) -> Response {
    let Ok(place) = Arc::clone(&proxy.places).try_acquire_owned() else {
        return MatrixError::unavailable("Too many people are in calls on this server.").into_response();
    };
    let on_client = hyper::upgrade::on(&mut request);
    let mut answer = match proxy.ask(for_the_sfu(&request, &client)).await {
        Ok(answer) => answer,
        Err(error) => {
            tracing::info!(%error, "a client could not be connected to the SFU");
            return MatrixError::unavailable("Calls are not available at the moment: try again soon.")
                .into_response();
        }
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = answer.status();
    if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
        let on_sfu = hyper::upgrade::on(&mut answer);
        *response.headers_mut() = for_the_client(answer.headers());
        set(response.headers_mut(), header::CONNECTION, "Upgrade");
        tokio::spawn(async move {
            join(on_client, on_sfu).await;
            drop(place);
        });
    } else {
        let (parts, body) = answer.into_parts();
        *response.headers_mut() = for_the_client(&parts.headers);
        *response.body_mut() = Body::new(body);
    }
    response
}

/// The request as the SFU is to see it. The path is one of those above, whatever was written.
fn for_the_sfu(request: &Request, client: &ClientAddress) -> http::Request<Body> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let path = path.strip_prefix(PREFIX).unwrap_or("/");
    let mut asked = http::Request::new(Body::empty());
    // A part of a URI that was parsed already.
    *asked.uri_mut() = path.parse().unwrap_or_default();
    let headers = asked.headers_mut();
    for name in PASSED_ON {
        for value in request.headers().get_all(&name) {
            headers.append(name.clone(), value.clone());
        }
    }
    if headers.contains_key(header::UPGRADE) {
        set(headers, header::CONNECTION, "Upgrade");
    }
    set(headers, header::HOST, "livekit");
    // The SFU believes whatever stands here.
    set(headers, FORWARDED_FOR, &client.key());
    asked
}

fn for_the_client(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for name in OWN_TO_A_CONNECTION {
        headers.remove(name);
    }
    headers
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Carries a WebSocket's bytes both ways until one side has ended it. What is in them is not looked at.
async fn join(on_client: OnUpgrade, on_sfu: OnUpgrade) {
    let (client, sfu) = match tokio::try_join!(on_client, on_sfu) {
        Ok(both) => both,
        Err(error) => {
            tracing::debug!(%error, "a WebSocket was agreed upon and did not come about");
            return;
        }
    };
    metrics::gauge!("echorift_calls_proxied_connections").increment(1.0);
    let ended = tunnel::carry(TokioIo::new(client), TokioIo::new(sfu)).await;
    metrics::gauge!("echorift_calls_proxied_connections").decrement(1.0);
    tracing::debug!(?ended, "a client's connection to the SFU has ended");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sfu_sees_the_address_that_we_know_and_of_the_rest_what_it_needs() {
        let request = Request::get("/livekit/sfu/rtc/v1?access_token=a.b.c&join_request=x%2Fy")
            .header("upgrade", "websocket")
            .header("connection", "keep-alive, Upgrade")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("user-agent", "a browser")
            .header("x-forwarded-for", "203.0.113.66")
            .header("x-real-ip", "203.0.113.67")
            .header("cf-connecting-ip", "203.0.113.68")
            .header("cookie", "session=secret")
            .header("host", "chat.example.org")
            .body(Body::empty())
            .unwrap();
        let client = ClientAddress(Some("192.0.2.1".parse().unwrap()));
        let asked = for_the_sfu(&request, &client);
        assert_eq!(asked.uri(), "/rtc/v1?access_token=a.b.c&join_request=x%2Fy");
        let mut headers: Vec<(&str, &str)> = asked
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        headers.sort_unstable();
        assert_eq!(
            headers,
            [
                ("connection", "Upgrade"),
                ("host", "livekit"),
                ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
                ("upgrade", "websocket"),
                ("user-agent", "a browser"),
                ("x-forwarded-for", "192.0.2.1"),
            ]
        );
    }
}
