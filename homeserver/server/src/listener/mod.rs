//! The listeners: sockets, TLS, HTTP/1.1 and HTTP/2, and the end of it all.

mod client_address;
mod place;
mod tls;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use echorift_web::{ClientAddress, MatrixError};
use http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use self::client_address::TrustedProxies;
use crate::config::{Config, ListenerSettings, Service};
use crate::http::services_of;

pub(crate) use self::place::Place;
pub(crate) use self::tls::{TlsError, load as load_tls};

/// A request's head may have this many bytes: a token and some cookies fit many times over.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Requests that one HTTP/2 connection may have open: a client's long polls and a page of thumbnails.
const STREAMS_MAX: u32 = 256;
/// How long to wait when the system refuses to accept (no file descriptors left).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Why a listener could not be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListenError {
    #[error("cannot listen on {address}: {cause}")]
    Bind { address: SocketAddr, cause: io::Error },
    #[error("the TLS files of the listener on {address} cannot be used: {cause}")]
    Tls { address: SocketAddr, cause: TlsError },
}

/// An open socket that does not accept yet.
pub(crate) struct Listener {
    socket: TcpListener,
    tls: Option<TlsAcceptor>,
    serves: Vec<Service>,
}

impl Listener {
    pub(crate) async fn open(settings: &ListenerSettings) -> Result<Self, ListenError> {
        let address = settings.address;
        let tls = settings.tls.as_ref().map(load_tls).transpose();
        let tls = tls.map_err(|cause| ListenError::Tls { address, cause })?;
        let socket = TcpListener::bind(address)
            .await
            .map_err(|cause| ListenError::Bind { address, cause })?;
        Ok(Self {
            socket,
            tls,
            serves: settings.serves.clone(),
        })
    }

    /// Where it really listens: the port is the one that the system gave, if 0 was asked for.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        match self.socket.local_addr() {
            Ok(address) => format!("{scheme}://{address}"),
            Err(_) => scheme.to_owned(),
        }
    }

    /// Where a program on this machine reaches what clients are served; `None` if not here, or by TLS only, whose
    /// certificate is for another name.
    pub(crate) fn own_url(&self) -> Option<String> {
        if self.tls.is_some() || !self.serves.contains(&Service::Client) {
            return None;
        }
        let mut address = self.socket.local_addr().ok()?;
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            IpAddr::V4(_) | IpAddr::V6(_) => {}
        }
        Some(format!("http://{address}"))
    }
}

/// Everything that accepts and serves connections.
pub(crate) struct Listeners {
    connections: TaskTracker,
    stop: CancellationToken,
    abandon: CancellationToken,
}

/// What all connections share.
struct Shared {
    router: Router,
    proxies: TrustedProxies,
    idle_timeout: Duration,
    places: Arc<Semaphore>,
    connections: TaskTracker,
    stop: CancellationToken,
    abandon: CancellationToken,
}

impl Listeners {
    /// Begins to accept on all listeners. `stop` ends accepting and asks the open connections to finish.
    pub(crate) fn start(
        listeners: Vec<Listener>,
        router: Router,
        config: &Config,
        stop: CancellationToken,
    ) -> Self {
        let connections = TaskTracker::new();
        let abandon = CancellationToken::new();
        let places = usize::try_from(config.limits.connections_max).unwrap_or(Semaphore::MAX_PERMITS);
        let shared = Arc::new(Shared {
            router,
            proxies: TrustedProxies::new(config.server.trusted_proxies.clone()),
            idle_timeout: config.limits.idle_timeout,
            places: Arc::new(Semaphore::new(places)),
            connections: connections.clone(),
            stop: stop.clone(),
            abandon: abandon.clone(),
        });
        for listener in listeners {
            connections.spawn(accept_all(Arc::new(listener), Arc::clone(&shared)));
        }
        Self {
            connections,
            stop,
            abandon,
        }
    }

