use std::collections::BTreeMap;

use axum::{Router, extract::State};
use echorift_rooms::{Reader, TimelineToken};
use echorift_storage::UserNumber;
use echorift_web::{MatrixError, Routes as _, Ruma, Session};
use ruma::{
    UserId,
    api::client::keys::{claim_keys, get_key_changes, get_keys, upload_keys},
};
use serde_json::{Value, json};

use crate::{Encryption, EncryptionError, claim::Wanted, upload::KeyUpload};

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
    let upload = KeyUpload::judge(
        (&session.user_id, &session.device_id),
        request.device_keys.as_ref(),
        &request.one_time_keys,
        &request.fallback_keys,
    )?;
    let user = UserNumber(session.user_number);
    encryption.upload_keys(user, &session.device_id, upload).await?;
    let counts = encryption
        .key_counts(user, &session.device_id)
        .await
        .map_err(EncryptionError::from)?;
    Ok(Ruma(upload_keys::v3::Response::new(counts.one_time)))
}

/// `POST /_matrix/client/v3/keys/query` (CS API § Key management API).
async fn query(
    State(encryption): State<Encryption>,
    session: Session,
    Ruma(request): Ruma<get_keys::v3::Request>,
) -> Result<Ruma<get_keys::v3::Response>, MatrixError> {
    check_number(request.device_keys.len())?;
    let failures = unreachable(&encryption, request.device_keys.keys());
    let mut response = encryption
        .query_keys(UserNumber(session.user_number), request.device_keys)
        .await
        .map_err(EncryptionError::from)?;
    response.failures = failures;
    Ok(Ruma(response))
}

/// `POST /_matrix/client/v3/keys/claim` (CS API § Key management API).
async fn claim(
    State(encryption): State<Encryption>,
    _session: Session,
    Ruma(request): Ruma<claim_keys::v3::Request>,
) -> Result<Ruma<claim_keys::v3::Response>, MatrixError> {
    check_number(request.one_time_keys.values().map(BTreeMap::len).sum())?;
    let named = request.one_time_keys.keys().map(|user| &**user);
    let numbers = encryption
        .local_users(named)
        .await
        .map_err(EncryptionError::from)?;
    let mut wanted = Vec::new();
    for (user, devices) in &request.one_time_keys {
        let Some(number) = numbers.get(&**user) else {
            continue;
        };
        wanted.extend(devices.iter().map(|(device, algorithm)| Wanted {
            user: *number,
            device: device.clone(),
            algorithm: algorithm.clone(),
        }));
    }
    let ids: BTreeMap<UserNumber, &UserId> = numbers.iter().map(|(user, number)| (*number, *user)).collect();
    let mut response = claim_keys::v3::Response::new(BTreeMap::new());
    for (wanted, (key_id, key)) in encryption.claim_keys(wanted).await? {
        if let Some(user) = ids.get(&wanted.user) {
            let of_user = response.one_time_keys.entry((*user).to_owned()).or_default();
            of_user.entry(wanted.device).or_default().insert(key_id, key);
        }
    }
    response.failures = unreachable(&encryption, request.one_time_keys.keys());
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

/// The servers of those users who are not of this one: they cannot be asked.
fn unreachable<'a>(
    encryption: &Encryption,
    users: impl Iterator<Item = &'a ruma::OwnedUserId>,
) -> BTreeMap<String, Value> {
    let remote = users.filter(|user| !encryption.is_local(user));
    let failure = || json!({ "errcode": "M_UNREACHABLE", "error": "This server does not talk to others." });
    remote
        .map(|user| (user.server_name().to_string(), failure()))
        .collect()
}
