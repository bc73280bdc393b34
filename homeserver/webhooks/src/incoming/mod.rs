//! From a program into the room.

mod used;

use std::{sync::Arc, time::Duration};

use echorift_rooms::{EventDraft, Room, RoomError};
use echorift_storage::{Change, StorageError, Timestamp};
use echorift_web::LimitKind;
use http::HeaderMap;
use ruma::events::TimelineEventType;
use serde_json::{Map, Value};
use subtle::ConstantTimeEq as _;

pub(crate) use self::used::UsedSignatures;
use crate::{
    Hook, HookError, Webhooks,
    hook::{Kind, Lock},
    message::{Composed, compose},
    secret, signature, store,
};

/// When to come again if too much is under way.
const BUSY_PAUSE: Duration = Duration::from_secs(1);

/// What was posted.
pub(crate) struct Post<'a> {
    pub(crate) hook: &'a str,
    /// As it stands in the address.
    pub(crate) secret: Option<&'a str>,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

impl Webhooks {
    /// Writes what a program has posted into the hook's room, and returns after the commit.
    ///
    /// Errors: `Unknown`, `Unsigned`, `Replayed`, `Disabled`, `Limited`, `Busy`, `Message`, `Invalid`, `Encrypted`, `Room` where the room
    /// does not let the hook write.
    pub(crate) async fn take(&self, post: Post<'_>) -> Result<(), HookError> {
        let taken = self.take_uncounted(post).await;
        let outcome = match &taken {
            Ok(()) => "taken",
            Err(HookError::Unknown | HookError::Unsigned(_)) => "forged",
            Err(HookError::Replayed) => "replayed",
            Err(HookError::Limited(_) | HookError::Busy { .. }) => "limited",
            Err(_) => "refused",
        };
        metrics::counter!("echorift_webhooks_posts_total", "outcome" => outcome).increment(1);
        taken
    }

    async fn take_uncounted(&self, post: Post<'_>) -> Result<(), HookError> {
        let hook = self.0.registry.find(post.hook).ok_or(HookError::Unknown)?;
        let Kind::Incoming(settings, lock) = &hook.kind else {
            return Err(HookError::Unknown);
        };
        let now = self.0.rooms.clock().now();
        let signed = judge(lock, &post, now)?;
        if let Some(disabled) = &hook.disabled {
            return Err(HookError::Disabled(disabled.why.clone()));
        }
        // First who it is, then how often they come: forged requests are not to shut out the right ones.
        let limited = self.0.limits.check(LimitKind::Webhooks, &hook.id);
        limited.map_err(HookError::Limited)?;
        let busy = |_| HookError::Busy {
            retry_after: BUSY_PAUSE,
        };
        let _place = self.0.posts.try_acquire().map_err(busy)?;
        let composed = read_payload(post.headers, post.body)?;
        let used = match signed {
            Some(expires) => Some(self.use_signature(&hook, &post, expires).await?),
            None => None,
        };
        let profile = composed.wanted.as_ref().filter(|_| settings.allow_name_override);
        self.write(&hook, composed.content(profile)).await?;
        if let Some(used) = used {
            used.done().await?;
        }
        Ok(())
    }

