//! Who is in a room, as lists for clients.

use std::{collections::BTreeMap, sync::Arc};

use echorift_storage::EventNumber;
use ruma::{OwnedUserId, UserId, events::room::member::MembershipState};
use serde::{Deserialize, Serialize};

use crate::{Access, Event, Reader, Room, RoomError, Rooms, TimelineToken, append::membership_of};

/// Which members are wanted. With both conditions either will do (`rooms.yaml`).
#[derive(Debug, Default)]
pub struct MembersRequest {
    /// When; now, or when the reader left, if `None`.
    pub at: Option<TimelineToken>,
    pub membership: Option<MembershipState>,
    pub not_membership: Option<MembershipState>,
}

/// How somebody appears in a room. What is not set is `null`: clients look for it without asking whether it is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JoinedMember {
    pub display_name: Option<String>,
    pub avatar_url: Option<String>,
}

impl MembersRequest {
    fn matches(&self, event: &Event) -> bool {
        if self.membership.is_none() && self.not_membership.is_none() {
            return true;
        }
        let Ok(membership) = membership_of(&event.pdu) else {
            return false;
        };
        self.membership.as_ref() == Some(&membership)
            || self
                .not_membership
                .as_ref()
                .is_some_and(|unwanted| *unwanted != membership)
    }
}

impl Rooms {
    /// The member events of a room, by user ID. Errors: `NotJoined` for who never was there.
    pub async fn members(
        &self,
        room: &Room,
        reader: &Reader,
        request: &MembersRequest,
    ) -> Result<Vec<Arc<Event>>, RoomError> {
        let access = self.access(room, reader).await?;
        let state = match (request.at, access) {
            (Some(at), Access::Joined) => self.state_at(room, at.0).await?,
            (Some(at), Access::Left { until, .. }) if at.0 < until => self.state_at(room, at.0).await?,
            _ => self.state_for(room, access).await?,
        };
        let members: Vec<EventNumber> = state.of_type("m.room.member").map(|(_, event)| event).collect();
        let mut events = self.events(&members).await?;
        events.retain(|event| request.matches(event));
        Ok(events)
    }

    /// The names and pictures of those who are joined now. Errors: `NotJoined` unless the reader is.
    pub async fn joined_members(
        &self,
        room: &Room,
        reader: &UserId,
    ) -> Result<BTreeMap<OwnedUserId, JoinedMember>, RoomError> {
        #[derive(Deserialize)]
        struct Profile {
            membership: MembershipState,
            displayname: Option<String>,
            avatar_url: Option<String>,
        }
        self.check_joined(room, reader).await?;
        let view = room.view();
        let members: Vec<EventNumber> = view
            .state
            .of_type("m.room.member")
            .map(|(_, event)| event)
            .collect();
        let mut joined = BTreeMap::new();
        for event in self.events(&members).await? {
            let Ok(profile) = event.pdu.content_as::<Profile>() else {
                continue;
            };
            let user = event
                .pdu
                .state_key
                .as_deref()
                .and_then(|user| UserId::parse(user).ok());
            if let (MembershipState::Join, Some(user)) = (profile.membership, user) {
                joined.insert(
                    user,
                    JoinedMember {
                        display_name: profile.displayname,
                        avatar_url: profile.avatar_url,
                    },
                );
            }
        }
        Ok(joined)
    }
}
