use echorift_storage::{EventNumber, StorageError};
use ruma::{OwnedUserId, UserId, events::room::member::MembershipState};
use serde::Deserialize;

use crate::{Room, Rooms, store::administration as store};

/// Which members are looked for.
#[derive(Debug, Clone, Default)]
pub struct MembersQuery {
    /// The user ID after which the page begins.
    pub after: Option<String>,
    pub limit: u32,
}

/// A member as administrators see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberOverview {
    pub user_id: OwnedUserId,
    pub membership: MembershipState,
    /// As the room shows them.
    pub display_name: Option<String>,
    pub avatar_url: Option<String>,
}

#[derive(Default, Deserialize)]
struct Shown {
    displayname: Option<String>,
    avatar_url: Option<String>,
}

impl Rooms {
    /// A page of those who are joined to a room, invited to it, knock at it or are banned from it, by user ID.
    pub async fn member_overviews(
        &self,
        room: &Room,
        query: &MembersQuery,
    ) -> Result<Vec<MemberOverview>, StorageError> {
        let after = query.after.as_deref().unwrap_or_default();
        let found = store::members(self.database(), room.number, after, query.limit.into()).await?;
        let numbers: Vec<EventNumber> = found.iter().map(|member| member.event).collect();
        let events = self.events(&numbers).await?;
        let mut members = Vec::with_capacity(found.len());
        for member in found {
            let event = events.iter().find(|event| event.number == member.event);
            let shown: Shown = event
                .and_then(|event| event.pdu.content_as().ok())
                .unwrap_or_default();
            members.push(MemberOverview {
                user_id: UserId::parse(member.user_id)
                    .map_err(|error| StorageError::corrupt("user_numbers.user_id", error))?,
                membership: member.membership,
                display_name: shown.displayname,
                avatar_url: shown.avatar_url,
            });
        }
        Ok(members)
    }
}
