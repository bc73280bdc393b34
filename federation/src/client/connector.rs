//! Connections to other servers: where discovery says, with a certificate for the name that it says.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use echorift_web::outbound::OutboundSetupError;
use futures_util::{FutureExt as _, StreamExt as _, stream::FuturesUnordered};
use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::{
    client::legacy::connect::{Connected, Connection},
    rt::TokioIo,
};
use ruma::ServerName;
use rustls::{ClientConfig, RootCertStore, pki_types::CertificateDer, pki_types::pem::PemObject as _};
use tokio::{
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::discovery::{Discovery, LocateError};

/// Connections open at once, idle ones included: well below what a process may open, above what 500 peers need.
const CONNECTIONS_MAX: usize = 2_000;
/// How long one address may take before the next is tried beside it (RFC 8305 § Connection Attempt Delay).
const ATTEMPT_DELAY: Duration = Duration::from_millis(300);

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error(transparent)]
    Locate(#[from] LocateError),
    #[error("no connection: {0}")]
    Tcp(io::Error),
    #[error("no encryption: {0}")]
    Tls(io::Error),
    #[error("no connection in time")]
    Timeout,
    /// This says nothing of the other server.
    #[error("this server has too many connections open")]
    TooMany,
}

/// Opens connections for the HTTP client, which keeps and reuses them by name.
#[derive(Clone)]
pub(crate) struct Connector {
    discovery: Discovery,
    tls: TlsConnector,
    timeout: Duration,
    places: Arc<Semaphore>,
}

impl Connector {
    pub(crate) fn new(discovery: Discovery, tls: ClientConfig, timeout: Duration) -> Self {
        Self {
            discovery,
            tls: TlsConnector::from(Arc::new(tls)),
            timeout,
            places: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
        }
    }

    async fn connect(self, uri: Uri) -> Result<Wire, ConnectError> {
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let authority = ServerName::parse(authority).map_err(|_| LocateError::BadName)?;
        let place = tokio::time::timeout(self.timeout, Arc::clone(&self.places).acquire_owned()).await;
        let Ok(Ok(place)) = place else {
            return Err(ConnectError::TooMany);
        };
        let connecting = async {
            let location = self.discovery.locate(&authority).await?;
            let tcp = race(location.addresses).await.map_err(ConnectError::Tcp)?;
            // Small requests are not held back for more; it is no harm if the system refuses.
            let _ = tcp.set_nodelay(true);
            let tls = self.tls.connect(location.certificate_name, tcp).await;
            tls.map_err(ConnectError::Tls)
        };
        let stream = tokio::time::timeout(self.timeout, connecting).await;
        Ok(Wire {
            stream: TokioIo::new(stream.map_err(|_| ConnectError::Timeout)??),
            _place: place,
        })
    }
}

/// Tries the addresses in their order, each a moment after the one before or as soon as it has failed; the first
/// connection wins.
async fn race(addresses: Vec<SocketAddr>) -> Result<TcpStream, io::Error> {
    let mut waiting = addresses.into_iter();
    let mut attempts = FuturesUnordered::new();
    let mut error = io::Error::from(io::ErrorKind::AddrNotAvailable);
    loop {
        match waiting.next() {
            Some(address) => attempts.push(TcpStream::connect(address)),
            None if attempts.is_empty() => return Err(error),
            None => {}
        }
        let delay = if waiting.len() > 0 {
            tokio::time::sleep(ATTEMPT_DELAY).left_future()
        } else {
            std::future::pending().right_future()
        };
        tokio::select! {
            Some(attempt) = attempts.next() => match attempt {
                Ok(stream) => return Ok(stream),
                Err(cause) => error = cause,
            },
            () = delay => {}
        }
    }
}

impl tower::Service<Uri> for Connector {
    type Response = Wire;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Wire, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

/// An open connection.
pub(crate) struct Wire {
    stream: TokioIo<TlsStream<TcpStream>>,
    _place: OwnedSemaphorePermit,
}

impl Connection for Wire {
    fn connected(&self) -> Connected {
        let (_, session) = self.stream.inner().get_ref();
        if session.alpn_protocol() == Some(b"h2") {
            Connected::new().negotiated_h2()
        } else {
            Connected::new()
        }
    }
}

impl Read for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl Write for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// TLS with the system's authorities and those of `outbound.extra_ca_files`.
pub(crate) fn tls_config(extra_ca_files: &[std::path::PathBuf]) -> Result<ClientConfig, OutboundSetupError> {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    for error in &system.errors {
        tracing::warn!(%error, "some of the system's authorities cannot be read");
    }
    roots.add_parsable_certificates(system.certs);
    for path in extra_ca_files {
        let pem = std::fs::read(path).map_err(|error| OutboundSetupError::CaFile {
            path: path.clone(),
            error,
        })?;
        let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&pem)
            .filter_map(Result::ok)
            .collect();
        let (added, _) = roots.add_parsable_certificates(certificates);
        if added == 0 {
            return Err(OutboundSetupError::NoCertificate { path: path.clone() });
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| OutboundSetupError::Tls(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
