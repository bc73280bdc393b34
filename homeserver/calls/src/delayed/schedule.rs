use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use echorift_events::canonical_json;
use echorift_rooms::{DelayId, Postponed, Scheduler};
use echorift_storage::{Change, UserNumber};
use echorift_web::{BoxFuture, MatrixError, Scope, Session};
use ruma::events::TimelineEventType;
use serde_json::value::RawValue;

use super::{DelayedError, DelayedEvent, DelayedEvents, Fate, milliseconds, store};

/// The random bytes of an ID. Who has it may manage the event, so it is as good as a token.
const ID_BYTES: usize = 24;
/// No event is larger (CS API § Size limits).
const CONTENT_BYTES_MAX: usize = 65_536;
/// Neither are its type and its state key (CS API § Size limits).
const NAME_BYTES_MAX: usize = 255;

impl Scheduler for DelayedEvents {
    fn schedule<'a>(
        &'a self,
        session: &'a Session,
        event: Postponed,
    ) -> BoxFuture<'a, Result<DelayId, MatrixError>> {
        Box::pin(async move { Ok(self.schedule(session, event).await?) })
    }
}

impl DelayedEvents {
    /// Keeps an event until it is to be sent, and returns after the commit. Once for each transaction of a session.
    ///
    /// Whether its sender may send it is judged when it is sent (MSC4140 § Power levels are evaluated at the point of
    /// sending). Errors: `Off`, `TooLong`, `OutOfScope`, `TooMany`, `TooLarge`, `BadRequest`, `Suspended`, `Event`.
    pub async fn schedule(&self, session: &Session, event: Postponed) -> Result<DelayId, DelayedError> {
        let inner = &self.0;
        let user = UserNumber(session.user_number);
        let delay_ms = self.judge_delay(event.delay_ms)?;
        // Of which class the request is the path alone does not tell.
        let is_managing = event.state_key.is_some() || event.event_type == TimelineEventType::RoomRedaction;
        if is_managing && !session.has_scope(Scope::Manage) {
            return Err(DelayedError::OutOfScope);
        }
        if inner.accounts.is_suspended(user) {
            return Err(DelayedError::Suspended(session.user_id.clone()));
        }
        let request = store::Request {
            session_number: session.session_number,
            transaction_id: event.transaction_id.clone(),
        };
        let now = self.now();
        let waiting = DelayedEvent {
            id: new_id(),
            content: judge_content(&event)?,
            room_id: event.room_id,
            user_id: session.user_id.clone(),
            user,
            device_id: session.device_id.clone(),
            event_type: event.event_type.to_string(),
            state_key: event.state_key,
            sticky_duration_ms: event.sticky_duration_ms,
            delay_ms,
            scheduled_at: now,
            due_at: now.plus_ms(delay_ms),
            position: self.database().log().visible(),
            fate: Fate::Waiting,
        };
        let _turn = inner.schedulers.take(&user).await;
        if let Some(id) = store::find_repeated(self.database(), &waiting, &request).await? {
            return Ok(id);
        }
        self.check_count(user).await?;
        let mut change = Change::new();
        store::insert(&mut change, &waiting, &request, inner.numbers.next().await?);
        self.database().writer().commit(change).await?;
        metrics::counter!("echorift_calls_delayed_events_total", "act" => "scheduled").increment(1);
        self.wake_by(waiting.due_at);
        Ok(waiting.id)
    }

    async fn check_count(&self, user: UserNumber) -> Result<(), DelayedError> {
        let max = self.0.options.per_user_max;
        let (count, next) = store::count_waiting(self.database(), user).await?;
        if count < i64::from(max) {
            return Ok(());
        }
        let wait_ms = next.map_or(0, |next| next.0.saturating_sub(self.now().0));
        // One that is just being sent makes room in a moment.
        let next = Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0).max(1));
        Err(DelayedError::TooMany { max, next })
    }

    fn judge_delay(&self, delay_ms: u64) -> Result<i64, DelayedError> {
        let options = &self.0.options;
        if !options.is_on() {
            return Err(DelayedError::Off);
        }
        let max_ms = milliseconds(options.delay_max);
        match i64::try_from(delay_ms) {
            Ok(0) => Err(DelayedError::BadRequest("A delay is longer than nothing.")),
            Ok(delay_ms) if delay_ms <= max_ms => Ok(delay_ms),
            _ => Err(DelayedError::TooLong { max_ms }),
        }
    }
}

/// The content in canonical form. What could never be sent is refused at once.
fn judge_content(event: &Postponed) -> Result<Box<RawValue>, DelayedError> {
    let event_type = event.event_type.to_string();
    let state_key = event.state_key.as_deref().unwrap_or_default();
    let transaction_id = event.transaction_id.as_ref().map_or("", |id| id.as_str());
    for (what, text) in [
        ("the event type", event_type.as_str()),
        ("the state key", state_key),
        ("the transaction ID", transaction_id),
    ] {
        if text.len() > NAME_BYTES_MAX {
            return Err(DelayedError::TooLarge {
                what,
                bytes: text.len(),
                bytes_max: NAME_BYTES_MAX,
            });
        }
    }
    let room_id = event.room_id.as_str();
    if [&event_type, state_key, transaction_id, room_id]
        .iter()
        .any(|text| text.contains('\0'))
    {
        return Err(DelayedError::BadRequest(
            "An event has no NUL in its type, state key or room.",
        ));
    }
    if !event.content.get().starts_with('{') {
        return Err(DelayedError::BadRequest("`content` is not an object."));
    }
    let content = canonical_json(event.content.get())?;
    if content.len() > CONTENT_BYTES_MAX {
        return Err(DelayedError::TooLarge {
            what: "the content",
            bytes: content.len(),
            bytes_max: CONTENT_BYTES_MAX,
        });
    }
    RawValue::from_string(content).map_err(|_| DelayedError::BadRequest("`content` is not JSON."))
}

fn new_id() -> DelayId {
    let mut random = [0_u8; ID_BYTES];
    rand::fill(&mut random);
    DelayId::from(URL_SAFE_NO_PAD.encode(random))
}
