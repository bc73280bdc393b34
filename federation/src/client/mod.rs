//! Requests to other servers: found, signed, bounded, and not repeated in vain.

mod answer;
mod connector;
mod date;
mod signing;
mod x_matrix;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use echorift_events::SigningKey;
use http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::Full;
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioTimer},
};
use ruma::{
    OwnedServerName, ServerName,
    api::{
        IncomingResponse, OutgoingBody as _, OutgoingRequest, auth_scheme::NoAuthentication,
        federation::authentication::ServerSignatures, path_builder::SinglePath,
    },
};
use tokio::time::{Instant, timeout_at};

pub use self::{answer::Answer, signing::CanonicalBody};
pub(crate) use self::{
    connector::{ConnectError, Connector, tls_config},
    date::http_date,
    signing::RequestToSign,
    x_matrix::signatures_of,
};
use crate::{FederationError, Policy, destinations::Destinations, discovery::Discovery, policy::Crossing};

/// The largest answer that is read unless the caller says otherwise; lists of events and states of rooms may be larger.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// The state of a large room, as `send_join` and `state` answer with it, takes this much.
pub const STATE_ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Connections to a peer that are kept for its next request (HTTP/2 needs one), and for how long.
const IDLE_PER_PEER_MAX: usize = 2;
const IDLE_MAX: Duration = Duration::from_secs(60);
/// An HTTP/2 connection that is silent this long is asked whether it is still there.
const PING_AFTER: Duration = Duration::from_secs(20);

/// How one request differs from the others.
#[derive(Debug, Clone, Copy)]
pub struct SendOptions {
    /// For the whole of it, from finding the server to the end of the answer; `None` for `outbound.request_timeout`.
    pub timeout: Option<Duration>,
    /// The largest answer that is read.
    pub answer_bytes_max: usize,
    /// Also asks a server that is left alone for a while: for what somebody waits for and repeats by hand.
    pub even_backing_off: bool,
}

impl Default for SendOptions {
    fn default() -> Self {
        Self {
            timeout: None,
            answer_bytes_max: ANSWER_BYTES_MAX,
            even_backing_off: false,
        }
    }
}

/// Asks other servers. Cheap to clone.
#[derive(Clone)]
pub struct FederationClient(Arc<Inner>);

struct Inner {
    server_name: OwnedServerName,
    signing_key: SigningKey,
    discovery: Discovery,
    destinations: Destinations,
    policy: Policy,
    http: Client<Connector, Full<Bytes>>,
    timeout: Duration,
}

/// What a [`FederationClient`] is built on.
pub(crate) struct ClientParts {
    pub signing_key: SigningKey,
    pub discovery: Discovery,
    pub destinations: Destinations,
    pub policy: Policy,
    pub connector: Connector,
    pub timeout: Duration,
}

/// A request before it has its receiver's address and signature.
struct Draft<'a> {
    method: Method,
    path_and_query: &'a str,
    body: Option<&'a CanonicalBody>,
    is_signed: bool,
}

impl FederationClient {
    pub(crate) fn new(parts: ClientParts) -> Self {
        let http = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_max_idle_per_host(IDLE_PER_PEER_MAX)
            .pool_idle_timeout(IDLE_MAX)
            .http2_keep_alive_interval(PING_AFTER)
            .http2_keep_alive_timeout(PING_AFTER)
            .http2_adaptive_window(true)
            .build(parts.connector);
        Self(Arc::new(Inner {
            server_name: parts.signing_key.server_name().to_owned(),
            signing_key: parts.signing_key,
            discovery: parts.discovery,
            destinations: parts.destinations,
            policy: parts.policy,
            http,
            timeout: parts.timeout,
        }))
    }

    /// Sends a signed request and reads the answer, both bounded in size and time.
    ///
    /// Errors: `Denied`, `BackingOff`, `Unreachable`, `Refused`, `BadAnswer`.
    pub async fn send<R>(
        &self,
        destination: &ServerName,
        request: R,
    ) -> Result<R::IncomingResponse, FederationError>
    where
        R: OutgoingRequest<Authentication = ServerSignatures, PathBuilder = SinglePath>,
    {
        self.send_with(destination, request, SendOptions::default()).await
    }

    /// As [`FederationClient::send`], with a time of its own.
    pub async fn send_with_timeout<R>(
        &self,
        destination: &ServerName,
        request: R,
        timeout: Duration,
    ) -> Result<R::IncomingResponse, FederationError>
    where
        R: OutgoingRequest<Authentication = ServerSignatures, PathBuilder = SinglePath>,
    {
        let options = SendOptions {
            timeout: Some(timeout),
            ..SendOptions::default()
        };
        self.send_with(destination, request, options).await
    }

