use std::sync::Arc;

use axum::{Json, extract::State};
use echorift_accounts::Act;
use echorift_rooms::Room;
use echorift_storage::Change;
use echorift_web::{Body, InPath, MatrixError, Session};
use ruma::{OwnedMxcUri, OwnedRoomId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::shown::{RevealedHook, ShownHook};
use crate::{
    Hook, HookError, Webhooks,
    hook::{Incoming, Outgoing},
    manage::{HookChange, NewHook, NewKind},
    outgoing::Delivered,
};

#[derive(Debug, Serialize)]
pub(super) struct ListedHooks {
    hooks: Vec<ShownHook>,
}

/// What a hook is made of.
#[derive(Debug, Deserialize)]
pub(super) struct MakeHook {
    direction: Direction,
    name: String,
    avatar_url: Option<OwnedMxcUri>,
    /// Of incoming hooks: whether each request has to be signed.
    #[serde(default)]
    signed: bool,
    #[serde(default)]
    allow_name_override: bool,
    /// Of outgoing hooks: where to.
    url: Option<String>,
    event_types: Option<Vec<String>>,
    #[serde(default)]
    keywords: Vec<String>,
    #[serde(default)]
    allow_replies: bool,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Direction {
    Incoming,
    Outgoing,
}

/// What of a hook is to change.
#[derive(Debug, Deserialize)]
pub(super) struct ChangeHook {
    name: Option<String>,
    avatar_url: Option<OwnedMxcUri>,
    enabled: Option<bool>,
    allow_name_override: Option<bool>,
    url: Option<String>,
    event_types: Option<Vec<String>>,
    keywords: Option<Vec<String>>,
    allow_replies: Option<bool>,
}

/// `GET /_echorift/v1/rooms/{roomId}/hooks`.
pub(super) async fn list(
    State(webhooks): State<Webhooks>,
    session: Session,
    InPath(room_id): InPath<OwnedRoomId>,
) -> Result<Json<ListedHooks>, MatrixError> {
    let room = webhooks.managed_room(&session, &room_id).await?;
    let hooks = webhooks.hooks_of(&room).into_iter();
    let hooks = hooks.map(|hook| ShownHook::new(&hook, room_id.clone())).collect();
    Ok(Json(ListedHooks { hooks }))
}

/// `POST /_echorift/v1/rooms/{roomId}/hooks`.
pub(super) async fn make(
    State(webhooks): State<Webhooks>,
    session: Session,
    InPath(room_id): InPath<OwnedRoomId>,
    Body(body): Body<MakeHook>,
) -> Result<Json<RevealedHook>, MatrixError> {
    let room = webhooks.managed_room(&session, &room_id).await?;
    let kind = match body.direction {
        Direction::Incoming => NewKind::Incoming {
            settings: Incoming {
                allow_name_override: body.allow_name_override,
            },
            is_signed: body.signed,
        },
        Direction::Outgoing => NewKind::Outgoing(Outgoing {
            url: body
                .url
                .ok_or_else(|| MatrixError::missing_param("`url` is missing."))?,
            event_types: body
                .event_types
                .unwrap_or_else(|| vec!["m.room.message".to_owned()]),
            keywords: body.keywords,
            allow_replies: body.allow_replies,
        }),
    };
    let new = NewHook {
        name: body.name,
        avatar_url: body.avatar_url,
        kind,
    };
    let remember = webhooks.audit(&session, "hook.create", room_id.as_str()).await?;
    let made = webhooks.make(&room, &session.user_id, new, remember).await?;
    Ok(Json(RevealedHook::new(&webhooks, &made, room_id)))
}

/// `GET /_echorift/v1/rooms/{roomId}/hooks/{hookId}`.
pub(super) async fn get(
    State(webhooks): State<Webhooks>,
    session: Session,
    InPath((room_id, id)): InPath<(OwnedRoomId, String)>,
) -> Result<Json<ShownHook>, MatrixError> {
    let (_, hook) = webhooks.managed_hook(&session, &room_id, &id).await?;
    Ok(Json(ShownHook::new(&hook, room_id)))
}

/// `PUT /_echorift/v1/rooms/{roomId}/hooks/{hookId}`: what is left out stays.
pub(super) async fn change(
    State(webhooks): State<Webhooks>,
    session: Session,
    InPath((room_id, id)): InPath<(OwnedRoomId, String)>,
    Body(body): Body<ChangeHook>,
) -> Result<Json<ShownHook>, MatrixError> {
    webhooks.managed_hook(&session, &room_id, &id).await?;
    let wanted = HookChange {
        name: body.name,
        avatar_url: body.avatar_url,
        is_enabled: body.enabled,
        allow_name_override: body.allow_name_override,
        url: body.url,
        event_types: body.event_types,
        keywords: body.keywords,
        allow_replies: body.allow_replies,
    };
    let remember = webhooks.audit(&session, "hook.change", &id).await?;
    let hook = webhooks.change(&id, wanted, remember).await?;
    Ok(Json(ShownHook::new(&hook, room_id)))
}

/// `DELETE /_echorift/v1/rooms/{roomId}/hooks/{hookId}`.
pub(super) async fn delete(
    State(webhooks): State<Webhooks>,
    session: Session,
    InPath((room_id, id)): InPath<(OwnedRoomId, String)>,
) -> Result<Json<Value>, MatrixError> {
    webhooks.managed_hook(&session, &room_id, &id).await?;
    let remember = webhooks.audit(&session, "hook.delete", &id).await?;
    webhooks.delete(&id, remember).await?;
    Ok(Json(json!({})))
}

/// `POST /_echorift/v1/rooms/{roomId}/hooks/{hookId}/rotate`: a new secret, and the end of the one before.
pub(super) async fn rotate(
    State(webhooks): State<Webhooks>,
    session: Session,
    InPath((room_id, id)): InPath<(OwnedRoomId, String)>,
) -> Result<Json<RevealedHook>, MatrixError> {
    webhooks.managed_hook(&session, &room_id, &id).await?;
    let remember = webhooks.audit(&session, "hook.rotate", &id).await?;
    let rotated = webhooks.rotate(&id, remember).await?;
    Ok(Json(RevealedHook::new(&webhooks, &rotated, room_id)))
}

/// What became of a test.
#[derive(Debug, Serialize)]
pub(super) struct Tested {
    delivered: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
}

/// `POST /_echorift/v1/rooms/{roomId}/hooks/{hookId}/test`.
pub(super) async fn test(
    State(webhooks): State<Webhooks>,
    session: Session,
    InPath((room_id, id)): InPath<(OwnedRoomId, String)>,
) -> Result<Json<Tested>, MatrixError> {
    let (_, hook) = webhooks.managed_hook(&session, &room_id, &id).await?;
    let failure = match webhooks.test(&hook).await? {
        Delivered::Taken => None,
        Delivered::Gone => Some("The target answered 410.".to_owned()),
        Delivered::Failed(failure) => Some(failure),
    };
    Ok(Json(Tested {
        delivered: failure.is_none(),
        failure,
    }))
}

impl Webhooks {
    async fn managed_hook(
        &self,
        session: &Session,
        room_id: &OwnedRoomId,
        id: &str,
    ) -> Result<(Arc<Room>, Arc<Hook>), HookError> {
        let room = self.managed_room(session, room_id).await?;
        let hook = self.hook(id)?;
        if hook.room != room.number {
            return Err(HookError::Unknown);
        }
        Ok((room, hook))
    }

    /// What remembers an administrator's act; of other people the room tells.
    async fn audit(
        &self,
        session: &Session,
        action: &'static str,
        target: &str,
    ) -> Result<Change, HookError> {
        if !session.is_admin {
            return Ok(Change::new());
        }
        let act = Act {
            administrator: session.user_id.clone(),
            action,
            target: target.to_owned(),
            reason: None,
            details: Map::new(),
        };
        Ok(self.0.accounts.audit(act).await?)
    }
}
