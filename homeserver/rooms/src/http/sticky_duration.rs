use axum::extract::{FromRequestParts, Query};
use echorift_web::MatrixError;
use http::request::Parts;
use ruma::events::sticky::StickyDurationMs;
use serde::Deserialize;

/// For how long an event is to stick, from the query string (MSC4354 § Proposal): milliseconds, an hour at most.
///
/// ruma's requests know the unstable name only. Error: `M_INVALID_PARAM` for what is no such duration.
pub(super) struct StickyDuration(pub Option<StickyDurationMs>);

#[derive(Deserialize)]
struct Parameters {
    sticky_duration_ms: Option<StickyDurationMs>,
    #[serde(rename = "org.matrix.msc4354.sticky_duration_ms")]
    unstable: Option<StickyDurationMs>,
}

impl<S: Send + Sync> FromRequestParts<S> for StickyDuration {
    type Rejection = MatrixError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, MatrixError> {
        match Query::<Parameters>::try_from_uri(&parts.uri) {
            Ok(Query(parameters)) => Ok(Self(parameters.sticky_duration_ms.or(parameters.unstable))),
            Err(error) => Err(MatrixError::invalid_param(format!(
                "An event sticks for 0 to {} milliseconds: {error}.",
                StickyDurationMs::MAX
            ))),
        }
    }
}
