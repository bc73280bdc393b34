use echorift_events::PowerLevels;
use echorift_rooms::Room;
use echorift_storage::UserNumber;
use ruma::{ServerName, UserId};

use crate::{CallError, Calls, Permission, Publishers, Source};

/// What somebody may send in calls of a room is said by the room's power levels, under these names in `events`. Where one
/// is missing, who may send messages may speak: so a channel that only few write into is one that only few talk in.
fn event_type_of(source: Source) -> &'static str {
    match source {
        Source::Microphone => "org.echorift.call.microphone",
        Source::Camera => "org.echorift.call.camera",
        Source::ScreenShare | Source::ScreenShareAudio => "org.echorift.call.screen_share",
    }
}

/// What a room's power levels let a user send in its calls.
fn by_power(levels: &PowerLevels, user: &UserId) -> Permission {
    let sources = Source::ALL.into_iter();
    Permission {
        publish: sources
            .filter(|source| levels.can_send_message(user, event_type_of(*source)))
            .collect(),
    }
}

/// What is known of a user that decides about calls.
pub(crate) struct Standing<'a> {
    pub room: &'a Room,
    pub user: UserNumber,
    pub user_id: &'a UserId,
}

impl Calls {
    /// What somebody may do in calls of a room on this server's SFUs; `None` for those who may not take part: who is not
    /// joined, whose account is locked, or with whose server there are no calls.
    pub(crate) async fn permission(&self, standing: &Standing<'_>) -> Result<Option<Permission>, CallError> {
        let Standing { room, user, user_id } = *standing;
        let view = room.view();
        if !view.members.joined.contains(&user) || self.accounts().is_locked(user) {
            return Ok(None);
        }
        let server = user_id.server_name();
        let is_local = self.rooms().is_local(user_id);
        if !is_local && !self.peers().is_ok_and(|peers| peers.may_call(server)) {
            return Ok(None);
        }
        // Who is suspended may look, but not act (CS API § Account suspension).
        if self.accounts().is_suspended(user) || !self.may_publish_here(server) {
            return Ok(Some(Permission::nothing()));
        }
        let (levels, _) = self.rooms().power_levels(room, &view.state).await?;
        Ok(Some(by_power(&levels, user_id)))
    }
}

impl Calls {
    /// Whether users of a server may send media to the SFUs of this one, as far as the operator decides it.
    pub(crate) fn may_publish_here(&self, server: &ServerName) -> bool {
        let is_ours = server == self.rooms().server_name();
        is_ours
            || match self.0.options.publish {
                Publishers::Local => false,
                Publishers::Partners => self.peers().is_ok_and(|peers| peers.is_partner(server)),
                Publishers::Joined => true,
            }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use echorift_events::rules_for;
    use ruma::{RoomVersionId, user_id};
    use serde_json::{json, value::to_raw_value};

    use super::*;

    fn permission(levels: &serde_json::Value) -> Permission {
        let content = to_raw_value(levels).unwrap();
        let rules = rules_for(&RoomVersionId::V11).unwrap();
        let levels = PowerLevels::new(Some(&content), &[], &rules);
        by_power(&levels, user_id!("@speaker:example.org"))
    }

    #[test]
    fn in_ordinary_rooms_everybody_may_send_everything() {
        assert_eq!(permission(&json!({})), Permission::everything());
    }

    #[test]
    fn who_may_not_write_in_a_channel_listens() {
        assert_eq!(
            permission(&json!({ "events_default": 50 })),
            Permission::nothing()
        );
        let levels = json!({ "events_default": 50, "users": { "@speaker:example.org": 50 } });
        assert_eq!(permission(&levels), Permission::everything());
    }

    #[test]
    fn each_kind_of_media_can_have_a_level_of_its_own() {
        let levels =
            json!({ "events": { "org.echorift.call.camera": 50, "org.echorift.call.screen_share": 100 } });
        assert_eq!(permission(&levels).publish, [Source::Microphone]);
        let stage = json!({ "events_default": 50, "events": { "org.echorift.call.microphone": 0 } });
        assert_eq!(permission(&stage).publish, [Source::Microphone]);
    }
}
