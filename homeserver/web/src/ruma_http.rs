use axum::{
    Router,
    body::Bytes,
    extract::{FromRequest, FromRequestParts, RawPathParams, Request, rejection::BytesRejection},
    handler::Handler,
    response::{IntoResponse, Response},
    routing::{MethodFilter, on},
};
use http::{Method, request::Parts};
use ruma::api::{
    IncomingRequest, IncomingRequestExt as _, OutgoingResponse, OutgoingResponseExt as _,
    error::{DeserializationError, FromHttpRequestError},
    path_builder::PathBuilder,
};
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::MatrixError;

/// A request or a response in ruma's types.
///
/// As an extractor it reads the whole body (bounded by axum's `DefaultBodyLimit`), so it stands last.
#[derive(Debug)]
pub struct Ruma<T>(pub T);

impl<T, S> FromRequest<S> for Ruma<T>
where
    T: IncomingRequest,
    S: Send + Sync,
{
    type Rejection = MatrixError;

    async fn from_request(request: Request, state: &S) -> Result<Self, MatrixError> {
        let (mut parts, body) = read_body(request, state).await?;
        parse_request(&mut parts, &body, state).await.map(Self)
    }
}

/// The head of a request and its whole body, bounded by axum's `DefaultBodyLimit`. Error: `M_TOO_LARGE`.
pub async fn read_body<S: Send + Sync>(request: Request, state: &S) -> Result<(Parts, Bytes), MatrixError> {
    let (parts, body) = request.into_parts();
    let body = Bytes::from_request(Request::from_parts(parts.clone(), body), state)
        .await
        .map_err(refuse_body)?;
    Ok((parts, body))
}

/// A request in ruma's type, for extractors that look at the body themselves first.
pub async fn parse_request<T: IncomingRequest, S: Send + Sync>(
    parts: &mut Parts,
    body: &[u8],
    state: &S,
) -> Result<T, MatrixError> {
    let arguments = RawPathParams::from_request_parts(parts, state)
        .await
        .map_err(|_| MatrixError::invalid_param("The path is not valid UTF-8."))?;
    let arguments: Vec<&str> = arguments.iter().map(|(_, value)| value).collect();
    // Many clients send nothing where every field may be left out (`POST …/join`, `…/leave`).
    let is_left_out = body.is_empty() && parts.method == Method::POST;
    let text = if is_left_out { b"{}".as_slice() } else { body };
    if !text.is_empty() {
        require_object(text)?;
    }
    let request = http::Request::from_parts(parts.clone(), text);
    T::try_from_http_request(request, &arguments).map_err(|error| refuse(error, text))
}

/// A JSON body in a type of our own, for endpoints that ruma's types do not fit. Refused in the same words.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = MatrixError;

    async fn from_request(request: Request, state: &S) -> Result<Self, MatrixError> {
        let body = Bytes::from_request(request, state).await.map_err(refuse_body)?;
        parse_body(&body).map(Self)
    }
}

/// As [`Body`], for who has looked at the bytes before. Errors: `M_NOT_JSON`, `M_BAD_JSON`.
pub fn parse_body<T: DeserializeOwned>(body: &[u8]) -> Result<T, MatrixError> {
    require_object(body)?;
    serde_json::from_slice(body).map_err(|error| refuse_json(&error, body))
}

/// Every body is one JSON object. The types' own reading would overlook what is wrong in fields that nobody looks at
/// and behind the object's end, and would take a list for an object whose fields are all left out.
fn require_object(body: &[u8]) -> Result<(), MatrixError> {
    if !is_json(body) {
        return Err(MatrixError::not_json("The request body is not JSON."));
    }
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(MatrixError::bad_json("The request body is not an object."));
    }
    Ok(())
}

fn is_json(body: &[u8]) -> bool {
    std::str::from_utf8(body).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

/// `M_BAD_JSON` is for JSON that does not fit, which the first error alone does not tell: more may be wrong behind it.
fn refuse_json(error: &serde_json::Error, body: &[u8]) -> MatrixError {
    if is_json(body) {
        MatrixError::bad_json(format!("The request body does not fit: {error}."))
    } else {
        MatrixError::not_json(format!("The request body is not JSON: {error}."))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to `map_err`")]
fn refuse_body(rejection: BytesRejection) -> MatrixError {
    if rejection.status() == http::StatusCode::PAYLOAD_TOO_LARGE {
        return MatrixError::too_large("The request body is larger than this endpoint takes.");
    }
    MatrixError::bad_json("The request body could not be read.")
}

fn refuse(error: FromHttpRequestError, body: &[u8]) -> MatrixError {
    match error {
        FromHttpRequestError::MethodMismatch { .. } => {
            MatrixError::method_not_allowed("Another method is needed here.")
        }
        FromHttpRequestError::Deserialization(DeserializationError::Json(error)) => refuse_json(&error, body),
        FromHttpRequestError::Deserialization(DeserializationError::Query(error)) => {
            MatrixError::invalid_param(format!("A parameter of the path or query does not fit: {error}."))
        }
        FromHttpRequestError::Deserialization(error) => {
            MatrixError::invalid_param(format!("A parameter does not fit: {error}."))
        }
        // ruma's enum is open.
        error => MatrixError::invalid_param(format!("The request does not fit: {error}.")),
    }
}

impl<T: OutgoingResponse> IntoResponse for Ruma<T> {
    fn into_response(self) -> Response {
        match self.0.try_into_http_response::<Vec<u8>>() {
            Ok(response) => response.map(axum::body::Body::from),
            Err(error) => MatrixError::internal(error).into_response(),
        }
    }
}

/// Registers handlers under all paths, stable and older, that ruma knows for their request type.
pub trait Routes<S> {
    /// `handler` answers every path of `Request`.
    #[must_use]
    fn ruma<Request, H, T>(self, handler: H) -> Self
    where
        Request: IncomingRequest,
        H: Handler<T, S>,
        T: 'static;
}

impl<S: Clone + Send + Sync + 'static> Routes<S> for Router<S> {
    fn ruma<Request, H, T>(mut self, handler: H) -> Self
    where
        Request: IncomingRequest,
        H: Handler<T, S>,
        T: 'static,
    {
        let method = match Request::METHOD {
            Method::POST => MethodFilter::POST,
            Method::PUT => MethodFilter::PUT,
            Method::DELETE => MethodFilter::DELETE,
            _ => MethodFilter::GET,
        };
        let paths: Vec<&str> = Request::PATH_BUILDER.all_paths().collect();
        for path in &paths {
            self = self.route(path, on(method, handler.clone()));
            // `v3` is what `r0` was called until 2021: who still says it means all of it.
            let older = path
                .strip_prefix("/_matrix/client/v3/")
                .map(|rest| format!("/_matrix/client/r0/{rest}"));
            if let Some(older) = older.filter(|older| !paths.contains(&older.as_str())) {
                self = self.route(&older, on(method, handler.clone()));
            }
        }
        self
    }
}
