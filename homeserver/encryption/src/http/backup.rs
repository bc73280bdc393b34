use std::collections::BTreeMap;

use axum::{Json, Router, extract::State};
use echorift_storage::UserNumber;
use echorift_web::{MatrixError, Routes as _, Ruma, Session};
use ruma::{
    OwnedRoomId, UInt,
    api::client::backup::{
        BackupAlgorithm, KeyBackupData, add_backup_keys, add_backup_keys_for_room,
        add_backup_keys_for_session, create_backup_version, delete_backup_keys, delete_backup_keys_for_room,
        delete_backup_keys_for_session, delete_backup_version, get_backup_info, get_backup_keys,
        get_backup_keys_for_room, get_backup_keys_for_session, get_latest_backup_info, update_backup_version,
    },
    serde::Raw,
};
use serde_json::{Value, json};

use crate::{
    Encryption, EncryptionError,
    backup::{BackedUpKey, BackedUpKeys, BackupDescription, BackupState, BackupVersion, parse_version},
};

pub(super) fn routes() -> Router<Encryption> {
    Router::new()
        .ruma::<create_backup_version::v3::Request, _, _>(create)
        .ruma::<get_latest_backup_info::v3::Request, _, _>(latest)
        .ruma::<get_backup_info::v3::Request, _, _>(info)
        .ruma::<update_backup_version::v3::Request, _, _>(update)
        .ruma::<delete_backup_version::v3::Request, _, _>(delete)
        .ruma::<add_backup_keys::v3::Request, _, _>(add)
        .ruma::<add_backup_keys_for_room::v3::Request, _, _>(add_for_room)
        .ruma::<add_backup_keys_for_session::v3::Request, _, _>(add_for_session)
        .ruma::<get_backup_keys::v3::Request, _, _>(keys)
        .ruma::<get_backup_keys_for_room::v3::Request, _, _>(keys_for_room)
        .ruma::<get_backup_keys_for_session::v3::Request, _, _>(keys_for_session)
        .ruma::<delete_backup_keys::v3::Request, _, _>(delete_keys)
        .ruma::<delete_backup_keys_for_room::v3::Request, _, _>(delete_keys_for_room)
        .ruma::<delete_backup_keys_for_session::v3::Request, _, _>(delete_keys_for_session)
}

fn user(session: &Session) -> UserNumber {
    UserNumber(session.user_number)
}

fn described(algorithm: &Raw<BackupAlgorithm>) -> Result<BackupDescription, MatrixError> {
    let bad = |error| MatrixError::bad_json(format!("The backup's description does not fit: {error}."));
    algorithm.deserialize().map_err(bad)?;
    algorithm.deserialize_as_unchecked().map_err(bad)
}

fn key(data: &Raw<KeyBackupData>) -> Result<BackedUpKey, MatrixError> {
    data.deserialize_as_unchecked()
        .map_err(|error| MatrixError::bad_json(format!("The key data does not fit: {error}.")))
}

fn of_room(
    sessions: &BTreeMap<String, Raw<KeyBackupData>>,
) -> Result<BTreeMap<String, BackedUpKey>, MatrixError> {
    sessions
        .iter()
        .map(|(session, data)| Ok((session.clone(), key(data)?)))
        .collect()
}

/// How clients see what a backup holds: `etag` and `count`.
fn shown(state: BackupState) -> (String, UInt) {
    let count = UInt::try_from(state.key_count).unwrap_or(UInt::MAX);
    (state.etag.to_string(), count)
}

fn description(backup: &BackupVersion) -> Json<Value> {
    let (etag, count) = shown(backup.state);
    Json(json!({
        "algorithm": backup.algorithm,
        "auth_data": backup.auth_data,
        "count": count,
        "etag": etag,
        "version": backup.version.to_string(),
    }))
}

/// `POST /_matrix/client/v3/room_keys/version` (CS API § Server-side key backups).
async fn create(
    State(encryption): State<Encryption>,
    session: Session,
    Ruma(request): Ruma<create_backup_version::v3::Request>,
) -> Result<Ruma<create_backup_version::v3::Response>, MatrixError> {
    let description = described(&request.algorithm)?;
    let version = encryption.create_backup(user(&session), description).await?;
    Ok(Ruma(create_backup_version::v3::Response::new(
        version.to_string(),
    )))
}

