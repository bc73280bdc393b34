//! Sending later what would be sent now (MSC4140), by a parameter of the endpoints that send.

use axum::{
    Json,
    extract::{FromRequestParts, Query},
    response::{IntoResponse as _, Response},
};
use echorift_web::{LimitKind, MatrixError, Session};
use http::request::Parts;
use ruma::events::sticky::StickyDurationMs;
use serde_json::json;

use super::RoomsApi;
use crate::Postponed;

/// The name of the parameter, which has no stable one: the accepted proposal has an endpoint of its own instead.
const DELAY: &str = "org.matrix.msc4140.delay";
/// For how long the event is to be sticky (MSC4354). ruma's requests know the unstable name only.
const STICKY_DURATION: [&str; 2] = ["sticky_duration_ms", "org.matrix.msc4354.sticky_duration_ms"];

/// What a request says of when its event is to be sent, and how long it sticks. Errors: `M_INVALID_PARAM` for a delay that
/// is no positive number, for an event that was to be sent later must never be sent at once; and for a stickiness of more
/// than an hour.
#[derive(Debug, Clone, Copy)]
pub struct Later {
    /// Absent for an event to be sent now.
    pub delay_ms: Option<u64>,
    pub sticky_duration_ms: Option<StickyDurationMs>,
}

impl<S: Send + Sync> FromRequestParts<S> for Later {
    type Rejection = MatrixError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, MatrixError> {
        let query = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map_err(|_| MatrixError::invalid_param("The query parameters cannot be read."))?;
        Ok(Self {
            delay_ms: find(&query, &[DELAY], 1..=u64::MAX)?,
            sticky_duration_ms: find(&query, &STICKY_DURATION, 0..=u64::from(StickyDurationMs::MAX))?
                .map(StickyDurationMs::new_clamped),
        })
    }
}

/// The milliseconds of the first parameter with one of these names.
fn find(
    query: &[(String, String)],
    names: &[&str],
    range: std::ops::RangeInclusive<u64>,
) -> Result<Option<u64>, MatrixError> {
    let Some((name, value)) = query.iter().find(|(name, _)| names.contains(&name.as_str())) else {
        return Ok(None);
    };
    let number = value.parse().ok().filter(|number| range.contains(number));
    let refused =
        || MatrixError::invalid_param(format!("`{name}` is no number of milliseconds that can be."));
    number.map(Some).ok_or_else(refused)
}

impl RoomsApi {
    /// Has an event kept until it is to be sent. Errors: `M_FORBIDDEN` where no events are delayed.
    pub(super) async fn postpone(
        &self,
        session: &Session,
        event: Postponed,
    ) -> Result<Response, MatrixError> {
        self.limits.check_session(LimitKind::Messages, session)?;
        let scheduler = self.scheduler.as_ref();
        let scheduler = scheduler
            .ok_or_else(|| MatrixError::forbidden("This server sends events at once or not at all."))?;
        let delay_id = scheduler.schedule(session, event).await?;
        Ok(Json(json!({ "delay_id": delay_id.as_str() })).into_response())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(query: &str) -> Result<(Option<u64>, Option<u64>), String> {
        let uri = format!("http://localhost/send?{query}");
        let (mut parts, ()) = http::Request::get(uri).body(()).unwrap().into_parts();
        let later = Later::from_request_parts(&mut parts, &()).await;
        later
            .map(|later| {
                (
                    later.delay_ms,
                    later.sticky_duration_ms.map(|sticky| u64::from(sticky.get())),
                )
            })
            .map_err(|refusal| refusal.errcode().to_owned())
    }

    #[tokio::test]
    async fn a_delay_is_read_or_refused_but_never_overlooked() {
        assert_eq!(read("").await, Ok((None, None)));
        assert_eq!(
            read("org.matrix.msc4140.delay=18000&x=1").await,
            Ok((Some(18_000), None))
        );
        assert_eq!(
            read("org.matrix.msc4354.sticky_duration_ms=3600000&org.matrix.msc4140.delay=1").await,
            Ok((Some(1), Some(3_600_000)))
        );
        for bad in ["0", "-1", "soon", "1.5", "", "99999999999999999999"] {
            let refused = read(&format!("org.matrix.msc4140.delay={bad}")).await;
            assert_eq!(refused, Err("M_INVALID_PARAM".to_owned()), "{bad}");
        }
        for bad in ["3600001", "-1", "x"] {
            let refused = read(&format!("sticky_duration_ms={bad}")).await;
            assert_eq!(refused, Err("M_INVALID_PARAM".to_owned()), "{bad}");
        }
    }
}
