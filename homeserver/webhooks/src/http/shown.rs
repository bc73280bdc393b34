use ruma::{OwnedMxcUri, OwnedRoomId, OwnedUserId};
use serde::Serialize;

use crate::{
    Hook, HookState, Webhooks,
    hook::{Kind, Lock},
    manage::Revealed,
};

/// A hook as those see it who manage it. Times are milliseconds since the epoch.
#[derive(Debug, Serialize)]
pub(super) struct ShownHook {
    id: String,
    room_id: OwnedRoomId,
    /// `incoming` or `outgoing`.
    direction: &'static str,
    name: String,
    avatar_url: Option<OwnedMxcUri>,
    /// As whom it is a member of the room.
    user_id: OwnedUserId,
    created_by: String,
    created_at: i64,
    enabled: bool,
    /// `working`, `failing` or `off`.
    state: &'static str,
    /// Since when, and why, unless it works.
    #[serde(skip_serializing_if = "Option::is_none")]
    state_since: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_reason: Option<String>,
    #[serde(flatten)]
    settings: ShownSettings,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum ShownSettings {
    Incoming {
        signed: bool,
        allow_name_override: bool,
    },
    Outgoing {
        url: String,
        event_types: Vec<String>,
        keywords: Vec<String>,
        allow_replies: bool,
    },
}

/// A hook with what is shown once.
#[derive(Debug, Serialize)]
pub(super) struct RevealedHook {
    #[serde(flatten)]
    hook: ShownHook,
    /// Where programs post to an incoming hook.
    #[serde(skip_serializing_if = "Option::is_none")]
    post_url: Option<String>,
    /// The key of signatures, for those that have any.
    #[serde(skip_serializing_if = "Option::is_none")]
    signing_key: Option<String>,
}

impl ShownHook {
    pub(super) fn new(hook: &Hook, room_id: OwnedRoomId) -> Self {
        let (state, state_since, state_reason) = match hook.state() {
            HookState::Working => ("working", None, None),
            HookState::Failing { since, failure } => ("failing", Some(since.0), Some(failure)),
            HookState::Off { since, why } => ("off", Some(since.0), Some(why)),
        };
        let settings = match &hook.kind {
            Kind::Incoming(settings, lock) => ShownSettings::Incoming {
                signed: matches!(lock, Lock::Signature(_)),
                allow_name_override: settings.allow_name_override,
            },
            Kind::Outgoing(settings, _) => ShownSettings::Outgoing {
                url: settings.url.clone(),
                event_types: settings.event_types.clone(),
                keywords: settings.keywords.clone(),
                allow_replies: settings.allow_replies,
            },
        };
        Self {
            id: hook.id.clone(),
            room_id,
            direction: hook.direction(),
            name: hook.name.clone(),
            avatar_url: hook.avatar_url.clone(),
            user_id: hook.user_id.clone(),
            created_by: hook.created_by.clone(),
            created_at: hook.created.0,
            enabled: hook.disabled.is_none(),
            state,
            state_since,
            state_reason,
            settings,
        }
    }
}

impl RevealedHook {
    pub(super) fn new(webhooks: &Webhooks, revealed: &Revealed, room_id: OwnedRoomId) -> Self {
        let (hook, secret) = (&revealed.hook, &revealed.secret);
        let base = webhooks.0.options.public_base_url.trim_end_matches('/');
        let address = format!("{base}/_echorift/hooks/v1/{}", hook.id);
        let (post_url, signing_key) = match &hook.kind {
            Kind::Incoming(_, Lock::Secret(_)) => (Some(format!("{address}/{secret}")), None),
            Kind::Incoming(_, Lock::Signature(_)) => (Some(address), Some(secret.clone())),
            Kind::Outgoing(..) => (None, Some(secret.clone())),
        };
        Self {
            hook: ShownHook::new(hook, room_id),
            post_url,
            signing_key,
        }
    }
}