/// `GET /_matrix/client/v3/room_keys/version` (CS API § Server-side key backups).
async fn latest(
    State(encryption): State<Encryption>,
    session: Session,
    Ruma(_): Ruma<get_latest_backup_info::v3::Request>,
) -> Result<Json<Value>, MatrixError> {
    Ok(description(&encryption.backup(user(&session), None).await?))
}

/// `GET /_matrix/client/v3/room_keys/version/{version}` (CS API § Server-side key backups).
async fn info(
    State(encryption): State<Encryption>,
    session: Session,
    Ruma(request): Ruma<get_backup_info::v3::Request>,
) -> Result<Json<Value>, MatrixError> {
    let version = parse_version(&request.version)?;
    Ok(description(
        &encryption.backup(user(&session), Some(version)).await?,
    ))
}

/// `PUT /_matrix/client/v3/room_keys/version/{version}` (CS API § Server-side key backups).
async fn update(
    State(encryption): State<Encryption>,
    session: Session,
    Ruma(request): Ruma<update_backup_version::v3::Request>,
) -> Result<Ruma<update_backup_version::v3::Response>, MatrixError> {
    let description = described(&request.algorithm)?;
    let version = parse_version(&request.version)?;
    encryption
        .update_backup(user(&session), version, description)
        .await?;
    Ok(Ruma(update_backup_version::v3::Response::new()))
}

/// `DELETE /_matrix/client/v3/room_keys/version/{version}` (CS API § Server-side key backups).
async fn delete(
    State(encryption): State<Encryption>,
    session: Session,
    Ruma(request): Ruma<delete_backup_version::v3::Request>,
) -> Result<Ruma<delete_backup_version::v3::Response>, MatrixError> {
    let version = parse_version(&request.version)?;
    encryption.delete_backup(user(&session), version).await?;
    Ok(Ruma(delete_backup_version::v3::Response::new()))
}

/// `PUT /_matrix/client/v3/room_keys/keys` (CS API § Server-side key backups).
async fn add(
    State(encryption): State<Encryption>,
    session: Session,
    Ruma(request): Ruma<add_backup_keys::v3::Request>,
) -> Result<Ruma<add_backup_keys::v3::Response>, MatrixError> {
    let rooms = request
        .rooms
        .into_iter()
        .map(|(room, keys)| Ok((room, of_room(&keys.sessions)?)));
    let keys: BackedUpKeys = rooms.collect::<Result<_, MatrixError>>()?;
    let version = parse_version(&request.version)?;
    let (etag, count) = shown(encryption.back_up_keys(user(&session), version, keys).await?);
    Ok(Ruma(add_backup_keys::v3::Response::new(etag, count)))
}

/// `PUT /_matrix/client/v3/room_keys/keys/{roomId}` (CS API § Server-side key backups).
async fn add_for_room(
    State(encryption): State<Encryption>,
    session: Session,
    Ruma(request): Ruma<add_backup_keys_for_room::v3::Request>,
) -> Result<Ruma<add_backup_keys_for_room::v3::Response>, MatrixError> {
    let keys = BackedUpKeys::from([(request.room_id, of_room(&request.sessions)?)]);
    let version = parse_version(&request.version)?;
    let (etag, count) = shown(encryption.back_up_keys(user(&session), version, keys).await?);
    Ok(Ruma(add_backup_keys_for_room::v3::Response::new(etag, count)))
}

/// `PUT /_matrix/client/v3/room_keys/keys/{roomId}/{sessionId}` (CS API § Server-side key backups).
async fn add_for_session(
    State(encryption): State<Encryption>,
    session: Session,
    Ruma(request): Ruma<add_backup_keys_for_session::v3::Request>,
) -> Result<Ruma<add_backup_keys_for_session::v3::Response>, MatrixError> {
    let sessions = BTreeMap::from([(request.session_id, key(&request.session_data)?)]);
    let keys = BackedUpKeys::from([(request.room_id, sessions)]);
    let version = parse_version(&request.version)?;
    let (etag, count) = shown(encryption.back_up_keys(user(&session), version, keys).await?);
    Ok(Ruma(add_backup_keys_for_session::v3::Response::new(etag, count)))
}

