use std::collections::BTreeMap;

use axum::{Json, Router, extract::State};
use echorift_accounts::{Confirmed, UiaRefusal};
use echorift_storage::UserNumber;
use echorift_web::{MatrixError, Routes as _, Ruma, Session};
use ruma::api::client::keys::{upload_signatures, upload_signing_keys};
use serde_json::{Value, json};

use crate::{
    Encryption,
    cross_signing::{Uploaded, Usage, UserKeys},
    signatures::SignedObjects,
};

pub(super) fn routes() -> Router<Encryption> {
    Router::new()
        .ruma::<upload_signing_keys::v3::Request, _, _>(upload)
        .ruma::<upload_signatures::v3::Request, _, _>(sign)
}

/// `POST /_matrix/client/v3/keys/device_signing/upload` (CS API § Cross-signing). The first keys need no proof of who
/// uploads them, and neither do the same keys once more (MSC3967).
async fn upload(
    State(encryption): State<Encryption>,
    session: Session,
    Confirmed(request): Confirmed<upload_signing_keys::v3::Request>,
) -> Result<Ruma<upload_signing_keys::v3::Response>, UiaRefusal> {
    let keys = UserKeys::judge(
        &session.user_id,
        [
            (Usage::Master, request.master_key.as_ref()),
            (Usage::SelfSigning, request.self_signing_key.as_ref()),
            (Usage::UserSigning, request.user_signing_key.as_ref()),
        ],
    )?;
    let user = (UserNumber(session.user_number), &*session.user_id);
    if encryption.upload_cross_signing(user, keys.clone(), false).await? == Uploaded::NeedsProof {
        encryption
            .accounts()
            .authorise_cross_signing_reset(&session, request.auth.as_ref())
            .await?;
        encryption.upload_cross_signing(user, keys, true).await?;
    }
    Ok(Ruma(upload_signing_keys::v3::Response::new()))
}

/// `POST /_matrix/client/v3/keys/signatures/upload` (CS API § Cross-signing).
async fn sign(
    State(encryption): State<Encryption>,
    session: Session,
    Ruma(request): Ruma<upload_signatures::v3::Request>,
) -> Result<Json<Value>, MatrixError> {
    let signed = request.signed_keys.into_iter().map(|(user, objects)| {
        let objects = objects
            .iter()
            .map(|(key_id, object)| (key_id.to_owned(), object.to_owned()));
        (user, objects.collect::<BTreeMap<_, _>>())
    });
    let signed: SignedObjects = signed.collect();
    let user = (UserNumber(session.user_number), &*session.user_id);
    let failures = encryption.upload_signatures(user, signed).await?;
    Ok(Json(json!({ "failures": failures })))
}
