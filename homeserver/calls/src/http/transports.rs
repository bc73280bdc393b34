use axum::{Json, Router, extract::State, routing::get};
use echorift_web::{MatrixError, Session};
use serde_json::{Value, json};

use super::CallsApi;
use crate::{CallError, Calls, SfuOptions};

pub(super) fn routes() -> Router<CallsApi> {
    Router::new()
        .route("/_matrix/client/v1/rtc/transports", get(transports))
        .route(
            "/_matrix/client/unstable/org.matrix.msc4143/rtc/transports",
            get(transports),
        )
}

/// `GET /_matrix/client/v1/rtc/transports` (MSC4143): the SFUs that users of this server send to, the preferred one first.
async fn transports(State(api): State<CallsApi>, _: Session) -> Result<Json<Value>, MatrixError> {
    let calls = &api.calls;
    if !calls.is_on() {
        return Err(CallError::Off.into());
    }
    let sfus = calls.sfus().all().iter();
    let transports: Vec<Value> = sfus.map(|sfu| transport(sfu.options())).collect();
    Ok(Json(json!({ "rtc_transports": transports })))
}

/// Both addresses in one object: clients differ in which of them they need (MSC4195).
fn transport(sfu: &SfuOptions) -> Value {
    let mut transport = json!({
        "type": "livekit",
        "url": sfu.url,
        "livekit_service_url": sfu.service_url,
    });
    if let (Some(region), Some(fields)) = (&sfu.region, transport.as_object_mut()) {
        fields.insert("org.echorift.region".to_owned(), region.as_str().into());
    }
    transport
}

/// What the server's documents tell clients of calls.
#[derive(Debug, Clone, Default)]
pub struct CallsDiscovery {
    /// Whether there are calls, so that clients may ask where they go.
    pub is_on: bool,
    /// What `/.well-known/matrix/client` holds for clients that do not ask (`org.matrix.msc4143.rtc_foci`).
    pub foci: Option<Value>,
}

impl Calls {
    pub fn discovery(&self) -> CallsDiscovery {
        let sfus = self.sfus().all();
        let is_there = self.is_on() && !sfus.is_empty();
        let focus = |sfu: &crate::Sfu| {
            json!({
                "type": "livekit",
                "livekit_service_url": sfu.options().service_url,
            })
        };
        CallsDiscovery {
            is_on: self.is_on(),
            foci: is_there.then(|| sfus.iter().map(focus).collect()),
        }
    }
}
