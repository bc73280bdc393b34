//! The endpoints of webhooks: that which programs post to, and those by which people manage them.

mod incoming;
mod manage;
mod shown;

use axum::{Router, extract::DefaultBodyLimit, routing};

use crate::Webhooks;

/// What a post may weigh.
const BODY_BYTES_MAX: usize = 256 * 1024;

pub(crate) fn router(webhooks: Webhooks) -> Router {
    let posts = Router::new()
        .route("/_echorift/hooks/v1/{id}", routing::post(incoming::post_signed))
        .route("/_echorift/hooks/v1/{id}/{secret}", routing::post(incoming::post))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX));
    Router::new()
        .route(
            "/_echorift/v1/rooms/{room_id}/hooks",
            routing::get(manage::list).post(manage::make),
        )
        .route(
            "/_echorift/v1/rooms/{room_id}/hooks/{id}",
            routing::get(manage::get)
                .put(manage::change)
                .delete(manage::delete),
        )
        .route(
            "/_echorift/v1/rooms/{room_id}/hooks/{id}/rotate",
            routing::post(manage::rotate),
        )
        .route(
            "/_echorift/v1/rooms/{room_id}/hooks/{id}/test",
            routing::post(manage::test),
        )
        .merge(posts)
        .with_state(webhooks)
}
