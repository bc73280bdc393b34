//! `PUT /_matrix/federation/v1/send/{txnId}` (SS API § Transactions).

use std::collections::BTreeMap;

use axum::extract::State;
use echorift_events::Incoming;
use echorift_rooms::{Room, RoomError};
use echorift_storage::Change;
use echorift_web::{MatrixError, Ruma};
use http::StatusCode;
use ruma::{
    OwnedEventId, OwnedRoomId, ServerName, api::federation::transactions::send_transaction_message::v1,
    events::TimelineEventType,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{store, verify::verify_event};
use crate::{Federation, FederationError, Signed, policy::Crossing};

/// SS API § Transactions: no more than these in one.
const PDUS_MAX: usize = 50;
const EDUS_MAX: usize = 100;

/// What is done with one PDU of a transaction.
enum Intake {
    /// To be worked off once it is written down.
    Stage(OwnedRoomId),
    /// Done with.
    Done,
    /// Not taken; the sender is told why, and need not send it again.
    Refuse(String),
}

pub(super) async fn receive(
    State(federation): State<Federation>,
    Signed { origin, request }: Signed<v1::Request>,
) -> Result<Ruma<v1::Response>, MatrixError> {
    if request.pdus.len() > PDUS_MAX || request.edus.len() > EDUS_MAX {
        return Err(MatrixError::invalid_param(format!(
            "A transaction holds at most {PDUS_MAX} PDUs and {EDUS_MAX} EDUs."
        )));
    }
    if !federation.inbox().has_room_for(&origin, request.pdus.len()) {
        return Err(MatrixError::new(
            StatusCode::TOO_MANY_REQUESTS,
            "M_LIMIT_EXCEEDED",
            "Too many events of this server wait to be worked off: send this transaction again later.",
        ));
    }
    let pdus = federation.take_pdus(&origin, &request.pdus).await?;
    for edu in request.edus {
        if let Err(error) = federation.receive_edu(&origin, &edu).await {
            // What failed here would fail there again; only a database that is away is worth a repetition.
            if matches!(error, FederationError::Storage(_)) {
                return Err(error.into());
            }
            tracing::debug!(%origin, %error, "an EDU was not taken");
        }
    }
    Ok(Ruma(v1::Response { pdus }))
}

impl Federation {
    /// Writes down what is to be worked off, and says of each event whether it was taken.
    async fn take_pdus(
        &self,
        origin: &ServerName,
        pdus: &[Box<RawValue>],
    ) -> Result<BTreeMap<OwnedEventId, Result<(), String>>, FederationError> {
        metrics::counter!("echorift_federation_pdus_received_total")
            .increment(u64::try_from(pdus.len()).unwrap_or(0));
        let mut outcomes = BTreeMap::new();
        let mut change = Change::new();
        let mut staged = Vec::new();
        for text in pdus {
            let Some((event_id, intake)) = self.judge_intake(origin, text).await? else {
                continue;
            };
            let outcome = match intake {
                Intake::Stage(room_id) => {
                    let number = self.inbox().next_number().await?;
                    let now = self.clock().now();
                    store::stage(&mut change, number, (&room_id, origin), text.get(), now);
                    staged.push(room_id);
                    Ok(())
                }
                Intake::Done => Ok(()),
                Intake::Refuse(reason) => {
                    tracing::info!(%origin, %event_id, reason, "an event was not taken");
                    Err(reason)
                }
            };
            outcomes.insert(event_id, outcome);
        }
        if !staged.is_empty() {
            self.database().writer().commit(change).await?;
            self.inbox().count(origin, staged.len());
            staged.sort_unstable();
            staged.dedup();
            for room_id in staged {
                self.work_off(room_id);
            }
        }
        Ok(outcomes)
    }

    /// Looks at an event without checking signatures; `None` for what is no event, which has no ID to be answered with.
    async fn judge_intake(
        &self,
        origin: &ServerName,
        text: &RawValue,
    ) -> Result<Option<(OwnedEventId, Intake)>, FederationError> {
        #[derive(Deserialize)]
        struct Place {
            room_id: OwnedRoomId,
        }
        // A create event of version 12 has no room ID, and nobody has a use for one outside of a join.
        let Ok(Place { room_id }) = serde_json::from_str(text.get()) else {
            return Ok(None);
        };
        self.joins().settled(&room_id).await;
        let room = match self.rooms().room(&room_id).await {
            Ok(room) => room,
            Err(RoomError::UnknownRoom(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let Ok(incoming) = Incoming::parse(text.get(), &room.rules) else {
            return Ok(None);
        };
        let event_id = incoming.event_id().to_owned();
        let intake = self.judge_parsed(origin, &room, text, incoming).await?;
        Ok(Some((event_id, intake)))
    }

    async fn judge_parsed(
        &self,
        origin: &ServerName,
        room: &Room,
        text: &RawValue,
        incoming: Incoming,
    ) -> Result<Intake, FederationError> {
        if self.rooms().is_denied(room, origin).await? {
            return Ok(Intake::Refuse(
                "The room's access rules deny your server.".to_owned(),
            ));
        }
        #[derive(Deserialize)]
        struct Kind {
            r#type: TimelineEventType,
        }
        let Ok(Kind { r#type }) = serde_json::from_str(text.get()) else {
            return Ok(Intake::Refuse("The event has no type.".to_owned()));
        };
        if !self.policy().allows(origin, Crossing::Event(&room.id, &r#type)) {
            return Ok(Intake::Refuse(
                "This server does not take such events from yours.".to_owned(),
            ));
        }
        if self.rooms().is_in(room) {
            return Ok(Intake::Stage(room.id.clone()));
        }
        // All that concerns a server outside of a room is what becomes of its users' invites.
        let pdu = match verify_event(self, &room.rules, incoming).await {
            Ok(pdu) => pdu,
            Err(error) => return Ok(Intake::Refuse(error.to_string())),
        };
        Ok(match self.receive_outside(&room.id, pdu).await {
            Ok(true) => Intake::Done,
            Ok(false) => Intake::Refuse("This server is not in the room.".to_owned()),
            Err(error) => return Err(error),
        })
    }
}
