//! The endpoints of clients that are about application services.

mod ping;
mod third_party;

use axum::Router;
use echorift_web::{MatrixError, Routes as _, Ruma, Session};
use ruma::api::client::appservice::set_room_visibility;

use crate::AppServices;

pub(crate) fn router() -> Router<AppServices> {
    Router::new()
        .merge(ping::routes())
        .merge(third_party::routes())
        .ruma::<set_room_visibility::v3::Request, _, _>(set_visibility)
}

/// `PUT /_matrix/client/v3/directory/list/appservice/{networkId}/{roomId}` (AS API § Published room directories): there are
/// no directories of networks here, but the one of all rooms.
async fn set_visibility(session: Session, _: Ruma<set_room_visibility::v3::Request>) -> MatrixError {
    if session.service.is_some() {
        MatrixError::unrecognized("There are no room directories of networks here.")
    } else {
        MatrixError::forbidden("This access token is not an application service's.")
    }
}
