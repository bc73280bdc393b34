use echorift_rooms::{RoomError, RoomsOfUser, UserMembership};
use echorift_storage::{Position, RoomNumber};
use ruma::events::room::member::MembershipState;

use super::{Scope, Standings};
use crate::Syncs;

/// How the reader stands to a room that belongs into the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Joined since before the token: only what is new.
    Joined {
        joined_at: Position,
    },
    /// Joined, and the client knows nothing of the room yet.
    NewlyJoined {
        joined_at: Position,
    },
    /// Left or banned; `was_joined` tells whether the client has the room among its joined ones.
    Left {
        at: Position,
        was_joined: bool,
    },
    Invited,
    Knocked,
}

impl Syncs {
    /// How the reader stands to each of `candidates`; rooms that the answer does not mention are left out.
    pub(super) async fn standings(
        &self,
        scope: &Scope<'_>,
        memberships: &RoomsOfUser,
        candidates: &[RoomNumber],
    ) -> Result<Standings, RoomError> {
        let is_relevant = |membership: &UserMembership| match membership.membership {
            MembershipState::Join => true,
            // Old invitations, knocks and departures were told before.
            MembershipState::Invite | MembershipState::Knock => {
                scope.after().is_none_or(|after| membership.position > after) || scope.options.full_state
            }
            _ => match scope.after() {
                Some(after) => membership.position > after && !membership.is_forgotten,
                None => scope.options.include_leave && !membership.is_forgotten,
            },
        };
        let wanted: Vec<RoomNumber> = candidates
            .iter()
            .copied()
            .filter(|room| memberships.get(room).is_some_and(is_relevant))
            .collect();
        let rooms = self.rooms().load(&wanted).await?;
        let mut standings = Standings::with_capacity(rooms.len());
        for room in rooms {
            let Some(membership) = memberships.get(&room.number) else {
                continue;
            };
            if !scope.options.wants_room(&room.id) {
                continue;
            }
            let before = match scope.after() {
                Some(after) if membership.position > after => Some(
                    self.rooms()
                        .membership_at(&room, scope.reader.user, after)
                        .await?,
                ),
                Some(_) => Some(membership.membership.clone()),
                None => None,
            };
            let was_joined = before == Some(MembershipState::Join);
            let at = membership.position;
            let standing = match membership.membership {
                MembershipState::Join if was_joined => Standing::Joined { joined_at: at },
                MembershipState::Join => Standing::NewlyJoined { joined_at: at },
                MembershipState::Invite => Standing::Invited,
                MembershipState::Knock => Standing::Knocked,
                _ => Standing::Left { at, was_joined },
            };
            standings.push((room, standing));
        }
        Ok(standings)
    }
}
