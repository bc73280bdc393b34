//! Whose devices concern a service from now on, and whose not any more (MSC3202): who comes into encrypted rooms of its
//! users, and with whom none of them shares a room after somebody has left.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use echorift_rooms::Event;
use echorift_storage::{EventNumber, RoomNumber, StorageError, UserNumber};
use ruma::{
    OwnedUserId, UserId,
    events::{TimelineEventType, room::member::MembershipState},
};
use serde::Deserialize;

use crate::{
    delivery::{Delivery, Draft},
    store,
};

/// Of how many members of a room it is looked who is left behind when a service's last user goes. A service that is not
/// told of the others asks for their devices once too often.
const LEFT_BEHIND_MAX: usize = 200;

/// What a transaction tells of device lists, beside those that have changed by themselves.
#[derive(Default)]
pub(crate) struct Comings {
    pub joined: BTreeSet<OwnedUserId>,
    pub left: BTreeSet<OwnedUserId>,
}

impl Delivery {
    /// What follows from the memberships among the events of a draft.
    pub(crate) async fn comings(
        &self,
        draft: &Draft,
        events: &HashMap<EventNumber, Arc<Event>>,
    ) -> Result<Comings, StorageError> {
        let mut comings = Comings::default();
        let mut gone: BTreeSet<UserNumber> = BTreeSet::new();
        let rooms = &self.shared.rooms;
        let shown = draft.events.iter().filter_map(|event| events.get(&event.event));
        for event in shown {
            let Some((user, membership)) = membership_in(event) else {
                continue;
            };
            if !self.is_encrypted(event.room).await? {
                continue;
            }
            match membership {
                MembershipState::Join => drop(comings.joined.insert(user)),
                MembershipState::Leave | MembershipState::Ban if !self.is_of_service(&user) => {
                    gone.insert(rooms.user_number(&user).await?);
                }
                MembershipState::Leave | MembershipState::Ban => {
                    gone.extend(self.left_behind(event.room).await?);
                }
                _ => {}
            }
        }
        comings.left = self.without_shared_room(&gone).await?;
        comings.joined.retain(|user| !comings.left.contains(user));
        Ok(comings)
    }

    /// Who is in a room in which the service has no user any more.
    async fn left_behind(&self, room: RoomNumber) -> Result<Vec<UserNumber>, StorageError> {
        if self.concerns(room).await? {
            return Ok(Vec::new());
        }
        store::joined_members(self.shared.rooms.database(), room, LEFT_BEHIND_MAX).await
    }

    /// Those of these users who are not the service's own and share no room with it. One query, and what is not known yet
    /// of their rooms.
    async fn without_shared_room(
        &self,
        users: &BTreeSet<UserNumber>,
    ) -> Result<BTreeSet<OwnedUserId>, StorageError> {
        if users.is_empty() {
            return Ok(BTreeSet::new());
        }
        let users: Vec<UserNumber> = users.iter().copied().collect();
        let mut sharing: HashSet<UserNumber> = HashSet::new();
        for (user, room) in store::joined_rooms(self.shared.rooms.database(), &users).await? {
            if !sharing.contains(&user) && self.concerns(room).await? {
                sharing.insert(user);
            }
        }
        let alone: Vec<UserNumber> = users.into_iter().filter(|user| !sharing.contains(user)).collect();
        let alone = self.shared.rooms.user_ids(&alone).await?;
        Ok(alone
            .into_iter()
            .filter(|user| !self.is_of_service(user))
            .collect())
    }

    async fn concerns(&self, room: RoomNumber) -> Result<bool, StorageError> {
        let concerned = self.shared.pages.interest.in_room(room).await?;
        Ok(concerned.contains(self.service.index))
    }

    fn is_of_service(&self, user: &UserId) -> bool {
        let services = self.shared.pages.interest.registry.of_user(user);
        services.contains(self.service.index)
    }

    async fn is_encrypted(&self, room: RoomNumber) -> Result<bool, StorageError> {
        let room = self.shared.rooms.load(&[room]).await?.pop();
        Ok(room.is_some_and(|room| room.view().state.get("m.room.encryption", "").is_some()))
    }
}

/// Whose membership an event is, and which.
fn membership_in(event: &Event) -> Option<(OwnedUserId, MembershipState)> {
    #[derive(Deserialize)]
    struct Content {
        membership: MembershipState,
    }
    if event.pdu.event_type != TimelineEventType::RoomMember {
        return None;
    }
    let content: Content = event.pdu.content_as().ok()?;
    let user = UserId::parse(event.pdu.state_key.as_deref()?).ok()?;
    Some((user, content.membership))
}
