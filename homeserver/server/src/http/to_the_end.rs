//! What was begun is done, though the client hangs up.
//!
//! The future of a request is dropped with its connection, wherever it waits just then. Of something that changes the
//! server half would be done: a message is on its way to the disk, and that it was sent is noted nowhere, so that the
//! client's next try sends it twice. So whatever may change something is a task of its own, in the connection's place: there
//! are never more of them than connections and their streams may be.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use echorift_web::MatrixError;
use http::Method;
use tracing::Instrument as _;

use crate::listener::Place;

pub(super) async fn run(mut request: Request, next: Next) -> Response {
    let place = request.extensions_mut().remove::<Place>();
    if changes_nothing(request.method(), request.uri().path()) {
        return next.run(request).await;
    }
    let work = next.run(request).in_current_span();
    let running = tokio::spawn(async move {
        match place {
            Some(place) => place.hold(work).await,
            None => Some(work.await),
        }
    });
    match running.await {
        Ok(Some(response)) => response,
        Ok(None) => MatrixError::unavailable("The server is stopping.").into_response(),
        Err(error) => MatrixError::internal(error).into_response(),
    }
}

/// Sliding sync is a `POST` that waits for news: there is nothing to be told to who has gone.
fn changes_nothing(method: &Method, path: &str) -> bool {
    let is_sync = path.starts_with("/_matrix/client/") && path.ends_with("/sync");
    method.is_safe() || is_sync
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_end_with_who_asks_and_acts_do_not() {
        for (method, path, expected) in [
            (Method::GET, "/_matrix/client/v3/sync", true),
            (
                Method::POST,
                "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync",
                true,
            ),
            (Method::PUT, "/_matrix/client/v3/rooms/!a/send/m/1", false),
            (Method::POST, "/_echorift/admin/v1/directory/sync", false),
            (Method::PUT, "/_matrix/federation/v1/send/1", false),
        ] {
            assert_eq!(changes_nothing(&method, path), expected, "{method} {path}");
        }
    }
}
