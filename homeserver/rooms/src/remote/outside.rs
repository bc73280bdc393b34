//! Invites and knocks in rooms that this server is not in (SS API § Inviting to a room, § Knocking upon a room).
//!
//! Such a room has no state here but the member events of our own users. These are outliers: kept, told to their
//! users, and built upon by nothing.

use echorift_events::{Draft, Pdu, rules_for, seal};
use echorift_storage::RoomNumber;
use ruma::{
    OwnedRoomId, RoomVersionId, UserId,
    events::{TimelineEventType, room::member::MembershipState},
};
use serde_json::value::RawValue;

use crate::{
    Room, RoomError, Rooms,
    batch::Batch,
    receipts::RoomReceipts,
    room::{Head, Standing},
    store,
};

/// A member event of a local user in a room that this server is not in, its signatures and hash checked.
pub struct OutsideMembership {
    pub room_id: OwnedRoomId,
    pub version: RoomVersionId,
    /// An invite, a knock, or what ends them.
    pub event: Pdu,
    /// What the user is shown of the room; `None` leaves what was shown before.
    pub stripped_state: Option<Vec<Box<RawValue>>>,
}

impl Rooms {
    /// Records the membership, and returns after the commit. Does nothing if this server is in the room, whose own
    /// history then tells.
    ///
    /// Errors: `UnsupportedVersion`; `BadRequest` if it is no member event of a local user.
    pub async fn record_outside(&self, outside: OutsideMembership) -> Result<(), RoomError> {
        let OutsideMembership {
            room_id,
            version,
            event: pdu,
            stripped_state,
        } = outside;
        let rules = rules_for(&version).ok_or_else(|| RoomError::UnsupportedVersion(version.clone()))?;
        let user = pdu
            .state_key
            .as_deref()
            .filter(|_| pdu.event_type == TimelineEventType::RoomMember)
            .and_then(|user| UserId::parse(user).ok())
            .filter(|user| self.is_local(user) && pdu.room_id == room_id);
        let user = user.ok_or_else(|| {
            RoomError::BadRequest("This is no membership of a user of this server in this room.".to_owned())
        })?;
        let number = RoomNumber(self.0.names.intern(room_id.as_str()).await?);
        let (room, is_new) = match self.load(&[number]).await?.pop() {
            Some(room) => (room, false),
            None => {
                let room = Room::new(
                    (number, room_id.clone()),
                    (version.clone(), rules.clone()),
                    Head::empty(),
                    Vec::new(),
                    true,
                    RoomReceipts::default(),
                );
                room.set_standing(Standing::Outside);
                (self.adopt(room), true)
            }
        };
        let mut guard = room.head.lock().await;
        let head = match is_new {
            true => Head::empty(),
            false => self.current_head(&room, &guard).await?,
        };
        if self.is_in(&room)
            || self
                .known_events(&[&pdu.event_id])
                .await?
                .contains_key(&pdu.event_id)
        {
            return Ok(());
        }
        let user = self.user_number(&user).await?;
        let mut batch = Batch::new(self, (number, &room.rules, Some(&room_id)), head);
        batch.place_outside(pdu).await?;
        store::heads::put_room(
            &mut batch.change,
            number,
            &version,
            self.clock().now(),
            Standing::Outside,
        );
        room.set_standing(Standing::Outside);
        if let Some(events) = stripped_state {
            store::outside::put(&mut batch.change, (number, user), &events);
        }
        let (head, _, commit) = batch.submit(&room).await;
        *guard = Some(head);
        drop(guard);
        Ok(commit.done().await?)
    }

    /// Ends an invite or a knock of a local user for this server alone: for when nobody who is in the room can be asked.
    ///
    /// `content` is that of the member event. Errors: `NotJoined` if there is no invite and no knock.
    pub async fn leave_outside(
        &self,
        room: &Room,
        user: &UserId,
        content: Box<RawValue>,
    ) -> Result<(), RoomError> {
        let standing = self.membership(&room.view().state, user).await?;
        let Some((MembershipState::Invite | MembershipState::Knock, standing)) = standing else {
            return Err(RoomError::NotJoined {
                user_id: user.to_owned(),
                room_id: room.id.clone(),
            });
        };
        let draft = Draft {
            room_id: Some(room.id.clone()),
            sender: user.to_owned(),
            event_type: TimelineEventType::RoomMember,
            state_key: Some(user.to_string()),
            content,
            redacts: None,
            sticky_duration_ms: None,
            origin_server_ts: self.timestamp(None),
            prev_events: vec![standing.pdu.event_id.clone()],
            auth_events: vec![standing.pdu.event_id.clone()],
            depth: standing.pdu.depth.saturating_add(1),
        };
        self.record_outside(OutsideMembership {
            room_id: room.id.clone(),
            version: room.version.clone(),
            event: seal(draft, &room.rules, &self.options().signing_key)?,
            stripped_state: None,
        })
        .await
    }

    /// Whether this server is in the room: then it has the room's state, and takes part in its history.
    pub fn is_in(&self, room: &Room) -> bool {
        room.standing() != Standing::Outside && !room.view().members.joined_local.is_empty()
    }

    /// Whether a user of ours can join the room only by way of another server: it is not in the room, and others are.
    pub fn is_elsewhere(&self, room: &Room) -> bool {
        let view = room.view();
        room.standing() == Standing::Outside
            || (view.members.joined_local.is_empty() && !view.members.remote_servers.is_empty())
    }

    /// What a user is shown of a room that this server is not in: stripped state events, as the other server gave them.
    pub async fn stripped_state_outside(
        &self,
        room: &Room,
        user: &UserId,
    ) -> Result<Vec<Box<RawValue>>, RoomError> {
        let user = self.user_number(user).await?;
        Ok(store::outside::load(self.database(), (room.number, user)).await?)
    }
}
