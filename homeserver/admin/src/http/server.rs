//! The server as a whole.

use axum::{Json, extract::State};
use echorift_storage::Dialect;
use echorift_web::MatrixError;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Admin,
    administrator::Administrator,
    extract::InQuery,
    health::Condition,
    series::{Range, SERIES},
};

pub(super) fn routes() -> OpenApiRouter<Admin> {
    OpenApiRouter::new()
        .routes(routes!(overview))
        .routes(routes!(health))
        .routes(routes!(series))
}

/// The server in numbers.
#[derive(Serialize, ToSchema)]
struct Server {
    /// The right-hand side of its user IDs.
    name: String,
    version: &'static str,
    started_ts: i64,
    database: DatabaseKind,
    users: i64,
    rooms: i64,
    /// What its users have uploaded. A file that was uploaded twice counts twice.
    local_media_bytes: i64,
    /// What was fetched from other servers.
    remote_media_bytes: i64,
    calls_enabled: bool,
    federation_enabled: bool,
    directory_enabled: bool,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum DatabaseKind {
    Sqlite,
    Postgres,
}

/// The server in numbers.
#[utoipa::path(get, path = "/server", tag = "server", responses((status = 200, body = Server)))]
async fn overview(State(admin): State<Admin>, _: Administrator) -> Result<Json<Server>, MatrixError> {
    let (local, remote) = admin.media().usage().await?;
    Ok(Json(Server {
        name: admin.rooms().server_name().to_string(),
        version: env!("CARGO_PKG_VERSION"),
        started_ts: admin.started().0,
        database: match admin.rooms().database().dialect() {
            Dialect::Sqlite => DatabaseKind::Sqlite,
            Dialect::Postgres => DatabaseKind::Postgres,
        },
        users: admin.accounts().count_users(None).await?,
        rooms: admin
            .rooms()
            .count_rooms()
            .await
            .map_err(echorift_rooms::RoomError::from)?,
        local_media_bytes: local.bytes,
        remote_media_bytes: remote.bytes,
        calls_enabled: admin.calls().is_on(),
        federation_enabled: admin.federation().is_some(),
        directory_enabled: !admin.parts().directories.is_empty(),
    }))
}

#[derive(Serialize, ToSchema)]
struct Health {
    components: Vec<Component>,
}

/// How a part of the server is doing.
#[derive(Serialize, ToSchema)]
struct Component {
    /// `database`, `search`, `federation`, `sfu` and `directory` (with a name, if there are several), `disk`.
    name: String,
    state: ComponentState,
    /// A sentence.
    detail: String,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ComponentState {
    Ok,
    Degraded,
    Down,
}

/// How the parts of the server are doing.
#[utoipa::path(get, path = "/server/health", tag = "server", responses((status = 200, body = Health)))]
async fn health(State(admin): State<Admin>, _: Administrator) -> Json<Health> {
    let components = admin.health().await.into_iter().map(|component| Component {
        name: component.name,
        state: match component.condition {
            Condition::Ok => ComponentState::Ok,
            Condition::Degraded => ComponentState::Degraded,
            Condition::Down => ComponentState::Down,
        },
        detail: component.detail,
    });
    Json(Health {
        components: components.collect(),
    })
}

/// How far back one looks.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
enum RangeName {
    #[default]
    #[serde(rename = "1h")]
    Hour,
    #[serde(rename = "24h")]
    Day,
    #[serde(rename = "7d")]
    Week,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct SeriesQuery {
    /// An hour if left out.
    #[param(inline)]
    range: Option<RangeName>,
}

#[derive(Serialize, ToSchema)]
struct AllSeries {
    /// The time from one value to the next.
    step_ms: i64,
    /// When the first values were taken; `null` as long as there are none.
    from_ts: Option<i64>,
    series: Vec<OneSeries>,
}

/// One number, as it was over time.
#[derive(Serialize, ToSchema)]
struct OneSeries {
    name: &'static str,
    /// `1/s`, `ms`, `bytes` or `count`.
    unit: &'static str,
    /// Oldest first; `null` where there was nothing to measure.
    values: Vec<Option<f64>>,
}

/// How the server has fared since its start, or since as long as it is remembered.
#[utoipa::path(get, path = "/server/series", tag = "server", params(SeriesQuery),
    responses((status = 200, body = AllSeries)))]
async fn series(
    State(admin): State<Admin>,
    _: Administrator,
    InQuery(query): InQuery<SeriesQuery>,
) -> Json<AllSeries> {
    let range = match query.range.unwrap_or_default() {
        RangeName::Hour => Range::Hour,
        RangeName::Day => Range::Day,
        RangeName::Week => Range::Week,
    };
    let (from, points) = admin.series().lock().of(range);
    let series = SERIES.iter().enumerate().map(|(index, (name, unit))| OneSeries {
        name,
        unit,
        values: points
            .iter()
            .map(|point| point.get(index).copied().flatten())
            .collect(),
    });
    Json(AllSeries {
        step_ms: range.step_ms(),
        from_ts: from.map(|from| from.0),
        series: series.collect(),
    })
}
