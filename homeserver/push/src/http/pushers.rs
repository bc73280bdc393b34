use std::sync::atomic::Ordering;

use axum::{Json, Router, extract::State, routing};
use echorift_storage::UserNumber;
use echorift_web::{Body, MatrixError, Session};
use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::{
    Push,
    error::PushError,
    pusher::{Channel, Pusher, PusherKey},
    pushers::PusherRequest,
};

/// The names that MSC3881 has while it is a proposal.
const ENABLED: &str = "org.matrix.msc3881.enabled";
const DEVICE_ID: &str = "org.matrix.msc3881.device_id";

pub(super) fn router() -> Router<Push> {
    let acks =
        ["v3", "unstable/org.matrix.msc4174"].map(|version| format!("/_matrix/client/{version}/pushers/ack"));
    let router = acks.iter().fold(Router::new(), |router, path| {
        router.route(path, routing::post(ack))
    });
    // ruma's types would lose what a client has added to `data`, and do not tell what is missing.
    ["r0", "v3"].iter().fold(router, |router, version| {
        router
            .route(&format!("/_matrix/client/{version}/pushers"), routing::get(list))
            .route(
                &format!("/_matrix/client/{version}/pushers/set"),
                routing::post(set),
            )
    })
}

/// `GET /_matrix/client/v3/pushers`.
async fn list(State(push): State<Push>, session: Session) -> Result<Json<Value>, MatrixError> {
    let pushers = push.0.pushers.list(UserNumber(session.user_number)).await;
    let pushers = pushers.map_err(PushError::Storage)?;
    Ok(Json(
        json!({ "pushers": pushers.iter().map(write).collect::<Vec<_>>() }),
    ))
}

fn write(pusher: &Pusher) -> Value {
    let mut written = json!({
        "app_id": &*pusher.key.app_id,
        "pushkey": &*pusher.key.pushkey,
        "kind": pusher.channel.kind(),
        "app_display_name": pusher.app_display_name,
        "device_display_name": pusher.device_display_name,
        "lang": pusher.lang,
        "data": pusher.data,
        ENABLED: pusher.is_enabled,
        DEVICE_ID: pusher.device_id,
    });
    if let Some(written) = written.as_object_mut() {
        if let Some(tag) = &pusher.profile_tag {
            written.insert("profile_tag".to_owned(), tag.as_str().into());
        }
        if matches!(pusher.channel, Channel::WebPush(_)) {
            written.insert(
                "activated".to_owned(),
                pusher.is_activated.load(Ordering::Acquire).into(),
            );
        }
    }
    written
}

/// `POST /_matrix/client/v3/pushers/set`. 201 for a pusher that needs to be activated (MSC4174).
async fn set(
    State(push): State<Push>,
    session: Session,
    Body(body): Body<Map<String, Value>>,
) -> Result<(StatusCode, Json<Value>), MatrixError> {
    let user = UserNumber(session.user_number);
    require(&body, &["app_id", "pushkey"])?;
    if !body.contains_key("kind") {
        return Err(MatrixError::missing_param("Missing parameters: kind."));
    }
    let (app_id, pushkey) = (text(&body, "app_id")?, text(&body, "pushkey")?);
    if body.get("kind").is_some_and(Value::is_null) {
        let key = PusherKey {
            user,
            app_id: app_id.into(),
            pushkey: pushkey.into(),
        };
        push.0.pushers.remove(key).await.map_err(PushError::Storage)?;
        return Ok((StatusCode::OK, Json(json!({}))));
    }
    require(
        &body,
        &["app_display_name", "device_display_name", "lang", "data"],
    )?;
    let data = match body.get("data") {
        Some(Value::Object(data)) => data.clone(),
        _ => return Err(MatrixError::bad_json("`data` is to be an object.")),
    };
    let profile_tag = match body.get("profile_tag") {
        None | Some(Value::Null) => None,
        Some(_) => Some(text(&body, "profile_tag")?),
    };
    let request = PusherRequest {
        kind: text(&body, "kind")?,
        app_id,
        pushkey,
        app_display_name: text(&body, "app_display_name")?,
        device_display_name: text(&body, "device_display_name")?,
        profile_tag,
        lang: text(&body, "lang")?,
        data,
        is_enabled: flag(&body, ENABLED)?,
        append: flag(&body, "append")?.unwrap_or(false),
    };
    let device = session.device_id.as_str();
    let status = match push.0.pushers.set((user, device), request).await? {
        None => StatusCode::OK,
        Some((pusher, token)) => {
            push.ask_to_activate(pusher, token);
            StatusCode::CREATED
        }
    };
    Ok((status, Json(json!({}))))
}

/// `POST /_matrix/client/v3/pushers/ack` (MSC4174 § New endpoint for pusher validation).
async fn ack(
    State(push): State<Push>,
    session: Session,
    Body(body): Body<Map<String, Value>>,
) -> Result<Json<Value>, MatrixError> {
    require(&body, &["app_id", "ack_token"])?;
    let (app_id, token) = (text(&body, "app_id")?, text(&body, "ack_token")?);
    push.activate(UserNumber(session.user_number), app_id, &token)
        .await?;
    Ok(Json(json!({})))
}

fn require(body: &Map<String, Value>, names: &[&str]) -> Result<(), MatrixError> {
    let is_missing = |name: &&&str| body.get(**name).is_none_or(Value::is_null);
    let missing: Vec<&str> = names.iter().filter(is_missing).copied().collect();
    if missing.is_empty() {
        Ok(())
    } else {
        let names = missing.join(", ");
        Err(MatrixError::missing_param(format!(
            "Missing parameters: {names}."
        )))
    }
}

fn text(body: &Map<String, Value>, name: &str) -> Result<String, MatrixError> {
    let text = body.get(name).and_then(Value::as_str);
    let text = text.ok_or_else(|| MatrixError::bad_json(format!("`{name}` is to be a text.")))?;
    if text.contains('\0') {
        return Err(MatrixError::invalid_param(format!("`{name}` holds a NUL.")));
    }
    Ok(text.to_owned())
}

fn flag(body: &Map<String, Value>, name: &str) -> Result<Option<bool>, MatrixError> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(_) => Err(MatrixError::bad_json(format!("`{name}` is to be true or false."))),
    }
}
