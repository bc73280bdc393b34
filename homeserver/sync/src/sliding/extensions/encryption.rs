use echorift_storage::Position;
use echorift_web::MatrixError;
use ruma::api::client::sync::sync_events::v5::response::ToDevice;

use super::{Look, Told};
use crate::{Syncs, sliding::connection::Sent};

/// The most to-device messages of one answer.
const MESSAGES_MAX: usize = 100;

impl Syncs {
    /// The extensions `to_device` (MSC3885) and `e2ee` (MSC3884).
    pub(super) async fn tell_encryption(
        &self,
        look: Look<'_>,
        sent: &mut Sent,
        told: &mut Told,
    ) -> Result<(), MatrixError> {
        self.tell_to_device(look, told).await?;
        let turn = look.turn;
        if turn.wishes.extensions.e2ee.enabled != Some(true) {
            sent.key_counts = None;
            return Ok(());
        }
        let answer = &mut told.extensions.e2ee;
        if let Some(since) = turn.since {
            let position = turn.now.position;
            answer.device_lists = self
                .encryption()
                .device_lists(turn.reader, since.position, position)
                .await?;
        }
        let counts = self
            .encryption()
            .key_counts(turn.reader.user, turn.device)
            .await
            .map_err(MatrixError::internal)?;
        // A key that somebody took is worth an answer: the client makes new ones.
        let has_less = sent.key_counts.as_ref().is_some_and(|known| *known != counts);
        answer.device_one_time_keys_count = counts.one_time.clone();
        answer.device_unused_fallback_key_types = Some(counts.unused_fallback.clone());
        told.is_news |= has_less || !answer.device_lists.is_empty();
        sent.key_counts = Some(counts);
        Ok(())
    }

    /// Messages to the device, on a token of their own: a client that starts a connection anew does not lose them.
    async fn tell_to_device(&self, look: Look<'_>, told: &mut Told) -> Result<(), MatrixError> {
        let turn = look.turn;
        let wishes = &turn.wishes.extensions.to_device;
        if wishes.enabled != Some(true) {
            return Ok(());
        }
        let since = wishes.since.as_deref().map(parse).transpose()?;
        let (user, device) = (turn.reader.user, turn.device);
        if let Some(since) = since {
            self.encryption()
                .acknowledge(user, device, since)
                .await
                .map_err(MatrixError::internal)?;
        }
        let limit = wishes
            .limit
            .and_then(|limit| usize::try_from(u64::from(limit)).ok());
        let limit = limit.unwrap_or(MESSAGES_MAX).clamp(1, MESSAGES_MAX);
        let page = self
            .encryption()
            .to_device_page(
                user,
                device,
                (since.unwrap_or_default(), turn.now.position),
                limit,
            )
            .await
            .map_err(MatrixError::internal)?;
        told.is_news |= !page.events.is_empty();
        told.extensions.to_device = Some(ToDevice {
            next_batch: page.up_to.to_string(),
            events: page.events,
        });
        Ok(())
    }
}

fn parse(since: &str) -> Result<Position, MatrixError> {
    let position = since.parse().ok().filter(|position| *position >= 0);
    position
        .map(Position)
        .ok_or_else(|| MatrixError::invalid_param("This `since` is not a token of this server."))
}
