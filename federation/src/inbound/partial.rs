//! Fetching the members of rooms that were joined without them (SS API § Faster joins).

use std::{sync::Arc, time::Duration};

use echorift_rooms::{PartialJoin, Room, Standing};

use crate::{Federation, FederationError};

/// How soon it is tried again, at first and at the most.
const RETRY: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(300));

impl Federation {
    /// Goes on with the joins that were partial at the last stop.
    pub(crate) async fn resume_partial_joins(&self) -> Result<(), FederationError> {
        for join in self.rooms().partial_joins().await? {
            self.complete_later(join);
        }
        Ok(())
    }

    /// Fetches the room's members, for as long as it takes.
    pub(crate) fn complete_later(&self, join: PartialJoin) {
        let federation = self.clone();
        tokio::spawn(async move {
            let mut delay = RETRY.0;
            loop {
                match federation.complete_once(&join).await {
                    Ok(()) => return,
                    Err(error) => {
                        tracing::info!(room = %join.room, %error, "a room's members could not be fetched yet");
                    }
                }
                tokio::time::sleep(delay).await;
                delay = (delay * 2).min(RETRY.1);
            }
        });
    }

    async fn complete_once(&self, join: &PartialJoin) -> Result<(), FederationError> {
        let Some(room) = self.rooms().load(&[join.room]).await?.pop() else {
            return Ok(());
        };
        if room.standing() != Standing::Partial {
            return Ok(());
        }
        if !self.rooms().is_in(&room) {
            return Ok(self.rooms().forget_partial(&room).await?);
        }
        let mut last = None;
        for server in self.servers_to_ask(&room, Some(&join.resident)) {
            match self.complete_from(&room, join, &server).await {
                Ok(()) => return Ok(()),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| FederationError::BackingOff(join.resident.clone())))
    }

    async fn complete_from(
        &self,
        room: &Arc<Room>,
        join: &PartialJoin,
        server: &ruma::ServerName,
    ) -> Result<(), FederationError> {
        let event_id = self.rooms().event(join.join).await?.pdu.event_id.clone();
        let told = self.fetch_state_events(room, server, &event_id).await?;
        self.rooms().complete(room, join, &told).await?;
        tracing::info!(room_id = %room.id, members = told.len(), "a room's members are here");
        Ok(())
    }
}