    /// Waits for the stop signal and then for the open requests, but not longer than `grace`.
    pub(crate) async fn finish(self, grace: Duration) {
        self.stop.cancelled().await;
        self.connections.close();
        if tokio::time::timeout(grace, self.connections.wait())
            .await
            .is_err()
        {
            tracing::info!(
                open = self.connections.len(),
                "some requests did not end in time and are dropped"
            );
            self.abandon.cancel();
            self.connections.wait().await;
        }
    }
}

async fn accept_all(listener: Arc<Listener>, shared: Arc<Shared>) {
    loop {
        let accepted = tokio::select! {
            accepted = accept_one(&listener, &shared) => accepted,
            () = shared.stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, peer, place)) => {
                let connection = serve(stream, peer, Arc::clone(&listener), Arc::clone(&shared), place);
                shared.connections.spawn(connection);
            }
            Err(error) => {
                tracing::error!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Waits for a free place first, so that clients beyond the limit wait in the system's queue and take nothing here.
async fn accept_one(listener: &Listener, shared: &Shared) -> io::Result<(TcpStream, SocketAddr, Place)> {
    let permit = Arc::clone(&shared.places)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (stream, peer) = listener.socket.accept().await?;
    // Small answers must not wait for the acknowledgement of earlier ones.
    stream.set_nodelay(true)?;
    let place = Place::new(permit, shared.connections.token(), shared.abandon.clone());
    Ok((stream, peer, place))
}

async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    listener: Arc<Listener>,
    shared: Arc<Shared>,
    place: Place,
) {
    let work = async {
        match &listener.tls {
            None => serve_http(stream, false, peer, &listener, &shared, &place).await,
            Some(tls) => match tokio::time::timeout(shared.idle_timeout, tls.accept(stream)).await {
                Ok(Ok(stream)) => {
                    let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                    serve_http(stream, is_http2, peer, &listener, &shared, &place).await;
                }
                Ok(Err(error)) => tracing::debug!(%peer, %error, "a TLS handshake failed"),
                Err(_) => tracing::debug!(%peer, "a TLS handshake took too long"),
            },
        }
    };
    place.clone().hold(work).await;
}

async fn serve_http<S>(
    stream: S,
    is_http2: bool,
    peer: SocketAddr,
    listener: &Arc<Listener>,
    shared: &Arc<Shared>,
    place: &Place,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = hyper::service::service_fn(|request: Request<Incoming>| {
        let (listener, shared, place) = (Arc::clone(listener), Arc::clone(shared), place.clone());
        async move { Ok::<_, std::convert::Infallible>(answer(request, peer, &listener, &shared, place).await) }
    });
    let builder = http_builder(is_http2, shared.idle_timeout);
    // With upgrades, for calls: a WebSocket then belongs to who answered it, and is no connection of this listener any more.
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shared.stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.as_mut().await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection ended early");
    }
}

/// TLS settles the version by ALPN and plain connections speak HTTP/1.1: guessing it from the first bytes would
/// leave a client that sends none without a time limit.
fn http_builder(is_http2: bool, idle_timeout: Duration) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(idle_timeout)
        .max_buf_size(HEAD_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .keep_alive_interval(idle_timeout);
    if is_http2 {
        builder.http2_only()
    } else {
        builder.http1_only()
    }
}

async fn answer(
    request: Request<Incoming>,
    peer: SocketAddr,
    listener: &Listener,
    shared: &Shared,
    place: Place,
) -> Response {
    let services = services_of(request.uri().path());
    if !services.iter().all(|service| listener.serves.contains(service)) {
        return MatrixError::unrecognized("This address does not serve that.").into_response();
    }
    let mut request = request.map(Body::new);
    let client = shared.proxies.client(peer.ip(), request.headers());
    request.extensions_mut().insert(ClientAddress(Some(client)));
    request.extensions_mut().insert(place);
    match shared.router.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

#[cfg(test)]
mod tests;
