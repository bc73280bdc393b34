//! The endpoints of delayed events (MSC4140), under their stable paths and under those from before.

use ::http::request::Parts;
use axum::{
    Json, Router,
    extract::{FromRequestParts, State},
    routing::{get, post, put},
};
use echorift_rooms::{DelayId, Later, Postponed};
use echorift_storage::UserNumber;
use echorift_web::{Body, ClientAddress, InPath, LimitKind, MatrixError, MaybeSession, Session};
use ruma::{OwnedRoomId, OwnedTransactionId};
use serde::Deserialize;
use serde_json::{Map, Value, json, value::RawValue};

use super::{Asker, DelayedError, DelayedEvent, DelayedEvents, Fate};

/// No ID is longer.
const ID_BYTES_MAX: usize = 64;
const UNSTABLE: &str = "/_matrix/client/unstable/org.matrix.msc4140";

pub(crate) fn routes() -> Router<DelayedEvents> {
    Router::new()
        .merge(family(Family::Stable))
        .merge(family(Family::Unstable))
        .route(
            &format!("{UNSTABLE}/delayed_events/{{delay_id}}"),
            post(act_by_body),
        )
}

/// Which paths a client uses; the answers differ in one thing ([`Family::refuse`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Stable,
    Unstable,
}

/// What can be done with an event that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Cancel,
    Restart,
    Send,
}

fn family(family: Family) -> Router<DelayedEvents> {
    let (rooms, events) = match family {
        Family::Stable => (
            "/_matrix/client/v3".to_owned(),
            "/_matrix/client/v1/delayed_events".to_owned(),
        ),
        Family::Unstable => (UNSTABLE.to_owned(), format!("{UNSTABLE}/delayed_events")),
    };
    let mut router = Router::new()
        .route(
            &format!("{rooms}/rooms/{{room_id}}/delayed_event/{{event_type}}/{{txn_id}}"),
            put(schedule),
        )
        .route(&events, get(list))
        .route(&format!("{events}/{{delay_id}}"), get(find));
    for (name, action) in [
        ("cancel", Action::Cancel),
        ("restart", Action::Restart),
        ("send", Action::Send),
    ] {
        let act = async move |State(delayed): State<DelayedEvents>, request: Request| {
            act(&delayed, request, family, action).await
        };
        router = router.route(&format!("{events}/{{delay_id}}/{name}"), post(act));
    }
    router
}

#[derive(Deserialize)]
struct Scheduled {
    delay_ms: u64,
    state_key: Option<String>,
    content: Box<RawValue>,
}

/// `PUT /_matrix/client/v3/rooms/{roomId}/delayed_event/{eventType}/{txnId}` (MSC4140 § Scheduling a delayed event).
async fn schedule(
    State(delayed): State<DelayedEvents>,
    session: Session,
    InPath((room_id, event_type, transaction_id)): InPath<(OwnedRoomId, String, OwnedTransactionId)>,
    later: Later,
    Body(body): Body<Scheduled>,
) -> Result<Json<Value>, MatrixError> {
    delayed.0.limits.check_session(LimitKind::Messages, &session)?;
    let event = Postponed {
        room_id,
        event_type: event_type.into(),
        state_key: body.state_key,
        content: body.content,
        delay_ms: body.delay_ms,
        sticky_duration_ms: later.sticky_duration_ms,
        transaction_id: Some(transaction_id),
    };
    let delay_id = delayed.schedule(&session, event).await?;
    Ok(Json(json!({ "delay_id": delay_id.as_str() })))
}

/// Which event, and by what right.
struct Request {
    id: DelayId,
    session: Option<Session>,
    address: ClientAddress,
}

impl FromRequestParts<DelayedEvents> for Request {
    type Rejection = MatrixError;

    async fn from_request_parts(parts: &mut Parts, state: &DelayedEvents) -> Result<Self, MatrixError> {
        let MaybeSession(session) = MaybeSession::from_request_parts(parts, state).await?;
        let InPath(id) = InPath::<String>::from_request_parts(parts, state).await?;
        let Ok(address) = ClientAddress::from_request_parts(parts, state).await;
        Ok(Self {
            id: parse_id(id)?,
            session,
            address,
        })
    }
}

/// What can be an ID of ours. Others are not looked for, nor do they get a bucket of a rate limit.
fn parse_id(id: String) -> Result<DelayId, DelayedError> {
    let is_possible = id.len() <= ID_BYTES_MAX && id.bytes().all(|byte| byte.is_ascii_graphic());
    if is_possible {
        Ok(id.into())
    } else {
        Err(DelayedError::NotFound)
    }
}

#[derive(Deserialize)]
struct ActBody {
    action: String,
}

/// `POST …/unstable/org.matrix.msc4140/delayed_events/{delay_id}`: the action in the body, as earlier versions of MSC4140
/// had it (§ Management endpoint action in request body).
async fn act_by_body(
    State(delayed): State<DelayedEvents>,
    request: Request,
    Body(body): Body<ActBody>,
) -> Result<Json<Value>, MatrixError> {
    let action = serde_json::from_value(Value::from(body.action));
    let action = action.map_err(|_| MatrixError::invalid_param("`action` is cancel, restart or send."))?;
    act(&delayed, request, Family::Unstable, action).await
}

