use std::collections::BTreeMap;

use axum::{Router, extract::State};
use echorift_web::{MatrixError, Routes as _, Ruma};
use ruma::{
    ServerName, UserId,
    api::federation::{
        device::get_devices,
        keys::{claim_keys, get_keys},
    },
};

use crate::{Crossing, Federation, Signed};

/// How many users or devices one request may name.
const NAMED_MAX: usize = 10_000;

pub(crate) fn routes() -> Router<Federation> {
    Router::new()
        .ruma::<get_devices::v1::Request, _, _>(devices)
        .ruma::<get_keys::v1::Request, _, _>(query)
        .ruma::<claim_keys::v1::Request, _, _>(claim)
}

/// `GET /_matrix/federation/v1/user/devices/{userId}` (SS API § Device Management).
async fn devices(
    State(federation): State<Federation>,
    signed: Signed<get_devices::v1::Request>,
) -> Result<Ruma<get_devices::v1::Response>, MatrixError> {
    let unknown = || MatrixError::not_found("There is no such user on this server.");
    let user = &signed.request.user_id;
    if !is_shown(&federation, &signed.origin, user) {
        return Err(unknown());
    }
    let with_names = federation.options().share_device_names;
    let found = federation.encryption().devices_for_servers(user, with_names);
    found.await?.map(Ruma).ok_or_else(unknown)
}

/// `POST /_matrix/federation/v1/user/keys/query` (SS API § End-to-End Encryption).
async fn query(
    State(federation): State<Federation>,
    signed: Signed<get_keys::v1::Request>,
) -> Result<Ruma<get_keys::v1::Response>, MatrixError> {
    let mut wanted = signed.request.device_keys;
    check_number(wanted.values().map(|devices| devices.len().max(1)).sum())?;
    wanted.retain(|user, _| is_shown(&federation, &signed.origin, user));
    let with_names = federation.options().share_device_names;
    let keys = federation.encryption().keys_for_servers(&wanted, with_names);
    keys.await.map(Ruma).map_err(MatrixError::internal)
}

/// `POST /_matrix/federation/v1/user/keys/claim` (SS API § End-to-End Encryption).
async fn claim(
    State(federation): State<Federation>,
    signed: Signed<claim_keys::v1::Request>,
) -> Result<Ruma<claim_keys::v1::Response>, MatrixError> {
    let mut wanted = signed.request.one_time_keys;
    check_number(wanted.values().map(BTreeMap::len).sum())?;
    wanted.retain(|user, _| is_shown(&federation, &signed.origin, user));
    let claimed = federation.encryption().claim_local(&wanted).await?;
    Ok(Ruma(claim_keys::v1::Response::new(claimed)))
}

/// Whether the operator lets the server see this user of ours.
fn is_shown(federation: &Federation, origin: &ServerName, user: &UserId) -> bool {
    federation.policy().allows(origin, Crossing::User(user))
}

fn check_number(number: usize) -> Result<(), MatrixError> {
    if number > NAMED_MAX {
        return Err(MatrixError::too_large(format!(
            "One request names at most {NAMED_MAX} users or devices."
        )));
    }
    Ok(())
}
