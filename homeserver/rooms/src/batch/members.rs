//! Memberships, as the events of a batch change them.

use std::{collections::HashSet, sync::Arc};

use echorift_storage::{EventNumber, UserNumber};
use ruma::{UserId, events::room::member::MembershipState};

use super::{Batch, NewMembership};
use crate::{RoomError, append::membership_of, event::Event, state::State, store};

impl Batch<'_> {
    /// Brings the list of members to the room's new state; whose membership changed, and by which event.
    pub(super) async fn follow_members(
        &mut self,
        was: &State,
        event: &Arc<Event>,
    ) -> Result<Vec<NewMembership>, RoomError> {
        if was.snapshot == self.head.state.snapshot {
            return Ok(Vec::new());
        }
        let mut changed = Vec::new();
        for change in was.changes_to(&self.head.state) {
            let Some(user) = change.key.strip_prefix("m.room.member\0") else {
                continue;
            };
            // Whoever may speak in this room's state has had their ID checked; a key that is none is nobody's membership.
            let Ok(user) = UserId::parse(user) else { continue };
            changed.push((user, change.before, change.after));
        }
        let elsewhere = changed.iter().filter_map(|(_, _, after)| *after);
        let elsewhere: Vec<EventNumber> = elsewhere.filter(|number| *number != event.number).collect();
        let found = self.events_of(elsewhere).await?;
        let mut memberships = Vec::with_capacity(changed.len());
        for (user_id, before, after) in changed {
            let source = found
                .iter()
                .chain([event])
                .find(|event| Some(event.number) == after);
            let membership = match source {
                Some(source) => membership_of(&source.pdu)?,
                None => MembershipState::Leave,
            };
            let user = self.rooms.user_number(&user_id).await?;
            self.head
                .members
                .put(user, &user_id, self.rooms.is_local(&user_id), &membership);
            if let Some(event) = after.or(before) {
                memberships.push(NewMembership {
                    user,
                    membership,
                    event,
                });
            }
        }
        Ok(memberships)
    }

    /// Writes memberships that became known with the event placed last.
    pub fn adopt_members(
        &mut self,
        rows: impl IntoIterator<Item = (UserNumber, MembershipState, EventNumber)>,
    ) {
        let (room, ..) = self.room;
        let Some(last) = self.appended.last_mut() else {
            return;
        };
        let Some(record) = last.record else { return };
        // What the event itself says of its user stands.
        let own: HashSet<UserNumber> = last.memberships.iter().map(|new| new.user).collect();
        for (user, membership, event) in rows {
            if own.contains(&user) {
                continue;
            }
            store::memberships::put(&mut self.change, room, user, &membership, event, record);
            last.memberships.push(NewMembership {
                user,
                membership,
                event,
            });
        }
    }
}
