use axum::{Router, extract::State};
use echorift_storage::UserNumber;
use echorift_web::{LimitKind, MatrixError, Routes as _, Ruma, Session};
use ruma::api::client::{
    reporting::report_user,
    room::{report_content, report_room},
};

use super::RoomsApi;

pub(super) fn routes() -> Router<RoomsApi> {
    Router::new()
        .ruma::<report_content::v3::Request, _, _>(event)
        .ruma::<report_room::v3::Request, _, _>(room)
        .ruma::<report_user::v3::Request, _, _>(user)
}

/// `POST /_matrix/client/v3/rooms/{roomId}/report/{eventId}` (CS API § Reporting content).
async fn event(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<report_content::v3::Request>,
) -> Result<Ruma<report_content::v3::Response>, MatrixError> {
    api.limits.check_session(LimitKind::Messages, &session)?;
    let reporter = (&*session.user_id, UserNumber(session.user_number));
    let reason = request.reason.unwrap_or_default();
    api.rooms
        .report_event(reporter, (&request.room_id, &request.event_id), &reason)
        .await?;
    Ok(Ruma(report_content::v3::Response {}))
}

/// `POST /_matrix/client/v3/rooms/{roomId}/report` (CS API § Reporting content).
async fn room(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<report_room::v3::Request>,
) -> Result<Ruma<report_room::v3::Response>, MatrixError> {
    api.limits.check_session(LimitKind::Messages, &session)?;
    api.rooms
        .report_room(UserNumber(session.user_number), &request.room_id, &request.reason)
        .await?;
    Ok(Ruma(report_room::v3::Response {}))
}

/// `POST /_matrix/client/v3/users/{userId}/report` (CS API § Reporting content).
async fn user(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<report_user::v3::Request>,
) -> Result<Ruma<report_user::v3::Response>, MatrixError> {
    api.limits.check_session(LimitKind::Messages, &session)?;
    let reporter = UserNumber(session.user_number);
    api.rooms
        .report_user(&api.accounts, reporter, &request.user_id, &request.reason)
        .await?;
    Ok(Ruma(report_user::v3::Response {}))
}
