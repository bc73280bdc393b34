//! What a user has set up for a room goes on in its replacement (CS API § Room upgrades).

use std::{collections::BTreeMap, sync::Arc};

use echorift_accounts::Accounts;
use ruma::{OwnedRoomId, OwnedUserId, UserId};
use serde::Deserialize;

use crate::{Room, RoomError, Rooms, membership::raw};

/// The rooms that a user marked, and those that are direct chats.
const TAGS: &str = "m.tag";
const DIRECT: &str = "m.direct";

impl Rooms {
    /// Copies the user's tags and direct-chat mark from the room that this one replaces, if there is one and they
    /// were in it. A failure is logged and spoils nothing: the user has joined.
    pub(crate) async fn carry_over_settings(&self, accounts: &Accounts, room: &Room, user: &UserId) {
        if let Err(error) = self.try_carry_over(accounts, room, user).await {
            tracing::warn!(room_id = %room.id, user_id = %user, %error, "settings of a replaced room were not copied");
        }
    }

    async fn try_carry_over(&self, accounts: &Accounts, room: &Room, user: &UserId) -> Result<(), RoomError> {
        let Some(old) = self.find_predecessor(room).await? else {
            return Ok(());
        };
        let number = self.user_number(user).await?;
        if !self.rooms_of(number).await?.contains_key(&old.number) {
            return Ok(());
        }
        let data = accounts.room_account_data(number).await?;
        let tags = data.get(&old.number).and_then(|data| data.get(TAGS));
        let has_tags = data.get(&room.number).is_some_and(|data| data.contains_key(TAGS));
        if let Some(tags) = tags.filter(|_| !has_tags) {
            let content = tags.content.as_ref().to_owned();
            accounts
                .set_room_account_data(number, room.number, TAGS, content)
                .await?;
        }
        let global = accounts.global_account_data(number).await?;
        let direct = global.get(DIRECT);
        let direct = direct.and_then(|direct| serde_json::from_str::<Direct>(direct.content.get()).ok());
        if let Some(direct) = direct.and_then(|direct| with_successor(direct, &old, room)) {
            accounts
                .set_global_account_data(number, DIRECT, raw(&direct)?)
                .await?;
        }
        Ok(())
    }

    /// The room that this one says it replaces, if that room agrees.
    async fn find_predecessor(&self, room: &Room) -> Result<Option<Arc<Room>>, RoomError> {
        #[derive(Deserialize)]
        struct Create {
            predecessor: Option<Predecessor>,
        }
        #[derive(Deserialize)]
        struct Predecessor {
            room_id: OwnedRoomId,
        }
        #[derive(Deserialize)]
        struct Tombstone {
            replacement_room: OwnedRoomId,
        }
        let create: Option<Create> = self.state_content(&room.view().state, "m.room.create").await?;
        let Some(predecessor) = create.and_then(|create| create.predecessor) else {
            return Ok(None);
        };
        let old = match self.room(&predecessor.room_id).await {
            Ok(old) => old,
            Err(RoomError::UnknownRoom(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let tombstone: Option<Tombstone> = self.state_content(&old.view().state, "m.room.tombstone").await?;
        let agrees = tombstone.is_some_and(|tombstone| tombstone.replacement_room == room.id);
        Ok(Some(old).filter(|_| agrees))
    }
}

/// The content of `m.direct`.
type Direct = BTreeMap<OwnedUserId, Vec<OwnedRoomId>>;

/// Names the new room wherever the old one is named; `None` if that changes nothing.
fn with_successor(mut direct: Direct, old: &Room, new: &Room) -> Option<Direct> {
    let mut has_changed = false;
    for rooms in direct.values_mut() {
        if rooms.contains(&old.id) && !rooms.contains(&new.id) {
            rooms.push(new.id.clone());
            has_changed = true;
        }
    }
    has_changed.then_some(direct)
}
