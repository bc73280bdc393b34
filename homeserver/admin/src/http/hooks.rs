//! The webhooks of all rooms. They are made in their rooms, by those who manage these.

use std::sync::Arc;

use axum::{Json, extract::State};
use echorift_rooms::RoomError;
use echorift_web::{InPath, MatrixError};
use echorift_webhooks::{Hook, HookState};
use ruma::OwnedRoomId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::ReasonBody;
use crate::{
    Admin,
    administrator::{Administrator, Deed},
    extract::{InQuery, Told},
    paging::{Page, limit_of, place_of},
};

pub(super) fn routes() -> OpenApiRouter<Admin> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(set_enabled))
        .routes(routes!(delete))
}

/// A webhook. What opens it is shown to nobody.
#[derive(Serialize, ToSchema)]
struct ListedHook {
    id: String,
    room_id: String,
    room_name: Option<String>,
    /// `incoming` or `outgoing`.
    direction: String,
    name: String,
    /// The account that is a member of the room for it.
    user_id: String,
    created_by: String,
    /// Milliseconds since the epoch.
    created_ts: i64,
    /// `working`, `failing` or `off`.
    state: String,
    state_since_ts: Option<i64>,
    /// Why it fails or is off.
    state_reason: Option<String>,
}

/// Which webhooks.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct HooksQuery {
    /// Only those of this room.
    #[param(value_type = Option<String>)]
    room_id: Option<OwnedRoomId>,
    /// How many items at most: 50 if left out, never more than 500.
    limit: Option<u32>,
    /// The `next` of the page before.
    from: Option<String>,
}

/// The webhooks of this server, by age.
#[utoipa::path(get, path = "/hooks", tag = "rooms", params(HooksQuery),
    responses((status = 200, body = Page<ListedHook>)))]
async fn list(
    State(admin): State<Admin>,
    _: Administrator,
    InQuery(query): InQuery<HooksQuery>,
) -> Result<Json<Page<ListedHook>>, MatrixError> {
    let limit = limit_of(query.limit);
    let after = place_of(query.from.as_deref())?;
    let mut hooks = admin.webhooks().hooks();
    if let Some(room_id) = &query.room_id {
        let numbers = admin.rooms().room_numbers(std::slice::from_ref(room_id)).await;
        let numbers = numbers.map_err(RoomError::from)?;
        hooks.retain(|hook| numbers.contains(&hook.room));
    }
    if let Some(after) = after {
        let place = hooks.iter().position(|hook| hook.id == after);
        hooks.drain(..place.map_or(hooks.len(), |place| place + 1));
    }
    hooks.truncate(usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1));
    let page = Page::cut(hooks, limit, |hook| hook.id.clone());
    Ok(Json(Page {
        items: shown(&admin, &page.items).await?,
        next: page.next,
        total: None,
    }))
}

/// Whether a webhook is to work.
#[derive(Debug, Deserialize, ToSchema)]
struct Enabling {
    enabled: bool,
    /// Kept in the audit log.
    reason: Option<String>,
}

/// Turns a webhook off or on. One that is turned on hears what is said from then on.
#[utoipa::path(put, path = "/hooks/{hook_id}", tag = "rooms", params(("hook_id" = String, Path)),
    request_body = Enabling, responses((status = 200, body = ListedHook)))]
async fn set_enabled(
    State(admin): State<Admin>,
    administrator: Administrator,
    InPath(id): InPath<String>,
    Told(body): Told<Enabling>,
) -> Result<Json<ListedHook>, MatrixError> {
    admin.webhooks().hook(&id)?;
    let action = if body.enabled {
        "hook.enable"
    } else {
        "hook.disable"
    };
    let deed = Deed::new(action, &id, body.reason);
    let remember = administrator.audit(&admin, deed).await?;
    let hook = admin.webhooks().set_enabled(&id, body.enabled, remember).await?;
    let shown = shown(&admin, &[hook]).await?.pop();
    shown
        .map(Json)
        .ok_or_else(|| MatrixError::not_found("There is no such webhook."))
}

/// Deletes a webhook; its account leaves the room and ends.
#[utoipa::path(delete, path = "/hooks/{hook_id}", tag = "rooms", params(("hook_id" = String, Path)),
    request_body = Option<ReasonBody>, responses((status = 200)))]
async fn delete(
    State(admin): State<Admin>,
    administrator: Administrator,
    InPath(id): InPath<String>,
    Told(body): Told<ReasonBody>,
) -> Result<Json<Value>, MatrixError> {
    let hook = admin.webhooks().hook(&id)?;
    let deed = Deed::new("hook.delete", &id, body.reason)
        .with("name", hook.name.as_str())
        .with("user_id", hook.user_id.as_str());
    let remember = administrator.audit(&admin, deed).await?;
    admin.webhooks().delete(&id, remember).await?;
    Ok(Json(json!({})))
}

/// These hooks with the names of their rooms. A handful of queries, however many hooks.
async fn shown(admin: &Admin, hooks: &[Arc<Hook>]) -> Result<Vec<ListedHook>, MatrixError> {
    let names = admin.room_names(hooks.iter().map(|hook| hook.room)).await?;
    let shown = hooks.iter().map(|hook| {
        let (room_id, room_name) = names.get(&hook.room).cloned().unwrap_or_default();
        let (state, since, reason) = match hook.state() {
            HookState::Working => ("working", None, None),
            HookState::Failing { since, failure } => ("failing", Some(since), Some(failure)),
            HookState::Off { since, why } => ("off", Some(since), Some(why)),
        };
        ListedHook {
            id: hook.id.clone(),
            room_id,
            room_name,
            direction: hook.direction().to_owned(),
            name: hook.name.clone(),
            user_id: hook.user_id.to_string(),
            created_by: hook.created_by.clone(),
            created_ts: hook.created.0,
            state: state.to_owned(),
            state_since_ts: since.map(|since| since.0),
            state_reason: reason,
        }
    });
    Ok(shown.collect())
}
