//! The endpoints of encryption.

mod backup;
mod cross_signing;
mod dehydrated;
mod keys;
mod to_device;

use axum::Router;

use crate::Encryption;

pub(crate) fn router() -> Router<Encryption> {
    Router::new()
        .merge(keys::routes())
        .merge(cross_signing::routes())
        .merge(to_device::routes())
        .merge(backup::routes())
        .merge(dehydrated::routes())
}