/// `GET /_matrix/client/v3/room_keys/keys` (CS API § Server-side key backups).
async fn keys(
    State(encryption): State<Encryption>,
    session: Session,
    Ruma(request): Ruma<get_backup_keys::v3::Request>,
) -> Result<Json<Value>, MatrixError> {
    let version = parse_version(&request.version)?;
    let keys = encryption
        .backed_up_keys(user(&session), version, (None, None))
        .await?;
    let rooms: BTreeMap<&OwnedRoomId, Value> = keys
        .iter()
        .map(|(room, sessions)| (room, json!({ "sessions": sessions })))
        .collect();
    Ok(Json(json!({ "rooms": rooms })))
}

/// `GET /_matrix/client/v3/room_keys/keys/{roomId}` (CS API § Server-side key backups).
async fn keys_for_room(
    State(encryption): State<Encryption>,
    session: Session,
    Ruma(request): Ruma<get_backup_keys_for_room::v3::Request>,
) -> Result<Json<Value>, MatrixError> {
    let version = parse_version(&request.version)?;
    let of = (Some(&*request.room_id), None);
    let mut keys = encryption.backed_up_keys(user(&session), version, of).await?;
    let sessions = keys.remove(&request.room_id).unwrap_or_default();
    Ok(Json(json!({ "sessions": sessions })))
}

/// `GET /_matrix/client/v3/room_keys/keys/{roomId}/{sessionId}` (CS API § Server-side key backups).
async fn keys_for_session(
    State(encryption): State<Encryption>,
    session: Session,
    Ruma(request): Ruma<get_backup_keys_for_session::v3::Request>,
) -> Result<Json<BackedUpKey>, MatrixError> {
    let version = parse_version(&request.version)?;
    let of = (Some(&*request.room_id), Some(request.session_id.as_str()));
    let mut keys = encryption.backed_up_keys(user(&session), version, of).await?;
    let mut sessions = keys.remove(&request.room_id).unwrap_or_default();
    let key = sessions
        .remove(&request.session_id)
        .ok_or(EncryptionError::NoSuchBackedUpKey)?;
    Ok(Json(key))
}

/// `DELETE /_matrix/client/v3/room_keys/keys` (CS API § Server-side key backups).
async fn delete_keys(
    State(encryption): State<Encryption>,
    session: Session,
    Ruma(request): Ruma<delete_backup_keys::v3::Request>,
) -> Result<Ruma<delete_backup_keys::v3::Response>, MatrixError> {
    let version = parse_version(&request.version)?;
    let state = encryption
        .delete_backed_up_keys(user(&session), version, (None, None))
        .await?;
    let (etag, count) = shown(state);
    Ok(Ruma(delete_backup_keys::v3::Response::new(etag, count)))
}

/// `DELETE /_matrix/client/v3/room_keys/keys/{roomId}` (CS API § Server-side key backups).
async fn delete_keys_for_room(
    State(encryption): State<Encryption>,
    session: Session,
    Ruma(request): Ruma<delete_backup_keys_for_room::v3::Request>,
) -> Result<Ruma<delete_backup_keys_for_room::v3::Response>, MatrixError> {
    let version = parse_version(&request.version)?;
    let of = (Some(request.room_id), None);
    let state = encryption
        .delete_backed_up_keys(user(&session), version, of)
        .await?;
    let (etag, count) = shown(state);
    Ok(Ruma(delete_backup_keys_for_room::v3::Response::new(etag, count)))
}

/// `DELETE /_matrix/client/v3/room_keys/keys/{roomId}/{sessionId}` (CS API § Server-side key backups).
async fn delete_keys_for_session(
    State(encryption): State<Encryption>,
    session: Session,
    Ruma(request): Ruma<delete_backup_keys_for_session::v3::Request>,
) -> Result<Ruma<delete_backup_keys_for_session::v3::Response>, MatrixError> {
    let version = parse_version(&request.version)?;
    let of = (Some(request.room_id), Some(request.session_id));
    let state = encryption
        .delete_backed_up_keys(user(&session), version, of)
        .await?;
    let (etag, count) = shown(state);
    Ok(Ruma(delete_backup_keys_for_session::v3::Response::new(
        etag, count,
    )))
}
