//! What SFUs tell: who came and who went.

mod verify;

use livekit_protocol::{DisconnectReason, ParticipantInfo, WebhookEvent};
use quick_cache::sync::Cache;

use crate::{CallError, Calls, Permission, Sfu, SfuError, calls::Seat, leaving::Signal, store::grants};

/// How many webhooks are remembered, so that none counts twice: an SFU repeats those that were not answered within seconds.
const SEEN_MAX: usize = 50_000;

/// The IDs of the latest webhooks.
pub(crate) struct SeenWebhooks(Cache<String, ()>);

impl Default for SeenWebhooks {
    fn default() -> Self {
        Self(Cache::new(SEEN_MAX))
    }
}

impl Calls {
    /// Takes a webhook, and does what follows before it is answered, so that the SFU sends no more than can be worked off.
    ///
    /// Error: `ForgedWebhook`.
    pub(crate) async fn take_webhook(&self, body: &str, authorization: &str) -> Result<(), CallError> {
        let (sfus, event) = self.verify(body, authorization)?;
        metrics::counter!("echorift_calls_webhooks_total").increment(1);
        let lag = self
            .now()
            .0
            .saturating_sub(event.created_at.saturating_mul(1_000));
        metrics::histogram!("echorift_calls_webhook_lag_seconds").record(seconds(lag));
        if !event.id.is_empty() {
            if self.0.webhooks.0.get(&event.id).is_some() {
                return Ok(());
            }
            self.0.webhooks.0.insert(event.id.clone(), ());
        }
        let (Some(room), Some(participant)) = (&event.room, &event.participant) else {
            return Ok(());
        };
        for sfu in sfus {
            self.follow(&sfu, &event, &room.name, participant).await;
        }
        Ok(())
    }

    async fn follow(&self, sfu: &Sfu, event: &WebhookEvent, room: &str, participant: &ParticipantInfo) {
        let seat = Seat {
            sfu: sfu.options().name.clone(),
            livekit_room: room.to_owned(),
            identity: participant.identity.clone(),
        };
        let sid = participant.sid.clone();
        match event.event.as_str() {
            "participant_joined" => {
                if let Err(error) = self.receive(sfu, &seat, participant).await {
                    // The next sweep looks again.
                    tracing::warn!(%error, "who joined a call could not be compared with what they may do");
                }
                self.signal(&seat, Signal::Joined { sid }).await;
            }
            "participant_left" => {
                let is_replaced = matches!(
                    participant.disconnect_reason(),
                    DisconnectReason::DuplicateIdentity | DisconnectReason::Migration
                );
                self.signal(&seat, Signal::Left { sid, is_replaced }).await;
            }
            "participant_connection_aborted" => self.signal(&seat, Signal::Aborted { sid }).await,
            _ => {}
        }
    }

    /// Compares who is in a call with what they may do there now: a token tells what they might when it was issued.
    pub(crate) async fn receive(
        &self,
        sfu: &Sfu,
        seat: &Seat,
        participant: &ParticipantInfo,
    ) -> Result<(), CallError> {
        // Others may have the SFU's keys as well: who was let in by them is their business.
        let Some(grant) = grants::find(self.database(), seat).await? else {
            return Ok(());
        };
        if participant.permission.is_none() && !grant.is_revoked {
            // The webhook does not tell what they may do.
            let told = sfu.participant(&seat.livekit_room, &seat.identity).await?;
            let Some(told) = told else { return Ok(()) };
            return Ok(self.fit(sfu, seat, &told, (&grant.permission, false)).await?);
        }
        Ok(self
            .fit(sfu, seat, participant, (&grant.permission, grant.is_revoked))
            .await?)
    }

    /// Puts a participant out, or changes what they may do, if the SFU has it otherwise.
    pub(crate) async fn fit(
        &self,
        sfu: &Sfu,
        seat: &Seat,
        participant: &ParticipantInfo,
        (permission, is_revoked): (&Permission, bool),
    ) -> Result<(), SfuError> {
        if is_revoked {
            metrics::counter!("echorift_calls_evictions_total").increment(1);
            sfu.remove(&seat.livekit_room, &seat.identity).await?;
        } else if Permission::of(participant) != *permission {
            sfu.permit(&seat.livekit_room, &seat.identity, permission).await?;
        }
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "a duration for a histogram")]
fn seconds(milliseconds: i64) -> f64 {
    milliseconds.max(0) as f64 / 1_000.0
}
