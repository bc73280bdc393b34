//! Requests to addresses that users or strangers name: previews of pages, push gateways, webhooks, other servers.
//!
//! There is one client for all of them. It connects to public addresses only, unless configured otherwise, and it
//! looks at the address that it really connects to: a name is judged by what it resolves to at that moment, and so is
//! every redirect.

mod addresses;

use std::error::Error as _;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::Method;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Certificate, Client, ClientBuilder, RequestBuilder, Response};
use url::{Host, Url};

pub use self::addresses::{AddressPolicy, IpRanges, NoIpRange};

/// How many redirects are followed where any are.
const REDIRECTS_MAX: usize = 5;
/// Connections kept open to one host for the next request.
const IDLE_PER_HOST_MAX: usize = 8;

/// `[outbound]` of the configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboundOptions {
    /// PEM files of authorities that are trusted beside the system's.
    pub extra_ca_files: Vec<PathBuf>,
    pub addresses: AddressPolicy,
    pub connect_timeout: Duration,
    /// For a whole request, its answer's body included.
    pub request_timeout: Duration,
}

impl OutboundOptions {
    /// The same for addresses that the operator has named, which may be on the company's own network.
    #[must_use]
    pub fn anywhere(&self) -> Self {
        Self {
            addresses: AddressPolicy {
                denied: Vec::new(),
                allowed: Vec::new(),
            },
            ..self.clone()
        }
    }
}

/// Whether a redirect is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redirects {
    /// The answer that redirects is the answer: what is sent is for this receiver alone.
    Never,
    /// A few, each checked as the first address was.
    Follow,
}

/// The client for addresses that others name. Cheap to clone.
#[derive(Clone)]
pub struct Outbound(Arc<Inner>);

struct Inner {
    addresses: Arc<AddressPolicy>,
    staying: Client,
    following: Client,
}

/// Why a request got no answer.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// Not a URL that this server fetches.
    #[error("the address {0}")]
    BadUrl(&'static str),
    /// The address, or what its name stands for, is not one that this server connects to.
    #[error("the address of {0} is not one that this server may connect to")]
    Denied(String),
    #[error("there was no answer in time")]
    Timeout,
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    #[error("the request failed: {0}")]
    Failed(String),
}

/// The outbound client cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum OutboundSetupError {
    #[error("{path} cannot be read: {error}")]
    CaFile { path: PathBuf, error: io::Error },
    #[error("{path} holds no certificate in PEM form")]
    NoCertificate { path: PathBuf },
    #[error("the client for outbound requests cannot be made: {0}")]
    Client(#[from] reqwest::Error),
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

impl Outbound {
    /// Errors: a CA file that cannot be read or holds no certificate.
    pub fn new(options: &OutboundOptions) -> Result<Self, OutboundSetupError> {
        let addresses = Arc::new(options.addresses.clone());
        let certificates = read_certificates(&options.extra_ca_files)?;
        let builder = || {
            Client::builder()
                .user_agent(concat!("EchoRift/", env!("CARGO_PKG_VERSION")))
                // A proxy would resolve names itself, past the check.
                .no_proxy()
                .dns_resolver(CheckedResolver(Arc::clone(&addresses)))
                .connect_timeout(options.connect_timeout)
                .timeout(options.request_timeout)
                .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
                .tcp_nodelay(true)
                .referer(false)
        };
        let trust = |builder: ClientBuilder| builder.tls_certs_merge(certificates.iter().cloned());
        let checked = Arc::clone(&addresses);
        let follow = Policy::custom(move |attempt| follow(&checked, attempt));
        Ok(Self(Arc::new(Inner {
            staying: trust(builder().redirect(Policy::none())).build()?,
            following: trust(builder().redirect(follow)).build()?,
            addresses,
        })))
    }

    /// A request to be completed and given to [`Outbound::send`].
    ///
    /// Errors: `BadUrl`, and `Denied` for an address that stands in the URL itself.
    pub fn request(
        &self,
        method: Method,
        url: Url,
        redirects: Redirects,
    ) -> Result<RequestBuilder, OutboundError> {
        check_url(&self.0.addresses, &url)?;
        let client = match redirects {
            Redirects::Never => &self.0.staying,
            Redirects::Follow => &self.0.following,
        };
        Ok(client.request(method, url))
    }

    /// The head of the answer; its body is read by [`read_limited`] or piece by piece.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, OutboundError> {
        request.send().await.map_err(OutboundError::from)
    }
}

