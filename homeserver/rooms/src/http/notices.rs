use axum::{
    Json, Router,
    extract::State,
    routing::{post, put},
};
use echorift_accounts::Act;
use echorift_web::{Body, InPath, MatrixError, Session};
use ruma::{OwnedTransactionId, OwnedUserId, events::TimelineEventType};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use super::RoomsApi;
use crate::{Notice, RoomError, Transaction};

const PATH: &str = "/_synapse/admin/v1/send_server_notice";

/// Operators' scripts know the path from another server.
pub(super) fn routes() -> Router<RoomsApi> {
    Router::new()
        .route(PATH, post(send))
        .route(&format!("{PATH}/{{txn_id}}"), put(send_once))
}

#[derive(Deserialize)]
struct NoticeBody {
    user_id: OwnedUserId,
    content: Box<RawValue>,
    r#type: Option<TimelineEventType>,
    state_key: Option<String>,
}

/// `POST /_synapse/admin/v1/send_server_notice`, for administrators (CS API § Server notices).
async fn send(
    State(api): State<RoomsApi>,
    session: Session,
    Body(body): Body<NoticeBody>,
) -> Result<Json<Value>, MatrixError> {
    answer(&api, &session, body, None).await
}

/// `PUT /_synapse/admin/v1/send_server_notice/{txnId}`: once for each transaction.
async fn send_once(
    State(api): State<RoomsApi>,
    session: Session,
    InPath(id): InPath<OwnedTransactionId>,
    Body(body): Body<NoticeBody>,
) -> Result<Json<Value>, MatrixError> {
    let transaction = Transaction {
        session_number: session.session_number,
        id,
    };
    answer(&api, &session, body, Some(transaction)).await
}

async fn answer(
    api: &RoomsApi,
    session: &Session,
    body: NoticeBody,
    transaction: Option<Transaction>,
) -> Result<Json<Value>, MatrixError> {
    if !session.is_admin {
        return Err(MatrixError::forbidden("Only administrators can do this."));
    }
    if !body.content.get().starts_with('{') {
        return Err(MatrixError::bad_json("`content` is not an object."));
    }
    let notice = Notice {
        event_type: body.r#type.unwrap_or(TimelineEventType::RoomMessage),
        state_key: body.state_key,
        content: body.content,
        transaction,
    };
    let remember = api
        .accounts
        .audit(Act {
            administrator: session.user_id.clone(),
            action: "notice.send",
            target: body.user_id.to_string(),
            reason: None,
            details: serde_json::Map::new(),
        })
        .await?;
    let written = api.rooms.database().writer().commit(remember).await;
    written.map_err(RoomError::from)?;
    let event_id = api
        .rooms
        .send_notice(&api.accounts, &body.user_id, notice)
        .await?;
    Ok(Json(json!({ "event_id": event_id })))
}
