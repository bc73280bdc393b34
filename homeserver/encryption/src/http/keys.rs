use std::collections::BTreeMap;

use axum::{Json, Router, extract::State};
use echorift_rooms::{Reader, TimelineToken};
use echorift_storage::UserNumber;
use echorift_web::{MatrixError, Routes as _, Ruma, Session};
use ruma::{
    OwnedDeviceId, OwnedUserId,
    api::client::keys::{claim_keys, get_key_changes, get_keys, upload_keys},
    encryption::{CrossSigningKey, DeviceKeys},
    serde::Raw,
};
use serde::Serialize;
use serde_json::Value;

use crate::{Encryption, EncryptionError, remote::timeout_of, upload::KeyUpload};

/// How many users or devices one request may name.
const NAMED_MAX: usize = 10_000;

pub(super) fn routes() -> Router<Encryption> {
    Router::new()
        .ruma::<upload_keys::v3::Request, _, _>(upload)
        .ruma::<get_keys::v3::Request, _, _>(query)
        .ruma::<claim_keys::v3::Request, _, _>(claim)
        .ruma::<get_key_changes::v3::Request, _, _>(changes)
}

/// `POST /_matrix/client/v3/keys/upload` (CS API § Key management API).
async fn upload(
    State(encryption): State<Encryption>,
    session: Session,
    Ruma(request): Ruma<upload_keys::v3::Request>,
) -> Result<Ruma<upload_keys::v3::Response>, MatrixError> {
    let device = session.device()?;
    let upload = KeyUpload::judge(
        (&session.user_id, device),
        request.device_keys.as_ref(),
        &request.one_time_keys,
        &request.fallback_keys,
    )?;
    let user = UserNumber(session.user_number);
    encryption.upload_keys(user, device, upload).await?;
    let counts = encryption
        .key_counts(user, device)
        .await
        .map_err(EncryptionError::from)?;
    Ok(Ruma(upload_keys::v3::Response::new(counts.one_time)))
}

/// The keys of users. Devices and failures are there also where there are none, unlike in ruma's: some clients take an
/// answer without them for broken.
#[derive(Serialize)]
struct KeysAnswer {
    failures: BTreeMap<String, Value>,
    device_keys: BTreeMap<OwnedUserId, BTreeMap<OwnedDeviceId, Raw<DeviceKeys>>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    master_keys: BTreeMap<OwnedUserId, Raw<CrossSigningKey>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    self_signing_keys: BTreeMap<OwnedUserId, Raw<CrossSigningKey>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    user_signing_keys: BTreeMap<OwnedUserId, Raw<CrossSigningKey>>,
}

/// `POST /_matrix/client/v3/keys/query` (CS API § Key management API).
async fn query(
    State(encryption): State<Encryption>,
    session: Session,
    Ruma(request): Ruma<get_keys::v3::Request>,
) -> Result<Json<KeysAnswer>, MatrixError> {
    check_number(request.device_keys.len())?;
    let timeout = timeout_of(request.timeout);
    let response = encryption
        .query_keys(UserNumber(session.user_number), request.device_keys, timeout)
        .await
        .map_err(EncryptionError::from)?;
    let get_keys::v3::Response {
        failures,
        device_keys,
        master_keys,
        self_signing_keys,
        user_signing_keys,
    } = response;
    Ok(Json(KeysAnswer {
        failures,
        device_keys,
        master_keys,
        self_signing_keys,
        user_signing_keys,
    }))
}

/// `POST /_matrix/client/v3/keys/claim` (CS API § Key management API).
async fn claim(
    State(encryption): State<Encryption>,
    _session: Session,
    Ruma(request): Ruma<claim_keys::v3::Request>,
) -> Result<Ruma<claim_keys::v3::Response>, MatrixError> {
    check_number(request.one_time_keys.values().map(BTreeMap::len).sum())?;
    let timeout = timeout_of(request.timeout);
    let (local, remote): (BTreeMap<_, _>, BTreeMap<_, _>) = request
        .one_time_keys
        .into_iter()
        .partition(|(user, _)| encryption.is_local(user));
    let claimed = encryption.claim_local(&local);
    let (claimed, (remote, failures)) =
        futures_util::future::join(claimed, encryption.claim_remote(remote, timeout)).await;
    let mut keys = claimed?;
    keys.extend(remote);
    let mut response = claim_keys::v3::Response::new(keys);
    response.failures = failures;
    Ok(Ruma(response))
}

/// `GET /_matrix/client/v3/keys/changes` (CS API § Key management API). Tells what changed after `from`; `to` is only a
/// hint, and what is later is told, too.
async fn changes(
    State(encryption): State<Encryption>,
    session: Session,
    Ruma(request): Ruma<get_key_changes::v3::Request>,
) -> Result<Ruma<get_key_changes::v3::Response>, MatrixError> {
    let from: TimelineToken = request.from.parse()?;
    let _to: TimelineToken = request.to.parse()?;
    let reader = Reader::of_session(&session, encryption.accounts()).await?;
    let now = encryption.now();
    let lists = encryption.device_lists(&reader, from.0, now).await?;
    Ok(Ruma(get_key_changes::v3::Response::new(
        lists.changed,
        lists.left,
    )))
}

fn check_number(number: usize) -> Result<(), EncryptionError> {
    if number > NAMED_MAX {
        return Err(EncryptionError::TooLarge {
            what: "the number of users or devices",
            limit: NAMED_MAX,
        });
    }
    Ok(())
}
