//! What a process of its own says that reads the directory in this server's place (`sync_from = "feed"`).
//!
//! It sends all entries as a *reading*: begins it, puts parts in any order, and completes it, whereupon a sync follows it.
//! Afterwards it sends what changed. An access token with the scope `directory` may do this and nothing else.

use std::time::Duration;

use axum::{
    Json,
    extract::{DefaultBodyLimit, FromRequest, Request, State},
};
use echorift_appservice_ldap::mirror::{
    FedChanges, FedEntries, FedRun, FedState, FedTotals, Feed, FeedError, Mirror,
};
use echorift_web::{InPath, MatrixError};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::directory::DomainQuery;
use crate::{
    Admin,
    administrator::Administrator,
    extract::{InQuery, Told},
};

/// One part of a reading, or a photo.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

pub(super) fn routes() -> OpenApiRouter<Admin> {
    OpenApiRouter::new()
        .routes(routes!(state))
        .routes(routes!(begin))
        .routes(routes!(put_part))
        .routes(routes!(complete))
        .routes(routes!(fail))
        .routes(routes!(changes))
        .routes(routes!(put_photo))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
}

/// The domain's feed. Errors: `M_NOT_FOUND` where there is no such domain, or this server reads it itself.
fn load<'a>(admin: &'a Admin, query: &DomainQuery) -> Result<Feed<'a>, MatrixError> {
    let feed = query.load(admin)?.mirror.as_ref().and_then(Mirror::feed);
    feed.ok_or_else(|| {
        MatrixError::not_found("This server reads this directory itself: set sync and sync_from = \"feed\".")
    })
}

fn refusal(error: FeedError) -> MatrixError {
    let message = error.to_string();
    match error {
        FeedError::NoReading | FeedError::NoPhoto => MatrixError::not_found(message),
        FeedError::BadEntry(_) | FeedError::Incomplete(_) => MatrixError::invalid_param(message),
        FeedError::TooLarge(_) => MatrixError::too_large(message),
        FeedError::OutOfStep => MatrixError::new(StatusCode::CONFLICT, "ORG.ECHORIFT.OUT_OF_STEP", message),
        FeedError::Accounts(error) => error.into(),
    }
}

/// How long to wait, and what the process knows of the directory.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct StateQuery {
    /// Milliseconds, up to 60,000.
    #[serde(default)]
    timeout: u64,
    /// Whether the directory tells the process of changes, or is asked for them every few seconds.
    #[serde(default)]
    is_told: bool,
}

/// Where this server stands; waits until somebody wants everything read, as long as `timeout` says.
#[utoipa::path(get, path = "/directory/feed", tag = "directory feed", params(StateQuery, DomainQuery),
    responses((status = 200, body = FedState)))]
async fn state(
    State(admin): State<Admin>,
    _: Administrator,
    InQuery(domain): InQuery<DomainQuery>,
    InQuery(StateQuery { timeout, is_told }): InQuery<StateQuery>,
) -> Result<Json<FedState>, MatrixError> {
    let feed = load(&admin, &domain)?;
    Ok(Json(feed.state(Duration::from_millis(timeout), is_told).await))
}

#[derive(Serialize, ToSchema)]
struct Begun {
    reading_id: String,
}

/// Begins a reading, in the place of one that was not completed. What the directory holds is to be read after this.
#[utoipa::path(post, path = "/directory/feed/readings", tag = "directory feed", params(DomainQuery),
    responses((status = 200, body = Begun)))]
async fn begin(
    State(admin): State<Admin>,
    _: Administrator,
    InQuery(query): InQuery<DomainQuery>,
) -> Result<Json<Begun>, MatrixError> {
    let reading_id = load(&admin, &query)?.begin();
    Ok(Json(Begun { reading_id }))
}