/// `POST /_matrix/client/v1/delayed_events/{delay_id}/{action}` (MSC4140 § Managing scheduled delayed events).
async fn act(
    delayed: &DelayedEvents,
    request: Request,
    family: Family,
    action: Action,
) -> Result<Json<Value>, MatrixError> {
    let asker = asker(delayed, &request, family)?;
    let done = match action {
        Action::Cancel => delayed.cancel(asker, &request.id).await,
        Action::Restart => delayed.restart(asker, &request.id).await,
        Action::Send => delayed.send(asker, &request.id).await.map(drop),
    };
    match done {
        Ok(()) => Ok(Json(json!({}))),
        Err(DelayedError::NotFound) if asker == Asker::Bearer => {
            // Who tries IDs is slowed down; who has one is not, however many events come by the same address.
            delayed
                .0
                .limits
                .check(LimitKind::DelayedEvents, &request.address.key())?;
            Err(DelayedError::NotFound.into())
        }
        Err(error) => Err(family.refuse(action, error)),
    }
}

/// Who asks, if they may at all. Errors: `M_MISSING_TOKEN`, `M_LIMIT_EXCEEDED`.
fn asker(delayed: &DelayedEvents, request: &Request, family: Family) -> Result<Asker, MatrixError> {
    let limits = &delayed.0.limits;
    match &request.session {
        Some(session) => {
            limits.check_session(LimitKind::DelayedEvents, session)?;
            Ok(Asker::User(UserNumber(session.user_number)))
        }
        // The stable endpoints have never been open to those without a token.
        None if family == Family::Unstable && delayed.0.options.unauthenticated => {
            limits.check(LimitKind::DelayedEvents, request.id.as_str())?;
            Ok(Asker::Bearer)
        }
        None => Err(MatrixError::missing_token("This endpoint needs an access token.")),
    }
}

impl Family {
    /// A client that comes too late is told 409 (MSC4140 § Managing scheduled delayed events). But clients that use the
    /// paths from before get over 404 alone, and would end a running call after any other refusal.
    fn refuse(self, action: Action, error: DelayedError) -> MatrixError {
        match (self, action, error) {
            (Self::Unstable, Action::Restart | Action::Cancel, DelayedError::Conflict(_)) => {
                DelayedError::NotFound.into()
            }
            (_, _, error) => error.into(),
        }
    }
}

/// `GET /_matrix/client/v1/delayed_events` (MSC4140 § Getting a list of delayed events).
async fn list(State(delayed): State<DelayedEvents>, session: Session) -> Result<Json<Value>, MatrixError> {
    let limits = &delayed.0.limits;
    limits.check_session(LimitKind::DelayedEvents, &session)?;
    let events = delayed.list(UserNumber(session.user_number)).await?;
    let events: Vec<Value> = events.iter().map(describe).collect();
    Ok(Json(json!({ "delayed_events": events })))
}

/// `GET /_matrix/client/v1/delayed_events/{delay_id}` (MSC4140 § Getting a single delayed event).
async fn find(
    State(delayed): State<DelayedEvents>,
    session: Session,
    InPath(id): InPath<String>,
) -> Result<Json<Value>, MatrixError> {
    let limits = &delayed.0.limits;
    limits.check_session(LimitKind::DelayedEvents, &session)?;
    let event = delayed
        .load(UserNumber(session.user_number), &parse_id(id)?)
        .await?;
    Ok(Json(describe(&event)))
}

/// An event as its sender sees it. Times have three names, of which clients know one each.
fn describe(event: &DelayedEvent) -> Value {
    let mut told = json!({
        "delay_id": event.id.as_str(),
        "room_id": event.room_id,
        "type": event.event_type,
        "delay_ms": event.delay_ms,
        "delay": event.delay_ms,
        "scheduled_at": event.scheduled_at.0,
        "delayed_since_ts": event.scheduled_at.0,
        "running_since": event.scheduled_at.0,
        "content": event.content,
    });
    let mut finalised = Map::new();
    match &event.fate {
        Fate::Waiting => {}
        Fate::Sent { event_id, at } => {
            finalised.insert("event_id".to_owned(), event_id.as_str().into());
            finalised.insert("finalised_ts".to_owned(), at.0.into());
        }
        Fate::Failed { error, at } => {
            finalised.insert("error".to_owned(), json!(error));
            finalised.insert("finalised_ts".to_owned(), at.0.into());
        }
        Fate::Cancelled { at } => {
            finalised.insert("finalised_ts".to_owned(), at.0.into());
        }
    }
    if let Value::Object(told) = &mut told {
        told.extend(
            event
                .state_key
                .clone()
                .map(|key| ("state_key".to_owned(), key.into())),
        );
        if !finalised.is_empty() {
            told.extend(finalised.clone());
            // As drafts of the proposal had it.
            told.insert("finalised".to_owned(), finalised.into());
        }
    }
    told
}
