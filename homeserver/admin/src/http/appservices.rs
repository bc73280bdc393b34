//! Application services.

use axum::{Json, extract::State};
use echorift_appservices::ServiceStatus;
use echorift_web::MatrixError;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Admin,
    administrator::{Administrator, Deed},
};

pub(super) fn routes() -> OpenApiRouter<Admin> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(reload))
}

#[derive(Serialize, ToSchema)]
struct AppServiceList {
    appservices: Vec<AppService>,
}

/// A registered service, and how it takes what concerns it.
#[derive(Serialize, ToSchema)]
struct AppService {
    id: String,
    /// `null` for a service that is told nothing.
    url: Option<String>,
    /// As whom it acts if it says nothing else.
    sender: String,
    /// How much of the log lies between what it has acknowledged and now; 0 if it was told all that concerns it.
    lag_positions: i64,
    /// Transactions that it has acknowledged since the server was started.
    transactions: u64,
    last_success_ts: Option<i64>,
    /// Since when it takes nothing.
    failing_since_ts: Option<i64>,
    /// How often it was tried without success since.
    attempts: u32,
    last_error: Option<String>,
}

impl From<ServiceStatus> for AppService {
    fn from(status: ServiceStatus) -> Self {
        Self {
            id: status.id,
            url: status.url,
            sender: status.sender,
            lag_positions: status.lag_positions,
            transactions: status.transactions,
            last_success_ts: status.last_success.map(|at| at.0),
            failing_since_ts: status.failing_since.map(|at| at.0),
            attempts: status.attempts,
            last_error: status.last_error,
        }
    }
}

/// The registered application services.
#[utoipa::path(get, path = "/appservices", tag = "appservices", responses((status = 200, body = AppServiceList)))]
async fn list(State(admin): State<Admin>, _: Administrator) -> Json<AppServiceList> {
    let statuses = admin.parts().services.statuses();
    Json(AppServiceList {
        appservices: statuses.into_iter().map(AppService::from).collect(),
    })
}

#[derive(Serialize, ToSchema)]
struct Reloaded {
    /// How many services there are now.
    appservices: usize,
}

/// Reads the registrations of application services again.
///
/// Where anything is wrong with them all stays as it was, and the refusal says what is wrong.
#[utoipa::path(post, path = "/appservices/reload", tag = "appservices", responses((status = 200, body = Reloaded)))]
async fn reload(
    State(admin): State<Admin>,
    administrator: Administrator,
) -> Result<Json<Reloaded>, MatrixError> {
    let deed = Deed::new("appservices.reload", "registrations", None);
    administrator.note(&admin, deed).await?;
    let appservices = admin.parts().services.reload().await?;
    Ok(Json(Reloaded { appservices }))
}
