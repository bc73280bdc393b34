use std::collections::BTreeMap;

use echorift_web::MatrixError;
use ruma::{
    api::client::sync::sync_events::v5::response::StickyEventsRoom, events::AnySyncTimelineEvent, serde::Raw,
};

use super::{Look, Told};
use crate::{
    Syncs,
    sticky::{STICKY_EVENTS_MAX, StickyPlace, StickyRoom},
};

impl Syncs {
    /// The extension `sticky_events` (MSC4480): those of all rooms that a list or subscription is about, whatever part of
    /// the list the client looks at, on a token of their own.
    pub(super) async fn tell_sticky_events(
        &self,
        look: Look<'_>,
        told: &mut Told,
    ) -> Result<(), MatrixError> {
        let turn = look.turn;
        let wishes = &turn.wishes.extensions.sticky_events;
        if wishes.enabled != Some(true) {
            return Ok(());
        }
        let after = match wishes.since.as_deref() {
            Some(since) => since.parse().map_err(|_| {
                MatrixError::invalid_param("This `since` is not a token of this server's sticky events.")
            })?,
            None => StickyPlace::start(),
        };
        let limit = wishes
            .limit
            .and_then(|limit| usize::try_from(u64::from(limit)).ok());
        let limit = limit.unwrap_or(STICKY_EVENTS_MAX).clamp(1, STICKY_EVENTS_MAX);
        let rooms = look.windows.followed.values();
        let rooms = rooms
            .filter(|room| room.has_sticky_events())
            .map(|room| StickyRoom {
                room,
                shown: look
                    .rooms
                    .get(&room.id)
                    .map(|answer| answer.shown.iter().copied().collect())
                    .unwrap_or_default(),
            });
        let rooms: Vec<StickyRoom<'_>> = rooms.collect();
        let between = (&after, turn.now.position);
        let page = self.sticky_page(turn.reader, &rooms, between, limit).await?;
        let mut answer = BTreeMap::new();
        for StickyRoom { room, .. } in &rooms {
            let Some(events) = page.events.get(&room.number) else {
                continue;
            };
            let shown = self.rooms().present(room, events, turn.reader).await;
            let shown = shown?.into_iter();
            let events = shown.map(Raw::<AnySyncTimelineEvent>::from_json).collect();
            answer.insert(room.id.clone(), StickyEventsRoom { events });
        }
        told.is_news |= !answer.is_empty();
        let sticky_events = &mut told.extensions.sticky_events;
        sticky_events.next_batch = (page.place != after).then(|| page.place.to_string());
        sticky_events.rooms = answer;
        Ok(())
    }
}
