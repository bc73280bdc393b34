use std::time::{Duration, Instant};

use axum::{Router, extract::State};
use echorift_web::{MatrixError, Routes as _, Ruma, Session, outbound::OutboundError};
use http::{Method, StatusCode};
use ruma::api::client::appservice::request_ping;
use serde_json::json;

use crate::{AppServices, client::CallError};

/// How long a service may take to answer; it asks itself, so it is there.
const PATIENCE: Duration = Duration::from_secs(20);
/// How much of a service's answer it is told back.
const BODY_CHARS_MAX: usize = 2_000;

pub(super) fn routes() -> Router<AppServices> {
    Router::new().ruma::<request_ping::v1::Request, _, _>(ping)
}

/// `POST /_matrix/client/v1/appservice/{appserviceId}/ping` (AS API § Pinging). A service that answers is told at once what
/// waits for it.
async fn ping(
    State(services): State<AppServices>,
    session: Session,
    Ruma(request): Ruma<request_ping::v1::Request>,
) -> Result<Ruma<request_ping::v1::Response>, MatrixError> {
    let own = session.service.filter(|own| *own.id == *request.appservice_id);
    let registry = services.registry();
    let service = own.and_then(|own| registry.by_id(&own.id));
    let service = service.ok_or_else(|| {
        MatrixError::forbidden("This access token is not the one of this application service.")
    })?;
    let body = match request.transaction_id {
        Some(id) => json!({ "transaction_id": id }),
        None => json!({}),
    };
    let started = Instant::now();
    let path = ["_matrix", "app", "v1", "ping"];
    let asked = services
        .client()
        .call(service, Method::POST, &path, &[], Some(body.to_string()));
    let answer = match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(CallError::NoUrl)) => {
            return Err(MatrixError::new(
                StatusCode::BAD_REQUEST,
                "M_URL_NOT_SET",
                "The registration of this application service names no URL.",
            ));
        }
        Ok(Err(CallError::Failed(OutboundError::Timeout))) | Err(_) => {
            return Err(MatrixError::new(
                StatusCode::GATEWAY_TIMEOUT,
                "M_CONNECTION_TIMEOUT",
                "The application service did not answer in time.",
            ));
        }
        Ok(Err(CallError::Failed(error))) => {
            let message = format!("The application service could not be reached: {error}.");
            return Err(MatrixError::new(
                StatusCode::BAD_GATEWAY,
                "M_CONNECTION_FAILED",
                message,
            ));
        }
    };
    if !answer.status.is_success() {
        let status = answer.status.as_u16();
        let text: String = String::from_utf8_lossy(&answer.body)
            .chars()
            .take(BODY_CHARS_MAX)
            .collect();
        let message = format!("The application service answered {status}.");
        let refusal = MatrixError::new(StatusCode::BAD_GATEWAY, "M_BAD_STATUS", message);
        return Err(refusal.with("status", status.into()).with("body", text.into()));
    }
    service.key_pauses.end();
    services.try_again(&request.appservice_id);
    Ok(Ruma(request_ping::v1::Response::new(started.elapsed())))
}
