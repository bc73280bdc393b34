//! Whose presence readers are told, and when.

use std::collections::HashSet;

use echorift_rooms::{Event, Reader, RoomError};
use echorift_storage::{StorageError, Timestamp, UserNumber};
use ruma::events::TimelineEventType;
use serde_json::json;

use super::{UserPresence, joined_rooms, neighbours};
use crate::{Syncs, v2::Plan};

impl Syncs {
    /// The presence changes after `version` of those who share a room with the reader, as `m.presence` events, and the
    /// presence of `newcomers`: a change from before they shared one was not told.
    pub(crate) async fn presence_events(
        &self,
        reader: &Reader,
        version: u64,
        newcomers: &HashSet<UserNumber>,
    ) -> Result<Vec<serde_json::Value>, RoomError> {
        let Some(presence) = self.presence() else {
            return Ok(Vec::new());
        };
        let mut shown = Vec::new();
        if presence.has_changes_after(version) {
            let rooms = joined_rooms(self.rooms(), reader.user).await?;
            let views: Vec<_> = rooms.iter().map(|room| room.view()).collect();
            let is_neighbour = |user: UserNumber| {
                user == reader.user || views.iter().any(|view| view.members.joined.contains(&user))
            };
            shown = presence.changed_after(version, is_neighbour);
        }
        let told: HashSet<UserNumber> = shown.iter().map(|(user, _)| *user).collect();
        let untold = newcomers.iter().filter(|user| !told.contains(user));
        shown.extend(untold.filter_map(|user| Some((*user, presence.of(*user)?))));
        let users: Vec<UserNumber> = shown.iter().map(|(user, _)| *user).collect();
        let ids = self.rooms().user_ids(&users).await?;
        let now = self.clock().now();
        let events = shown.iter().zip(ids).filter(|(_, id)| !reader.ignored.contains(id)).map(|((_, presence), id)| {
            json!({ "type": "m.presence", "sender": id, "content": presence_content(presence, now) })
        });
        Ok(events.collect())
    }

    /// Tells those who share a room with people whose presence has changed.
    pub(crate) async fn tell_presence(&self) -> Result<(), StorageError> {
        let Some(presence) = self.presence() else {
            return Ok(());
        };
        let changed: HashSet<UserNumber> = presence.take_untold();
        if !changed.is_empty() {
            let told = neighbours(self.rooms(), &changed).await?;
            self.feeds().tell_ephemeral(told, self.latest_version());
            let changed: Vec<UserNumber> = changed.into_iter().collect();
            if let Some(listener) = self.listener_cell().get() {
                let now = self.clock().now();
                for user in &changed {
                    if let Some(known) = presence.of(*user) {
                        listener.on_presence_event(*user, presence_content(&known, now));
                    }
                }
            }
            self.tell_servers_of_presence(&changed).await?;
        }
        Ok(())
    }
}

/// Who shares a room with the reader since these plans of it. After a gap that is not known, so that it is everybody there.
pub(crate) fn newcomers(joined: &[Plan]) -> HashSet<UserNumber> {
    let mut newcomers = HashSet::new();
    for plan in joined.iter().filter(|plan| plan.has_member_news) {
        let members = &plan.view.members.joined;
        match (plan.after, &plan.timeline.all) {
            (Some(_), Some(all)) => {
                let joins = all.iter().filter(|event| is_of_sender(event));
                newcomers.extend(
                    joins
                        .map(|event| event.sender)
                        .filter(|user| members.contains(user)),
                );
            }
            _ => newcomers.extend(members.iter().copied()),
        }
    }
    newcomers
}

/// Whether it is the membership of who sent it, as a join is.
fn is_of_sender(event: &Event) -> bool {
    event.pdu.event_type == TimelineEventType::RoomMember
        && event.pdu.state_key.as_deref() == Some(event.pdu.sender.as_str())
}

/// The content of `m.presence` (CS API § Presence).
pub(crate) fn presence_content(presence: &UserPresence, now: Timestamp) -> serde_json::Value {
    let mut content = json!({
        "presence": presence.state,
        "currently_active": presence.is_currently_active(),
        "last_active_ago": now.0.saturating_sub(presence.last_active.0).max(0),
    });
    if let (Some(status), Some(content)) = (&presence.status_msg, content.as_object_mut()) {
        content.insert("status_msg".to_owned(), status.clone().into());
    }
    content
}