    /// Has the hook's account write a message with this content.
    ///
    /// Errors: `Encrypted`, `Unknown` if the room is gone, `Room`.
    pub(crate) async fn write(&self, hook: &Hook, content: Map<String, Value>) -> Result<(), HookError> {
        let room = self.room_of(hook).await?;
        if room.view().state.get("m.room.encryption", "").is_some() {
            return Err(HookError::Encrypted);
        }
        let content = serde_json::value::to_raw_value(&content)
            .map_err(|error| StorageError::corrupt("webhook message", error))?;
        let draft = EventDraft::message(&hook.user_id, TimelineEventType::RoomMessage, content);
        match self.0.rooms.append(&room, draft).await {
            Ok(_) => Ok(()),
            // The rules' own words are about users.
            Err(RoomError::Refused(_)) => Err(HookError::Room(RoomError::Forbidden(format!(
                "The room does not let {} write: it was removed, or needs more power.",
                hook.user_id
            )))),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) async fn room_of(&self, hook: &Hook) -> Result<Arc<Room>, HookError> {
        let room = self.0.rooms.load(&[hook.room]).await?.pop();
        room.ok_or(HookError::Unknown)
    }

    /// Sees to it that the signature is good no second time, after a restart either. What is returned resolves when that is on
    /// the disk. Errors: `Replayed`, `Busy`.
    async fn use_signature(
        &self,
        hook: &Hook,
        post: &Post<'_>,
        expires: Timestamp,
    ) -> Result<echorift_storage::Commit, HookError> {
        let header = |name: &str| post.headers.get(name).map(http::HeaderValue::as_bytes);
        let signature = header(signature::SIGNATURE).unwrap_or_default();
        let hash = secret::hash(&format!(
            "{} {}",
            hook.id,
            String::from_utf8_lossy(signature).to_ascii_lowercase()
        ));
        self.0.used.insert(&hash, expires)?;
        let mut change = Change::new();
        store::signatures::insert(&mut change, &hash, expires);
        // The message is behind it in the same queue.
        Ok(self.database().writer().submit(change).await)
    }

    pub(crate) async fn forget_signatures(&self) -> Result<(), StorageError> {
        let now = self.0.rooms.clock().now();
        if !self.0.used.forget_before(now) {
            return Ok(());
        }
        let purged = self
            .database()
            .writer()
            .transact(move |tx| Box::pin(async move { store::signatures::purge(tx, now).await }));
        purged.await
    }
}

/// Whether the post is by who may; for signed ones, until when the signature would be good.
fn judge(lock: &Lock, post: &Post<'_>, now: Timestamp) -> Result<Option<Timestamp>, HookError> {
    match (lock, post.secret) {
        (Lock::Secret(hash), Some(given)) => {
            let is_right = secret::hash(given).as_bytes().ct_eq(hash.as_bytes());
            match bool::from(is_right) {
                true => Ok(None),
                false => Err(HookError::Unknown),
            }
        }
        (Lock::Signature(key), None) => signature::check(&key.0, post.headers, post.body, now).map(Some),
        (Lock::Secret(_), None) | (Lock::Signature(_), Some(_)) => Err(HookError::Unknown),
    }
}

/// Reads a payload in whichever of the usual shapes it comes: JSON, a form with `payload`, or plain text.
pub(crate) fn read_payload(headers: &HeaderMap, body: &[u8]) -> Result<Composed, HookError> {
    let content_type = headers
        .get(http::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let text = std::str::from_utf8(body)
        .map_err(|_| HookError::Invalid("The body is not text in UTF-8.".to_owned()))?;
    if essence.eq_ignore_ascii_case("text/plain") {
        return Ok(Composed::plain(text)?);
    }
    let form;
    let json = if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        let mut fields = url::form_urlencoded::parse(body);
        let payload = fields.find(|(name, _)| name == "payload");
        form = payload.ok_or_else(|| HookError::Invalid("The form has no field `payload`.".to_owned()))?;
        &*form.1
    } else {
        text
    };
    let payload: Value = serde_json::from_str(json)
        .map_err(|error| HookError::Invalid(format!("The payload is not JSON: {error}.")))?;
    Ok(compose(&payload)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn read(content_type: &str, body: &str) -> Result<Value, HookError> {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::CONTENT_TYPE, content_type.parse().unwrap());
        let composed = read_payload(&headers, body.as_bytes())?;
        Ok(composed.content(None).remove("body").unwrap())
    }

    #[test]
    fn every_usual_shape_is_read() {
        let json = r#"{"text":"a & b"}"#;
        assert_eq!(read("application/json", json).unwrap(), "a & b");
        assert_eq!(read("application/json; charset=utf-8", json).unwrap(), "a & b");
        assert_eq!(
            read("text/plain;charset=utf-8", "*as it is*").unwrap(),
            "*as it is*"
        );
        let form = "payload=%7B%22text%22%3A%22a+%26+b%22%7D";
        assert_eq!(read("application/x-www-form-urlencoded", form).unwrap(), "a & b");
        for (content_type, body) in [
            ("application/json", "text"),
            ("application/json", ""),
            ("application/x-www-form-urlencoded", "text=x"),
        ] {
            assert!(
                matches!(read(content_type, body), Err(HookError::Invalid(_))),
                "{body}"
            );
        }
    }
}