    /// As [`FederationClient::send`], with bounds of its own.
    pub async fn send_with<R>(
        &self,
        destination: &ServerName,
        request: R,
        options: SendOptions,
    ) -> Result<R::IncomingResponse, FederationError>
    where
        R: OutgoingRequest<Authentication = ServerSignatures, PathBuilder = SinglePath>,
    {
        self.typed(destination, request, true, options).await
    }

    /// As [`FederationClient::send_with`], without a signature: for keys and versions, which everybody may ask for.
    pub async fn send_unsigned<R>(
        &self,
        destination: &ServerName,
        request: R,
        options: SendOptions,
    ) -> Result<R::IncomingResponse, FederationError>
    where
        R: OutgoingRequest<Authentication = NoAuthentication, PathBuilder = SinglePath>,
    {
        self.typed(destination, request, false, options).await
    }

    /// Sends a signed request whose answer the caller reads, whole or piece by piece. Only answers of 2xx are answers.
    ///
    /// Errors as [`FederationClient::send`].
    pub async fn send_raw(
        &self,
        destination: &ServerName,
        method: Method,
        path_and_query: &str,
        body: Option<&CanonicalBody>,
        options: SendOptions,
    ) -> Result<Answer, FederationError> {
        let draft = Draft {
            method,
            path_and_query,
            body,
            is_signed: true,
        };
        self.ask(destination, draft, options).await
    }

    /// `PUT /_matrix/federation/v1/send/{txnId}` with a body that is written once for all its receivers
    /// (SS API § Transactions). Answers with the JSON text of the results.
    ///
    /// Errors as [`FederationClient::send`].
    pub async fn send_transaction(
        &self,
        destination: &ServerName,
        txn_id: &str,
        body: &CanonicalBody,
    ) -> Result<Bytes, FederationError> {
        let path = format!("/_matrix/federation/v1/send/{}", path_segment(txn_id));
        let mut answer = self
            .send_raw(
                destination,
                Method::PUT,
                &path,
                Some(body),
                SendOptions::default(),
            )
            .await?;
        answer.bytes().await
    }

    /// A `GET` without a signature, whose answer the caller reads.
    pub(crate) async fn get_unsigned(
        &self,
        destination: &ServerName,
        path_and_query: &str,
        options: SendOptions,
    ) -> Result<Answer, FederationError> {
        let draft = Draft {
            method: Method::GET,
            path_and_query,
            body: None,
            is_signed: false,
        };
        self.ask(destination, draft, options).await
    }

    async fn typed<R>(
        &self,
        destination: &ServerName,
        request: R,
        is_signed: bool,
        options: SendOptions,
    ) -> Result<R::IncomingResponse, FederationError>
    where
        R: OutgoingRequest<PathBuilder = SinglePath>,
    {
        let unusable = |error: &dyn std::fmt::Display| FederationError::BadRequest(error.to_string());
        // The host is put in once it is known.
        let request = request
            .try_into_http_request_inner("https://host", ())
            .map_err(|error| unusable(&error))?;
        let (head, body) = request.into_parts();
        let text: Vec<u8> = body.try_into_buf().map_err(|error| unusable(&error.into()))?;
        let body = if text.is_empty() {
            None
        } else {
            Some(CanonicalBody::from_json(&text).map_err(|error| unusable(&error))?)
        };
        let path_and_query = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let draft = Draft {
            method: head.method,
            path_and_query,
            body: body.as_ref(),
            is_signed,
        };
        let mut answer = self.ask(destination, draft, options).await?;
        let bytes = answer.bytes().await?;
        let mut response = http::Response::new(&*bytes);
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        R::IncomingResponse::try_from_http_response_inner(response).map_err(|error| {
            FederationError::BadAnswer {
                server: destination.to_owned(),
                reason: error.to_string(),
            }
        })
    }