/// The body of an answer, as far as it is no longer than `bytes_max`. Errors: `TooLarge`, and what breaks off.
pub async fn read_limited(mut response: Response, bytes_max: usize) -> Result<Bytes, OutboundError> {
    let announced = response.content_length().unwrap_or_default();
    if usize::try_from(announced).map_or(true, |length| length > bytes_max) {
        return Err(OutboundError::TooLarge(bytes_max));
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > bytes_max {
            return Err(OutboundError::TooLarge(bytes_max));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// An address in the URL itself needs no resolver, so it is judged here. The parser has already made one form of
/// decimal, octal and hexadecimal spellings.
fn check_url(addresses: &AddressPolicy, url: &Url) -> Result<(), OutboundError> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(OutboundError::BadUrl("is neither http nor https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(OutboundError::BadUrl("holds a user name or a password"));
    }
    let literal = match url.host() {
        None => return Err(OutboundError::BadUrl("names no host")),
        Some(Host::Domain(_)) => return Ok(()),
        Some(Host::Ipv4(address)) => address.into(),
        Some(Host::Ipv6(address)) => address.into(),
    };
    if addresses.permits(literal) {
        Ok(())
    } else {
        Err(OutboundError::Denied(literal.to_string()))
    }
}

fn follow(addresses: &AddressPolicy, attempt: Attempt<'_>) -> reqwest::redirect::Action {
    if attempt.previous().len() > REDIRECTS_MAX {
        return attempt.error("too many redirects");
    }
    let is_downgrade = attempt
        .previous()
        .last()
        .is_some_and(|from| from.scheme() == "https")
        && attempt.url().scheme() == "http";
    if is_downgrade {
        return attempt.error("a redirect from https to http");
    }
    match check_url(addresses, attempt.url()) {
        Ok(()) => attempt.follow(),
        Err(OutboundError::Denied(host)) => attempt.error(DeniedHost(host)),
        Err(error) => attempt.error(error),
    }
}

/// The authorities in these PEM files.
pub fn read_certificates(files: &[PathBuf]) -> Result<Vec<Certificate>, OutboundSetupError> {
    let mut certificates = Vec::new();
    for path in files {
        let path = path.clone();
        let pem = match std::fs::read(&path) {
            Ok(pem) => pem,
            Err(error) => return Err(OutboundSetupError::CaFile { path, error }),
        };
        match Certificate::from_pem_bundle(&pem) {
            Ok(bundle) if !bundle.is_empty() => certificates.extend(bundle),
            _ => return Err(OutboundSetupError::NoCertificate { path }),
        }
    }
    Ok(certificates)
}

/// Resolves names and leaves out the addresses that are denied. The connection goes to one of what is left, so a name
/// that changes its mind between check and connection gains nothing.
struct CheckedResolver(Arc<AddressPolicy>);

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = Arc::clone(&self.0);
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let permitted: Vec<SocketAddr> = found.filter(|address| policy.permits(address.ip())).collect();
            if permitted.is_empty() {
                return Err(DeniedHost(name.as_str().to_owned()).into());
            }
            Ok(Box::new(permitted.into_iter()) as Addrs)
        })
    }
}

/// How a denied host travels through the client's own errors.
#[derive(Debug, thiserror::Error)]
#[error("every address of {0} is denied")]
struct DeniedHost(String);

impl From<reqwest::Error> for OutboundError {
    fn from(error: reqwest::Error) -> Self {
        let mut source = error.source();
        while let Some(cause) = source {
            if let Some(DeniedHost(host)) = cause.downcast_ref() {
                return Self::Denied(host.clone());
            }
            source = cause.source();
        }
        if error.is_timeout() {
            return Self::Timeout;
        }
        Self::Failed(innermost(&error))
    }
}

/// The cause that says what happened, without the URL, which may hold what is not for logs.
fn innermost(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    match innermost.downcast_ref::<reqwest::Error>() {
        Some(_) if error.is_redirect() => "it was redirected where it must not go".to_owned(),
        Some(_) => "the connection failed".to_owned(),
        None => innermost.to_string(),
    }
}

#[cfg(test)]
mod tests;
