use std::collections::HashMap;

use axum::{Router, extract::State};
use echorift_storage::Timestamp;
use echorift_web::{ClientAddress, LimitKind, MatrixError, Routes as _, Ruma};
use ruma::{
    CanonicalJsonObject, OwnedServerName,
    api::federation::discovery::{
        ServerSigningKeys, get_remote_server_keys, get_remote_server_keys_batch, get_server_keys,
    },
    serde::Raw,
};
use serde_json::value::to_raw_value;

use crate::Federation;

/// Servers that one request may name. A batch of other servers' is 100 to 250.
const SERVERS_MAX: usize = 500;

/// `/_matrix/key/v2`.
pub(crate) fn routes() -> Router<Federation> {
    Router::new()
        .ruma::<get_server_keys::v2::Request, _, _>(own_keys)
        .ruma::<get_remote_server_keys::v2::Request, _, _>(query_one)
        .ruma::<get_remote_server_keys_batch::v2::Request, _, _>(query)
}

/// `GET /_matrix/key/v2/server` (SS API § Publishing Keys).
async fn own_keys(
    State(federation): State<Federation>,
) -> Result<Ruma<get_server_keys::v2::Response>, MatrixError> {
    let keys = &federation.keys().0;
    let published = keys.own.published(keys.clock.now())?;
    Ok(Ruma(get_server_keys::v2::Response {
        server_key: raw(&published)?,
    }))
}

/// `GET /_matrix/key/v2/query/{serverName}` (SS API § Querying Keys Through Another Server).
async fn query_one(
    State(federation): State<Federation>,
    address: ClientAddress,
    Ruma(request): Ruma<get_remote_server_keys::v2::Request>,
) -> Result<Ruma<get_remote_server_keys::v2::Response>, MatrixError> {
    let minimum = Timestamp(request.minimum_valid_until_ts.get().into());
    let wanted = HashMap::from([(request.server_name, minimum)]);
    let server_keys = answer(&federation, address, &wanted).await?;
    Ok(Ruma(get_remote_server_keys::v2::Response { server_keys }))
}

/// `POST /_matrix/key/v2/query` (SS API § Querying Keys Through Another Server).
async fn query(
    State(federation): State<Federation>,
    address: ClientAddress,
    Ruma(request): Ruma<get_remote_server_keys_batch::v2::Request>,
) -> Result<Ruma<get_remote_server_keys_batch::v2::Response>, MatrixError> {
    if request.server_keys.len() > SERVERS_MAX {
        return Err(MatrixError::too_large(format!(
            "One request may name {SERVERS_MAX} servers."
        )));
    }
    let now = federation.clock().now();
    let wanted: HashMap<OwnedServerName, Timestamp> = request
        .server_keys
        .into_iter()
        .map(|(server, criteria)| {
            let minima = criteria
                .values()
                .filter_map(|criterion| criterion.minimum_valid_until_ts);
            let minimum = minima.map(|time| Timestamp(time.get().into())).max();
            (server, minimum.unwrap_or(now))
        })
        .collect();
    let server_keys = answer(&federation, address, &wanted).await?;
    Ok(Ruma(get_remote_server_keys_batch::v2::Response { server_keys }))
}

async fn answer(
    federation: &Federation,
    address: ClientAddress,
    wanted: &HashMap<OwnedServerName, Timestamp>,
) -> Result<Vec<Raw<ServerSigningKeys>>, MatrixError> {
    // Nobody signs these requests, and each may make us ask other servers.
    federation.limits().check(LimitKind::Federation, &address.key())?;
    let objects = federation.keys().handed_on(wanted).await?;
    objects.iter().map(raw).collect()
}

fn raw(object: &CanonicalJsonObject) -> Result<Raw<ServerSigningKeys>, MatrixError> {
    to_raw_value(object)
        .map(Raw::from_json)
        .map_err(MatrixError::internal)
}
