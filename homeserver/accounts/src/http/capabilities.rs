use axum::{Json, extract::State};
use echorift_storage::UserNumber;
use echorift_web::{MatrixError, Session};
use serde_json::{Map, Value, json};

use crate::{
    Accounts,
    profile::{AVATAR_URL, DISPLAY_NAME},
};

/// The versions whose rooms can be made and joined (CS API § `m.room_versions`).
const ROOM_VERSIONS: [&str; 12] = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"];

/// `GET /_matrix/client/v3/capabilities` (CS API § Capabilities negotiation).
pub(crate) async fn capabilities(
    State(accounts): State<Accounts>,
    session: Session,
) -> Result<Json<Value>, MatrixError> {
    let account = accounts.load_account(UserNumber(session.user_number)).await?;
    let reserved = accounts.reserved_fields(account.number).await?;
    let is_reserved = |field: &str| reserved.as_ref().is_some_and(|reserved| reserved.contains(field));
    let profile_fields = match &reserved {
        Some(reserved) => json!({ "enabled": true, "disallowed": **reserved }),
        None => json!({ "enabled": true }),
    };
    let versions = ROOM_VERSIONS.map(|version| (version.to_owned(), Value::from("stable")));
    let versions = Map::from_iter(versions);
    let mut capabilities = json!({
        "m.room_versions": { "default": accounts.0.options.default_room_version, "available": versions },
        // The directory keeps its people's passwords, and may let them be changed here.
        "m.change_password": { "enabled": accounts.may_change_password(&account) },
        "m.set_displayname": { "enabled": !is_reserved(DISPLAY_NAME) },
        "m.set_avatar_url": { "enabled": !is_reserved(AVATAR_URL) },
        "m.profile_fields": profile_fields,
        "m.3pid_changes": { "enabled": accounts.mailer().is_some() && account.provider.is_none() },
        "m.get_login_token": { "enabled": true },
        "m.forget_forced_upon_leave": { "enabled": false },
        "io.element.msc4452.preview_url": { "enabled": accounts.0.options.url_previews },
    });
    if let Value::Object(capabilities) = &mut capabilities {
        let others = accounts.0.capabilities.iter();
        capabilities.extend(others.map(|other| (other.key().clone(), other.value().clone())));
        let moderation = (
            "m.account_moderation".to_owned(),
            json!({ "lock": true, "suspend": true }),
        );
        capabilities.extend(Some(moderation).filter(|_| session.is_admin));
    }
    Ok(Json(json!({ "capabilities": capabilities })))
}
