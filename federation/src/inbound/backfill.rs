//! History from when we were not in a room, fetched when somebody reads that far (SS API § Backfilling).

use std::{collections::HashMap, sync::Arc};

use dashmap::DashMap;
use echorift_rooms::{Backfilled, HistoryPart, Room};
use echorift_storage::RoomNumber;
use http::StatusCode;
use ruma::{OwnedEventId, ServerName, UInt, api::federation::backfill::get_backfill};
use tokio::sync::Mutex;

use crate::{Federation, FederationError};

/// The most events that are asked for at a time.
const EVENTS_MAX: usize = 100;

/// Rooms whose history is being fetched: one at a time for each, so that two readers do not fetch the same.
#[derive(Default)]
pub(crate) struct Backfills(DashMap<RoomNumber, Arc<Mutex<()>>>);

impl Federation {
    /// Fetches up to `limit` events of a part of the room's history that is missing here. A gap in which nothing is missing
    /// any more is closed.
    pub(crate) async fn backfill(
        &self,
        room: &Arc<Room>,
        part: HistoryPart,
        limit: usize,
    ) -> Result<Backfilled, FederationError> {
        let asked_for = self.rooms().history_ends(room, part).await?;
        let turn = Arc::clone(&self.backfills().0.entry(room.number).or_default());
        let guard = turn.lock().await;
        let outcome = self.backfill_in_turn(room, part, &asked_for, limit).await;
        drop(guard);
        drop(turn);
        self.backfills()
            .0
            .remove_if(&room.number, |_, turn| Arc::strong_count(turn) == 1);
        outcome
    }

    async fn backfill_in_turn(
        &self,
        room: &Arc<Room>,
        part: HistoryPart,
        asked_for: &[OwnedEventId],
        limit: usize,
    ) -> Result<Backfilled, FederationError> {
        let ends = self.rooms().history_ends(room, part).await?;
        // Somebody else has fetched while we waited.
        if ends != asked_for {
            return Ok(Backfilled::Grown);
        }
        let mut outcome = Backfilled::Nothing;
        if !ends.is_empty() {
            let limit = limit.clamp(1, EVENTS_MAX);
            outcome = self.backfill_before(room, part, &ends, limit).await?;
        }
        let HistoryPart::Gap(lower) = part else {
            return Ok(outcome);
        };
        let is_filled = ends.is_empty()
            || (outcome == Backfilled::Grown && self.rooms().history_ends(room, part).await?.is_empty());
        if is_filled {
            self.rooms().close_gap(room, lower).await?;
            return Ok(Backfilled::Grown);
        }
        Ok(outcome)
    }

    async fn backfill_before(
        &self,
        room: &Arc<Room>,
        part: HistoryPart,
        ends: &[OwnedEventId],
        limit: usize,
    ) -> Result<Backfilled, FederationError> {
        let mut outcome = Backfilled::Nothing;
        for server in self.servers_to_ask(room, None) {
            match self.backfill_from(room, &server, part, ends, limit).await {
                Ok(0) => {}
                Ok(_) => return Ok(Backfilled::Grown),
                Err(FederationError::Storage(error)) => return Err(error.into()),
                Err(error) => {
                    tracing::info!(%server, room_id = %room.id, %error, "history could not be fetched");
                    if !is_answer(&error) {
                        outcome = Backfilled::Unreachable;
                    }
                }
            }
        }
        Ok(outcome)
    }

    async fn backfill_from(
        &self,
        room: &Arc<Room>,
        server: &ServerName,
        part: HistoryPart,
        ends: &[OwnedEventId],
        limit: usize,
    ) -> Result<usize, FederationError> {
        let limit = UInt::try_from(limit).unwrap_or(UInt::MAX);
        let request = get_backfill::v1::Request::new(room.id.clone(), ends.to_vec(), limit);
        let mut texts = self.client().send(server, request).await?.pdus;
        texts.truncate(EVENTS_MAX);
        let mut pdus = Vec::with_capacity(texts.len());
        for verified in self.verify_pdus(&room.rules, texts).await {
            match verified {
                Ok(pdu) if pdu.room_id == room.id => pdus.push(pdu),
                Ok(_) => {}
                Err(error) => tracing::info!(%server, %error, "an event of the history was left out"),
            }
        }
        let pdus = self.rooms().retain_missing(room, part, pdus).await?;
        let mut told = HashMap::new();
        for event_id in self.rooms().in_need_of_state(&pdus).await? {
            let state = self.fetch_state(room, server, &event_id).await?;
            told.insert(event_id, state);
        }
        let own: std::collections::HashSet<_> = pdus.iter().map(|pdu| pdu.event_id.clone()).collect();
        let authority = pdus.iter().flat_map(|pdu| &pdu.auth_events);
        let authority: Vec<_> = authority.filter(|id| !own.contains(*id)).cloned().collect();
        let mut absent = self.absent(&authority).await?;
        for pdu in &pdus {
            let missing: Vec<_> = pdu
                .auth_events
                .iter()
                .filter(|id| absent.contains(*id))
                .cloned()
                .collect();
            if !missing.is_empty() {
                self.fetch_auth(room, server, &pdu.event_id, &missing).await?;
                // What authorises one event authorises others too.
                absent = self.absent(&absent).await?;
            }
        }
        Ok(self.rooms().prepend(room, part, pdus, told).await?)
    }
}

/// Whether the server has said, or the policy says, that it has nothing for us; otherwise it may be otherwise later.
fn is_answer(error: &FederationError) -> bool {
    match error {
        FederationError::Refused { status, .. } => [
            StatusCode::BAD_REQUEST,
            StatusCode::FORBIDDEN,
            StatusCode::NOT_FOUND,
        ]
        .contains(status),
        FederationError::Denied(_) => true,
        _ => false,
    }
}
