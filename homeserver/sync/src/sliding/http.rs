use axum::{
    Json, Router,
    extract::{FromRequestParts, Query, State},
    routing::post,
};
use echorift_web::{Body, MatrixError, Session};
use http::request::Parts;

use super::{
    answer::Answer,
    request::{BodyPart, Dialect, QueryPart, Wishes},
};
use crate::Syncs;

const UNSTABLE: &str = "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync";
const V4: &str = "/_matrix/client/v4/sync";

pub(crate) fn router() -> Router<Syncs> {
    Router::new()
        .route(UNSTABLE, post(sync_unstable))
        .route(V4, post(sync_v4))
}

/// `POST /_matrix/client/unstable/org.matrix.simplified_msc3575/sync` (MSC4186 § Unstable prefix).
async fn sync_unstable(
    State(syncs): State<Syncs>,
    session: Session,
    query: QueryPart,
    Body(body): Body<BodyPart>,
) -> Result<Json<Answer>, MatrixError> {
    sync(&syncs, &session, (Dialect::Unstable, query, body)).await
}

/// `POST /_matrix/client/v4/sync` (MSC4186 § API).
async fn sync_v4(
    State(syncs): State<Syncs>,
    session: Session,
    query: QueryPart,
    Body(body): Body<BodyPart>,
) -> Result<Json<Answer>, MatrixError> {
    sync(&syncs, &session, (Dialect::V4, query, body)).await
}

async fn sync(
    syncs: &Syncs,
    session: &Session,
    (dialect, query, body): (Dialect, QueryPart, BodyPart),
) -> Result<Json<Answer>, MatrixError> {
    let wishes = Wishes::new(dialect, query, body, &session.user_id)?;
    syncs.sliding_sync(session, &wishes).await.map(Json)
}

impl<S: Send + Sync> FromRequestParts<S> for QueryPart {
    type Rejection = MatrixError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, MatrixError> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(query)) => Ok(query),
            Err(error) => Err(MatrixError::invalid_param(format!(
                "A query parameter does not fit: {error}."
            ))),
        }
    }
}