/// Puts a part of a reading; parts are numbered from 0, and one that is put again takes the place of the first.
///
/// A group may be in several parts, which have its members together.
#[utoipa::path(put, path = "/directory/feed/readings/{reading_id}/parts/{number}", tag = "directory feed",
    params(("reading_id" = String, Path), ("number" = usize, Path), DomainQuery), request_body = FedEntries,
    responses((status = 200, description = "It was taken.")))]
async fn put_part(
    State(admin): State<Admin>,
    _: Administrator,
    InPath((reading_id, number)): InPath<(String, usize)>,
    InQuery(query): InQuery<DomainQuery>,
    Told(entries): Told<FedEntries>,
) -> Result<Json<Value>, MatrixError> {
    let put = load(&admin, &query)?.put(&reading_id, number, entries);
    put.map_err(refusal)?;
    Ok(Json(json!({})))
}

/// The reading is whole: a sync follows it, and the answer says how that has ended.
#[utoipa::path(post, path = "/directory/feed/readings/{reading_id}/complete", tag = "directory feed",
    params(("reading_id" = String, Path), DomainQuery), request_body = FedTotals,
    responses((status = 200, body = FedRun)))]
async fn complete(
    State(admin): State<Admin>,
    _: Administrator,
    InPath(reading_id): InPath<String>,
    InQuery(query): InQuery<DomainQuery>,
    Told(totals): Told<FedTotals>,
) -> Result<Json<FedRun>, MatrixError> {
    let run = load(&admin, &query)?.complete(&reading_id, totals).await;
    run.map(Json).map_err(refusal)
}

#[derive(Deserialize, ToSchema)]
struct Failure {
    /// A sentence for the operator of this server.
    reason: String,
}

/// The directory could not be read: nothing is changed, and the status says why.
#[utoipa::path(post, path = "/directory/feed/readings/{reading_id}/fail", tag = "directory feed",
    params(("reading_id" = String, Path), DomainQuery), request_body = Failure,
    responses((status = 200, description = "It was noted.")))]
async fn fail(
    State(admin): State<Admin>,
    _: Administrator,
    InPath(reading_id): InPath<String>,
    InQuery(query): InQuery<DomainQuery>,
    Told(failure): Told<Failure>,
) -> Result<Json<Value>, MatrixError> {
    let noted = load(&admin, &query)?.fail(&reading_id, &failure.reason);
    noted.map_err(refusal)?;
    Ok(Json(json!({})))
}

/// Entries that changed after a reading, or after other changes, as they are now: a sync works them in.
///
/// `ORG.ECHORIFT.OUT_OF_STEP` (409) if they do not follow what this server knows; then a reading has to come.
#[utoipa::path(post, path = "/directory/feed/changes", tag = "directory feed", params(DomainQuery),
    request_body = FedChanges, responses((status = 200, body = FedRun)))]
async fn changes(
    State(admin): State<Admin>,
    _: Administrator,
    InQuery(query): InQuery<DomainQuery>,
    Told(changes): Told<FedChanges>,
) -> Result<Json<FedRun>, MatrixError> {
    let run = load(&admin, &query)?.changes(changes).await;
    run.map(Json).map_err(refusal)
}

/// The bytes of a photo.
struct Photo(Vec<u8>);

impl<S: Send + Sync> FromRequest<S> for Photo {
    type Rejection = MatrixError;

    async fn from_request(request: Request, state: &S) -> Result<Self, MatrixError> {
        let (_, body) = echorift_web::read_body(request, state).await?;
        Ok(Self(body.into()))
    }
}

/// A photo that the answer to a sync has asked for.
#[utoipa::path(put, path = "/directory/feed/photos/{id}", tag = "directory feed",
    params(("id" = String, Path, description = "The person's."), DomainQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, description = "It is the avatar now.")))]
async fn put_photo(
    State(admin): State<Admin>,
    _: Administrator,
    InPath(id): InPath<String>,
    InQuery(query): InQuery<DomainQuery>,
    Photo(photo): Photo,
) -> Result<Json<Value>, MatrixError> {
    load(&admin, &query)?.photo(&id, photo).await.map_err(refusal)?;
    Ok(Json(json!({})))
}
