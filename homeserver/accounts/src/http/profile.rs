use axum::{Json, extract::State};
use echorift_web::{Body, ClientAddress, InPath, LimitKind, MatrixError, MaybeSession, Ruma, Session};
use ruma::{
    OwnedUserId, UserId,
    api::client::profile::{delete_profile_field, get_profile, get_profile_field},
};
use serde_json::{Map, Value, json};

use super::own;
use crate::{
    AccountError, Accounts, Profile,
    profile::{AVATAR_URL, DISPLAY_NAME, judge_field_name},
};

/// Profiles are shown to everyone.
type Asker = (MaybeSession, ClientAddress);

/// `GET /_matrix/client/v3/profile/{userId}` (CS API § Profiles).
pub(crate) async fn get(
    State(accounts): State<Accounts>,
    asker: Asker,
    Ruma(request): Ruma<get_profile::v3::Request>,
) -> Result<Json<Value>, MatrixError> {
    let profile = find(&accounts, asker, &request.user_id).await?;
    Ok(Json(profile.fields.into_iter().collect()))
}

/// `GET /_matrix/client/v3/profile/{userId}/{keyName}` (CS API § Profiles).
pub(crate) async fn get_field(
    State(accounts): State<Accounts>,
    asker: Asker,
    Ruma(request): Ruma<get_profile_field::v3::Request>,
) -> Result<Json<Value>, MatrixError> {
    let mut profile = find(&accounts, asker, &request.user_id).await?;
    let field = request.field.to_string();
    let value = profile.fields.remove(&field);
    let value = value.ok_or_else(|| MatrixError::not_found("The profile has no such field."))?;
    Ok(Json(json!({ field: value })))
}

/// `PUT /_matrix/client/v3/profile/{userId}/{keyName}` (CS API § Profiles). ruma's type is not used: it refuses the
/// `null` and the empty text by which older clients remove a name or a picture.
pub(crate) async fn set_field(
    State(accounts): State<Accounts>,
    session: Session,
    InPath((user_id, field)): InPath<(String, String)>,
    Body(mut body): Body<Map<String, Value>>,
) -> Result<Json<Value>, MatrixError> {
    let user_id =
        OwnedUserId::try_from(user_id).map_err(|_| MatrixError::invalid_param("This is no user ID."))?;
    let number = own(&session, &user_id)?;
    judge_field_name(&field)?;
    let value = body.remove(&field);
    let is_text = field == DISPLAY_NAME || field == AVATAR_URL;
    let value = match value {
        Some(Value::Null) | None if is_text => None,
        Some(Value::String(text)) if is_text && text.is_empty() => None,
        None => return Err(MatrixError::missing_param(format!("The body has no {field:?}."))),
        Some(value) => {
            if !value.is_string() && (is_text || field == "m.tz") {
                return Err(MatrixError::invalid_param(format!(
                    "The value of {field:?} is no text."
                )));
            }
            Some(value)
        }
    };
    change(&accounts, &session, number, &field, value).await
}

/// `DELETE /_matrix/client/v3/profile/{userId}/{keyName}` (CS API § Profiles).
pub(crate) async fn delete_field(
    State(accounts): State<Accounts>,
    session: Session,
    Ruma(request): Ruma<delete_profile_field::v3::Request>,
) -> Result<Json<Value>, MatrixError> {
    let number = own(&session, &request.user_id)?;
    let field = request.field.to_string();
    judge_field_name(&field)?;
    change(&accounts, &session, number, &field, None).await
}

async fn change(
    accounts: &Accounts,
    session: &Session,
    number: echorift_storage::UserNumber,
    field: &str,
    value: Option<Value>,
) -> Result<Json<Value>, MatrixError> {
    if accounts.is_suspended(number) {
        return Err(AccountError::Suspended.into());
    }
    let reserved = accounts.reserved_fields(number).await?;
    if reserved.is_some_and(|reserved| reserved.contains(field)) {
        return Err(AccountError::DirectoryField.into());
    }
    accounts
        .set_profile_field(&session.user_id, number, field, value)
        .await?;
    Ok(Json(json!({})))
}

async fn find(accounts: &Accounts, asker: Asker, user: &UserId) -> Result<Profile, MatrixError> {
    let (MaybeSession(session), address) = asker;
    if session.is_none() && !accounts.is_local(user) {
        // Nobody makes this server ask others without end.
        accounts.0.limits.check(LimitKind::Oauth, &address.key())?;
    }
    let profile = accounts.profile_anywhere(user).await?;
    profile.ok_or_else(|| MatrixError::not_found("There is no profile of this user."))
}
