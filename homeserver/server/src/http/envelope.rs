//! What surrounds every request: its id, CORS, the log line, the metrics, and the last net under a panic.

use std::any::Any;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use echorift_web::MatrixError;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use tracing::Instrument as _;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives the request an id, answers preflights, and finishes the response.
pub(super) async fn wrap(request: Request, next: Next) -> Response {
    let request_id = next_request_id();
    let mut response = if request.method() == Method::OPTIONS {
        // CS API § Web browser clients: no authentication, on any path.
        StatusCode::NO_CONTENT.into_response()
    } else {
        observe(request, next, &request_id).await
    };
    add_headers(response.headers_mut(), &request_id);
    response
}

async fn observe(request: Request, next: Next, request_id: &str) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("none", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!("http.request", request_id, %method, route);
    let response = next.run(request).instrument(span.clone()).await;
    let elapsed = started.elapsed();
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

/// CS API § Web browser clients: these on all responses, so that any web client may use the API.
fn add_headers(headers: &mut HeaderMap, request_id: &str) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, POST, PUT, DELETE, OPTIONS"),
    );
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        // The last two: sign-in by QR code (MSC4108).
        HeaderValue::from_static("X-Requested-With, Content-Type, Authorization, If-Match, If-None-Match"),
    );
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, value);
    }
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
