//! What surrounds every request: its id, CORS, the log line, the metrics, and the last net under a panic.

use std::any::Any;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use echorift_admin::Traffic;
use echorift_calls::SERVICE_PATH;
use echorift_web::MatrixError;
use echorift_webclient::OwnOrigin;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use tracing::Instrument as _;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives the request an id, answers preflights, and finishes the response.
pub(super) async fn wrap(State(traffic): State<Arc<Traffic>>, request: Request, next: Next) -> Response {
    let request_id = next_request_id();
    // The service that lets people into calls answers for itself.
    let is_preflight = request.method() == Method::OPTIONS && !request.uri().path().starts_with(SERVICE_PATH);
    let mut response = if is_preflight {
        // CS API § Web browser clients: no authentication, on any path.
        StatusCode::NO_CONTENT.into_response()
    } else {
        observe(request, next, &request_id, &traffic).await
    };
    let is_for_anybody = response.extensions().get::<OwnOrigin>().is_none();
    add_headers(response.headers_mut(), &request_id, is_for_anybody);
    response
}

async fn observe(request: Request, next: Next, request_id: &str, traffic: &Traffic) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("none", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!("http.request", request_id, %method, route);
    let stream = traffic.stream(&route);
    let response = next.run(request).instrument(span.clone()).await;
    let elapsed = started.elapsed();
    traffic.answered(stream.is_none().then_some(elapsed));
    let status = response.status().as_u16();
    span.in_scope(|| tracing::debug!(status, elapsed_ms = elapsed.as_millis(), "answered"));
    metrics::histogram!("echorift_server_request_seconds", "route" => route).record(elapsed);
    metrics::counter!("echorift_server_requests_total", "status" => class_of(status)).increment(1);
    response
}

/// A panic is a fault of ours: the client learns only that it happened.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the signature that the layer asks for"
)]
pub(super) fn answer_panic(panic: Box<dyn Any + Send>) -> http::Response<Body> {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without a message");
    MatrixError::internal(format!("panic: {text}")).into_response()
}

/// CS API § Web browser clients: on all responses that say nothing else, so that any web client may use the API. The web
/// client's own files are for its pages alone.
fn add_headers(headers: &mut HeaderMap, request_id: &str, is_for_anybody: bool) {
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, value);
    }
    if !is_for_anybody {
        return;
    }
    let mut say = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    say(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    say(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        "GET, POST, PUT, DELETE, OPTIONS",
    );
    say(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        // The last two: sign-in by QR code (MSC4108).
        "X-Requested-With, Content-Type, Authorization, If-Match, If-None-Match",
    );
}

fn class_of(status: u16) -> &'static str {
    match status {
        200..=299 => "2xx",
        300..=399 => "3xx",
        429 => "429",
        400..=499 => "4xx",
        _ => "5xx",
    }
}

/// Ids that do not repeat between two starts: a random word of this process and a count.
fn next_request_id() -> String {
    static PROCESS: OnceLock<u32> = OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let process = PROCESS.get_or_init(rand::random);
    format!("{process:08x}-{:x}", COUNT.fetch_add(1, Ordering::Relaxed))
}
