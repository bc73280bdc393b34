//! Whose devices a client should look at again (CS API § Tracking the device list for a user).

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use echorift_rooms::{Reader, RoomError, RoomsOfUser, View};
use echorift_storage::{Position, RoomNumber, UserNumber};
use ruma::{api::client::sync::sync_events::DeviceLists, events::room::member::MembershipState};

use crate::{Encryption, recent::News, store};

/// What happened since a client last heard, as far as it may concern the client's user.
#[derive(Debug, Default, PartialEq, Eq)]
struct Happened {
    /// Whose devices or keys changed.
    lists: HashSet<UserNumber>,
    /// Whether the reader may have signed keys of others.
    has_signed: bool,
    /// Who else came into or went out of which of the reader's rooms.
    moved: HashSet<(RoomNumber, UserNumber)>,
    /// Which rooms the reader came into or went out of.
    own: HashSet<RoomNumber>,
}

/// The rooms of the reader, as they are now.
struct Surroundings {
    joined: Vec<(RoomNumber, Arc<View>)>,
    /// Those that the reader went out of.
    left: Vec<(RoomNumber, Arc<View>)>,
}

impl Encryption {
    /// Whose devices changed, or came into view, after `after`, and with whom the reader no longer shares a room.
    ///
    /// What happened after `up_to` may be told too, and is then told again. If nothing happened, no database is asked.
    pub async fn device_lists(
        &self,
        reader: &Reader,
        after: Position,
        up_to: Position,
    ) -> Result<DeviceLists, RoomError> {
        if after >= up_to {
            return Ok(DeviceLists::new());
        }
        let rooms = &self.0.rooms;
        let memberships = rooms.rooms_of(reader.user).await?;
        let happened = self.happened(reader.user, &memberships, after).await?;
        if happened == Happened::default() {
            return Ok(DeviceLists::new());
        }
        let joined: Vec<RoomNumber> = joined(&memberships).collect();
        let left = happened
            .own
            .iter()
            .filter(|room| !is_joined(&memberships, **room));
        let left: Vec<RoomNumber> = left.copied().collect();
        let surroundings = Surroundings {
            joined: views(&rooms.load(&joined).await?),
            left: views(&rooms.load(&left).await?),
        };
        let (mut changed, left) = surroundings.judge(reader.user, &happened);
        if happened.has_signed {
            changed.extend(store::device_lists::signed_after(&self.0.database, reader.user, after).await?);
        }
        let ids =
            async |users: BTreeSet<UserNumber>| rooms.user_ids(&users.into_iter().collect::<Vec<_>>()).await;
        Ok(DeviceLists {
            changed: ids(changed).await?,
            left: ids(left).await?,
        })
    }

    async fn happened(
        &self,
        reader: UserNumber,
        memberships: &RoomsOfUser,
        after: Position,
    ) -> Result<Happened, RoomError> {
        let concerns = |news: &News| match news {
            News::DeviceList(_) => true,
            News::Signature(signer) => *signer == reader,
            News::Member { room, user } => *user == reader || memberships.contains_key(room),
        };
        let recent = self.0.recent.lock().since(after, concerns);
        let mut happened = Happened::default();
        if let Some(recent) = recent {
            for news in recent {
                match news {
                    News::DeviceList(user) => drop(happened.lists.insert(user)),
                    News::Signature(_) => happened.has_signed = true,
                    News::Member { room, user } if user == reader => drop(happened.own.insert(room)),
                    News::Member { room, user } => drop(happened.moved.insert((room, user))),
                }
            }
            return Ok(happened);
        }
        let rooms = &self.0.rooms;
        happened.has_signed = true;
        happened.lists = store::device_lists::changed_after(&self.0.database, after).await?;
        happened
            .own
            .extend(rooms.own_sharing_changes(reader, after).await?);
        let mut followed: Vec<RoomNumber> = joined(memberships).collect();
        followed.extend(happened.own.iter().filter(|room| !is_joined(memberships, **room)));
        let moved = rooms.sharing_changes(&followed, after).await?;
        happened
            .moved
            .extend(moved.into_iter().filter(|(_, user)| *user != reader));
        Ok(happened)
    }
}

impl Surroundings {
    /// Whom the reader should look at again, and whom not to follow any more.
    fn judge(&self, reader: UserNumber, happened: &Happened) -> (BTreeSet<UserNumber>, BTreeSet<UserNumber>) {
        let (mut came, mut went) = (HashSet::new(), HashSet::new());
        for (room, view) in &self.joined {
            let members = &view.members.joined;
            if happened.own.contains(room) {
                came.extend(members.iter().copied());
            }
            for (_, user) in happened.moved.iter().filter(|(moved_in, _)| moved_in == room) {
                if members.contains(user) {
                    came.insert(*user)
                } else {
                    went.insert(*user)
                };
            }
        }
        for (room, view) in &self.left {
            went.extend(view.members.joined.iter().copied());
            let moved = happened.moved.iter().filter(|(moved_in, _)| moved_in == room);
            went.extend(moved.map(|(_, user)| *user));
        }
        let changed = happened
            .lists
            .iter()
            .filter(|user| **user == reader || self.shares_with(**user))
            .chain(
                came.iter()
                    .filter(|user| **user != reader && !self.shared_before(**user, happened)),
            )
            .copied()
            .collect();
        let left = went
            .into_iter()
            .filter(|user| *user != reader && !self.shares_with(*user))
            .collect();
        (changed, left)
    }

    fn shares_with(&self, user: UserNumber) -> bool {
        self.joined
            .iter()
            .any(|(_, view)| view.members.joined.contains(&user))
    }

    /// Whether some room has been shared all the time.
    fn shared_before(&self, user: UserNumber, happened: &Happened) -> bool {
        self.joined.iter().any(|(room, view)| {
            view.members.joined.contains(&user)
                && !happened.own.contains(room)
                && !happened.moved.contains(&(*room, user))
        })
    }
}

fn is_joined(memberships: &RoomsOfUser, room: RoomNumber) -> bool {
    memberships
        .get(&room)
        .is_some_and(|membership| membership.membership == MembershipState::Join)
}

fn joined(memberships: &RoomsOfUser) -> impl Iterator<Item = RoomNumber> {
    memberships
        .iter()
        .filter(|(_, membership)| membership.membership == MembershipState::Join)
        .map(|(room, _)| *room)
}

fn views(rooms: &[Arc<echorift_rooms::Room>]) -> Vec<(RoomNumber, Arc<View>)> {
    rooms.iter().map(|room| (room.number, room.view())).collect()
}
