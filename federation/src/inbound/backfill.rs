//! History from before our time, fetched when somebody reads that far (SS API § Backfilling).

use std::{collections::HashMap, sync::Arc};

use dashmap::DashMap;
use echorift_rooms::Room;
use echorift_storage::RoomNumber;
use ruma::{ServerName, UInt, api::federation::backfill::get_backfill};
use tokio::sync::Mutex;

use crate::{Federation, FederationError};

/// The most events that are asked for at a time.
const EVENTS_MAX: usize = 100;

/// Rooms whose history is being fetched: one at a time for each, so that two readers do not fetch the same.
#[derive(Default)]
pub(crate) struct Backfills(DashMap<RoomNumber, Arc<Mutex<()>>>);

impl Federation {
    /// Fetches up to `limit` events from before the room's known timeline; how many became part of it, 0 if there are no
    /// more or nobody could be asked.
    pub(crate) async fn backfill(&self, room: &Arc<Room>, limit: usize) -> Result<usize, FederationError> {
        let asked_for = self.rooms().history_ends(room).await?;
        let turn = Arc::clone(&self.backfills().0.entry(room.number).or_default());
        let guard = turn.lock().await;
        let ends = self.rooms().history_ends(room).await?;
        // Somebody else has fetched while we waited.
        let count = if ends == asked_for && !ends.is_empty() {
            self.backfill_before(room, ends, limit.clamp(1, EVENTS_MAX)).await
        } else {
            Ok(usize::from(ends != asked_for))
        };
        drop(guard);
        drop(turn);
        self.backfills()
            .0
            .remove_if(&room.number, |_, turn| Arc::strong_count(turn) == 1);
        count
    }

    async fn backfill_before(
        &self,
        room: &Arc<Room>,
        ends: Vec<ruma::OwnedEventId>,
        limit: usize,
    ) -> Result<usize, FederationError> {
        for server in self.servers_to_ask(room, None) {
            match self.backfill_from(room, &server, &ends, limit).await {
                Ok(0) => {}
                Ok(count) => return Ok(count),
                Err(FederationError::Storage(error)) => return Err(error.into()),
                Err(error) => {
                    tracing::info!(%server, room_id = %room.id, %error, "history could not be fetched");
                }
            }
        }
        Ok(0)
    }

    async fn backfill_from(
        &self,
        room: &Arc<Room>,
        server: &ServerName,
        ends: &[ruma::OwnedEventId],
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
        Ok(self.rooms().prepend(room, pdus, told).await?)
    }
}