    async fn ask(
        &self,
        destination: &ServerName,
        draft: Draft<'_>,
        options: SendOptions,
    ) -> Result<Answer, FederationError> {
        let inner = &self.0;
        if !inner.policy.allows(destination, Crossing::Contact) {
            return Err(FederationError::Denied(destination.to_owned()));
        }
        if !options.even_backing_off && !inner.destinations.is_due(destination) {
            return Err(FederationError::BackingOff(destination.to_owned()));
        }
        let deadline = Instant::now() + options.timeout.unwrap_or(inner.timeout);
        let is_signed = draft.is_signed;
        let sent = timeout_at(deadline, self.exchange(destination, draft)).await;
        let response = match sent {
            Ok(Ok(response)) => response,
            Ok(Err(Failure::Ours(reason))) => return Err(FederationError::BadRequest(reason)),
            Ok(Err(Failure::Theirs(reason))) => return Err(self.failed(destination, reason).await),
            Err(_) => {
                return Err(self
                    .failed(destination, "there was no answer in time".to_owned())
                    .await);
            }
        };
        let status = response.status();
        let answer = Answer::new(
            destination.to_owned(),
            response,
            options.answer_bytes_max,
            deadline,
        );
        metrics::counter!("echorift_federation_requests_total", "result" => kind_of(status)).increment(1);
        // Without a signature of ours, it is something else in the request that is not believed.
        if is_reachable(status) || (status == StatusCode::UNAUTHORIZED && !is_signed) {
            inner.destinations.note_success(destination).await;
        } else {
            let wait = answer.headers.get(header::RETRY_AFTER).and_then(retry_after);
            inner.destinations.note_failure(destination, wait).await;
        }
        if status.is_success() {
            Ok(answer)
        } else if status.is_client_error() || status.is_server_error() {
            Err(answer.refusal().await)
        } else {
            Err(FederationError::BadAnswer {
                server: destination.to_owned(),
                reason: format!("it answered {status}"),
            })
        }
    }

    async fn exchange(
        &self,
        destination: &ServerName,
        draft: Draft<'_>,
    ) -> Result<http::Response<hyper::body::Incoming>, Failure> {
        let inner = &self.0;
        let authority = inner.discovery.authority_of(destination).await;
        let ours = |error: &dyn std::fmt::Display| Failure::Ours(error.to_string());
        let uri = Uri::builder()
            .scheme("https")
            .authority(authority.as_str())
            .path_and_query(draft.path_and_query)
            .build()
            .map_err(|error| ours(&error))?;
        let mut request = Request::builder()
            .method(draft.method.clone())
            .uri(uri)
            .header(header::HOST, authority.as_str())
            .header(
                header::USER_AGENT,
                concat!("EchoRift/", env!("CARGO_PKG_VERSION")),
            );
        if draft.body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        if draft.is_signed {
            let to_sign = RequestToSign {
                method: draft.method.as_str(),
                uri: draft.path_and_query,
                origin: &inner.server_name,
                destination,
                content: draft.body,
            };
            let signature = to_sign.sign(&inner.signing_key).map_err(|error| ours(&error))?;
            request = request.header(header::AUTHORIZATION, signature);
        }
        let body = draft.body.map(|body| body.as_bytes().clone()).unwrap_or_default();
        let request = request.body(Full::new(body)).map_err(|error| ours(&error))?;
        inner.http.request(request).await.map_err(|error| {
            let reason = innermost(&error);
            match find_cause::<ConnectError>(&error) {
                Some(ConnectError::TooMany) => Failure::Ours(reason),
                Some(cause) => Failure::Theirs(cause.to_string()),
                None => Failure::Theirs(reason),
            }
        })
    }

    async fn failed(&self, destination: &ServerName, reason: String) -> FederationError {
        metrics::counter!("echorift_federation_requests_total", "result" => "unreachable").increment(1);
        tracing::info!(%destination, reason, "a server could not be reached");
        self.0.destinations.note_failure(destination, None).await;
        FederationError::Unreachable {
            server: destination.to_owned(),
            reason,
        }
    }
}

/// Whose fault it is that there was no answer.
enum Failure {
    Ours(String),
    Theirs(String),
}

/// Whether an answer shows a homeserver that works with us. One that is overloaded, broken, or does not believe our
/// signatures is left alone for a while.
fn is_reachable(status: StatusCode) -> bool {
    !status.is_server_error() && status != StatusCode::TOO_MANY_REQUESTS && status != StatusCode::UNAUTHORIZED
}

fn kind_of(status: StatusCode) -> &'static str {
    if status.is_success() {
        "ok"
    } else if status.is_server_error() {
        "failed"
    } else {
        "refused"
    }
}

/// How long an overloaded server wants to be left alone, in the one form that servers use.
fn retry_after(value: &HeaderValue) -> Option<Duration> {
    value.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// One segment of a path, with everything escaped that is not plain (RFC 3986 § Unreserved Characters).
pub(crate) fn path_segment(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// The cause that says what happened.
pub(crate) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    innermost.to_string()
}

fn find_cause<'e, E: std::error::Error + 'static>(
    error: &'e (dyn std::error::Error + 'static),
) -> Option<&'e E> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

#[cfg(test)]
mod tests;
