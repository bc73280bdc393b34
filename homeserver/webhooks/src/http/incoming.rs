use axum::{
    body::Bytes,
    extract::{FromRequest as _, Request, State},
    response::{IntoResponse, Response},
};
use echorift_web::{InPath, MatrixError};
use http::StatusCode;

use crate::{HookError, Webhooks, incoming::Post};

/// `POST /_echorift/hooks/v1/{id}/{secret}`: who knows the address may write.
pub(super) async fn post(
    State(webhooks): State<Webhooks>,
    InPath((id, secret)): InPath<(String, String)>,
    request: Request,
) -> Response {
    take(&webhooks, &id, Some(&secret), request).await
}

/// `POST /_echorift/hooks/v1/{id}`: for hooks that want each request signed.
pub(super) async fn post_signed(
    State(webhooks): State<Webhooks>,
    InPath(id): InPath<String>,
    request: Request,
) -> Response {
    take(&webhooks, &id, None, request).await
}

/// Answers as senders of Slack's payloads expect it: `ok`, or a sentence.
async fn take(webhooks: &Webhooks, hook: &str, secret: Option<&str>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let request = Request::from_parts(parts.clone(), body);
    let body = match Bytes::from_request(request, &()).await {
        Ok(body) => body,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return refused(&MatrixError::too_large("The body is larger than 256 KiB."));
        }
        Err(_) => return refused(&MatrixError::bad_json("The body could not be read.")),
    };
    let post = Post {
        hook,
        secret,
        headers: &parts.headers,
        body: &body,
    };
    match webhooks.take(post).await {
        Ok(()) => "ok".into_response(),
        Err(error) => refused(&error.into_refusal()),
    }
}

/// The refusal's status and headers with its sentence alone.
fn refused(refusal: &MatrixError) -> Response {
    let (parts, _) = refusal.clone().into_response().into_parts();
    let mut plain = (parts.status, refusal.message().to_owned()).into_response();
    if let Some(wait) = parts.headers.get(http::header::RETRY_AFTER) {
        plain
            .headers_mut()
            .insert(http::header::RETRY_AFTER, wait.clone());
    }
    plain
}

impl HookError {
    fn into_refusal(self) -> MatrixError {
        self.into()
    }
}
