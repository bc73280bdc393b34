//! The endpoints: each takes a signed request apart, asks the domain once, and answers.

mod directory;
mod history;
mod openid;
mod people;
mod spaces;
mod state;

use axum::Router;
use echorift_events::Pdu;
use echorift_web::MatrixError;
use ruma::{MilliSecondsSinceUnixEpoch, UInt};
use serde_json::value::RawValue;

use crate::Federation;

pub(super) fn routes() -> Router<Federation> {
    Router::new()
        .merge(directory::routes())
        .merge(history::routes())
        .merge(openid::routes())
        .merge(people::routes())
        .merge(spaces::routes())
        .merge(state::routes())
}

/// An event exactly as it is stored: what is written anew may be signed no more.
fn raw(pdu: &Pdu) -> Result<Box<RawValue>, MatrixError> {
    RawValue::from_string(pdu.json().to_owned()).map_err(MatrixError::internal)
}

/// The time of an answer.
fn now(federation: &Federation) -> MilliSecondsSinceUnixEpoch {
    MilliSecondsSinceUnixEpoch(UInt::try_from(federation.clock().now().0).unwrap_or_default())
}
