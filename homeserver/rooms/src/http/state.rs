use axum::{Router, extract::State, routing::get};
use echorift_storage::EventNumber;
use echorift_web::{MatrixError, Routes as _, Ruma, Session};
use ruma::api::client::state::{
    get_state_event_for_key::{self, v3::StateEventFormat},
    get_state_events,
};

use super::{JsonText, RoomsApi};
use crate::RoomError;

pub(super) fn routes() -> Router<RoomsApi> {
    let mut router = Router::new()
        .ruma::<get_state_events::v3::Request, _, _>(state)
        .ruma::<get_state_event_for_key::v3::Request, _, _>(state_event);
    // Without a state key, whose slash is optional then.
    for version in ["r0", "v3"] {
        let path = format!("/_matrix/client/{version}/rooms/{{room_id}}/state/{{event_type}}");
        router = router
            .route(&path, get(state_event))
            .route(&format!("{path}/"), get(state_event));
    }
    router
}

/// `GET /_matrix/client/v3/rooms/{roomId}/state` (CS API § Getting events for a room).
async fn state(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<get_state_events::v3::Request>,
) -> Result<JsonText, MatrixError> {
    let room = api.rooms.room(&request.room_id).await?;
    let access = api.rooms.access(&room, &api.reader(&session).await?).await?;
    let state = api
        .rooms
        .state_for(&room, access)
        .await
        .map_err(RoomError::from)?;
    let numbers: Vec<EventNumber> = state.events().collect();
    let events = api.rooms.events(&numbers).await.map_err(RoomError::from)?;
    Ok(JsonText::list(
        events.iter().map(|event| api.rooms.present_plain_json(event)),
    ))
}

/// `GET /_matrix/client/v3/rooms/{roomId}/state/{eventType}/{stateKey}` (CS API § Getting events for a room).
async fn state_event(
    State(api): State<RoomsApi>,
    session: Session,
    Ruma(request): Ruma<get_state_event_for_key::v3::Request>,
) -> Result<Ruma<get_state_event_for_key::v3::Response>, MatrixError> {
    let room = api.rooms.room(&request.room_id).await?;
    let access = api.rooms.access(&room, &api.reader(&session).await?).await?;
    let state = api
        .rooms
        .state_for(&room, access)
        .await
        .map_err(RoomError::from)?;
    let event_type = request.event_type.to_string();
    let event = api
        .rooms
        .state_event(&state, &event_type, &request.state_key)
        .await
        .map_err(RoomError::from)?;
    let event = event.ok_or_else(|| MatrixError::not_found("The room has no state of this type and key."))?;
    let event_or_content = match request.format {
        StateEventFormat::Event => api.rooms.present_plain(&event),
        _ => event.pdu.content.clone(),
    };
    Ok(Ruma(get_state_event_for_key::v3::Response { event_or_content }))
}
