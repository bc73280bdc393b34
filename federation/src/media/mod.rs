//! Files between servers: ours for them (`http`), theirs for people here (`fetch`), both in two parts (`multipart`).

mod fetch;
mod http;
mod multipart;

use axum::Router;

use crate::Federation;

pub(crate) fn routes() -> Router<Federation> {
    self::http::routes()
}
