//! What people have reported to the administrators.

use axum::{Json, extract::State};
use echorift_accounts::REASON_BYTES_MAX;
use echorift_rooms::{ReportOverview, ReportsQuery, RoomError};
use echorift_web::{InPath, MatrixError};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Admin,
    administrator::{Administrator, Deed},
    extract::{InQuery, Told},
    paging::{Page, limit_of, number_of},
};

pub(super) fn routes() -> OpenApiRouter<Admin> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(resolve))
}

/// What somebody has reported: an event, a room, or a user.
#[derive(Serialize, ToSchema)]
struct Report {
    id: i64,
    reported_ts: i64,
    reporter: String,
    room_id: Option<String>,
    event_id: Option<String>,
    user_id: Option<String>,
    reason: String,
    state: ReportState,
    resolved_ts: Option<i64>,
    resolved_by: Option<String>,
    note: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ReportState {
    Open,
    Done,
}

impl From<ReportOverview> for Report {
    fn from(report: ReportOverview) -> Self {
        let (state, resolution) = match report.resolution {
            None => (ReportState::Open, None),
            Some(resolution) => (ReportState::Done, Some(resolution)),
        };
        Self {
            id: report.number,
            reported_ts: report.reported.0,
            reporter: report.reporter,
            room_id: report.room_id,
            event_id: report.event_id,
            user_id: report.user_id,
            reason: report.reason,
            state,
            resolved_ts: resolution.as_ref().map(|resolution| resolution.at.0),
            resolved_by: resolution
                .as_ref()
                .map(|resolution| resolution.administrator.clone()),
            note: resolution.and_then(|resolution| resolution.note),
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    #[param(inline)]
    state: Option<ReportState>,
    /// How many items at most: 50 if left out, never more than 500.
    limit: Option<u32>,
    /// The `next` of the page before.
    from: Option<String>,
}

/// What people have reported, latest first.
#[utoipa::path(get, path = "/reports", tag = "reports", params(ListQuery),
    responses((status = 200, body = Page<Report>)))]
async fn list(
    State(admin): State<Admin>,
    _: Administrator,
    InQuery(query): InQuery<ListQuery>,
) -> Result<Json<Page<Report>>, MatrixError> {
    let limit = limit_of(query.limit);
    let wanted = ReportsQuery {
        is_done: query.state.map(|state| matches!(state, ReportState::Done)),
        before: number_of(query.from.as_deref())?,
        limit: limit.saturating_add(1),
    };
    let reports = admin.rooms().reports(&wanted).await.map_err(RoomError::from)?;
    let page = Page::cut(reports, limit, |report| report.number.to_string());
    Ok(Json(page.map(Report::from)))
}

#[derive(Deserialize, ToSchema)]
struct Settlement {
    /// Kept with the report, and in the audit log.
    note: Option<String>,
}

/// That it was done.
#[derive(Serialize, ToSchema)]
struct Settled {
    id: i64,
}

/// Settles a report.
#[utoipa::path(post, path = "/reports/{id}/resolve", tag = "reports", params(("id" = i64, Path)),
    request_body = Option<Settlement>, responses((status = 200, body = Settled)))]
async fn resolve(
    State(admin): State<Admin>,
    administrator: Administrator,
    InPath(id): InPath<i64>,
    Told(body): Told<Settlement>,
) -> Result<Json<Settled>, MatrixError> {
    if body
        .note
        .as_ref()
        .is_some_and(|note| note.len() > REASON_BYTES_MAX)
    {
        let sentence = format!("A note has {REASON_BYTES_MAX} bytes at most.");
        return Err(MatrixError::too_large(sentence));
    }
    let deed = Deed::new("report.resolve", &id, body.note.clone());
    let remember = administrator.audit(&admin, deed).await?;
    let is_there = admin
        .rooms()
        .resolve_report(id, &administrator.user_id, body.note, remember)
        .await
        .map_err(RoomError::from)?;
    match is_there {
        true => Ok(Json(Settled { id })),
        false => Err(MatrixError::not_found("There is no such report.")),
    }
}
