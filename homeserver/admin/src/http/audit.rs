//! What administrators have done.

use axum::{Json, extract::State};
use echorift_accounts::{AuditEntry, AuditQuery};
use echorift_web::MatrixError;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Admin,
    administrator::Administrator,
    extract::InQuery,
    paging::{Page, limit_of, number_of},
};

pub(super) fn routes() -> OpenApiRouter<Admin> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Something that an administrator has done.
#[derive(Serialize, ToSchema)]
struct Entry {
    id: i64,
    at_ts: i64,
    /// The user ID of who did it.
    administrator: String,
    /// What was done: `user.lock`, `room.delete` and so on.
    action: String,
    /// What it was done to: a user ID, a room ID, a server, the address of a file.
    target: String,
    reason: Option<String>,
    /// What else there is to know.
    #[schema(value_type = Object)]
    details: Value,
}

impl From<AuditEntry> for Entry {
    fn from(entry: AuditEntry) -> Self {
        Self {
            id: entry.number,
            at_ts: entry.at.0,
            administrator: entry.administrator,
            action: entry.action,
            target: entry.target,
            reason: entry.reason,
            details: entry.details,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only what this user has done.
    administrator: Option<String>,
    /// Only acts of this kind.
    action: Option<String>,
    /// Only what was done to this.
    target: Option<String>,
    /// How many items at most: 50 if left out, never more than 500.
    limit: Option<u32>,
    /// The `next` of the page before.
    from: Option<String>,
}

/// What administrators have done, latest first. Nothing is ever removed from this list.
#[utoipa::path(get, path = "/audit", tag = "audit", params(ListQuery), responses((status = 200, body = Page<Entry>)))]
async fn list(
    State(admin): State<Admin>,
    _: Administrator,
    InQuery(query): InQuery<ListQuery>,
) -> Result<Json<Page<Entry>>, MatrixError> {
    let limit = limit_of(query.limit);
    let wanted = AuditQuery {
        administrator: query.administrator,
        action: query.action,
        target: query.target,
        before: number_of(query.from.as_deref())?,
        limit: limit.saturating_add(1),
    };
    let entries = admin.accounts().audit_entries(&wanted).await?;
    let page = Page::cut(entries, limit, |entry| entry.number.to_string());
    Ok(Json(page.map(Entry::from)))
}
