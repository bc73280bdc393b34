use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use echorift_accounts::TypedAccountData;
use echorift_rooms::{
    Access, Event, EventMatcher, Order, PageRequest, Reader, Room, RoomError, State, TimelineToken,
};
use echorift_storage::{EventNumber, RoomNumber};
use echorift_web::MatrixError;
use ruma::{
    OwnedRoomId, RoomId, api::client::room::Visibility, events::room::member::MembershipState, serde::Raw,
};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{Syncs, account_data::write_account_data};

/// The most messages of a room in one answer.
const MESSAGES_MAX: usize = 200;

/// All that a client needs to begin with.
#[derive(Debug, Serialize)]
pub(super) struct Overview {
    end: String,
    presence: Vec<serde_json::Value>,
    rooms: Vec<RoomOverview>,
    account_data: Vec<Raw<serde_json::Value>>,
}

/// All that a client needs of one room to begin with.
#[derive(Debug, Serialize)]
pub(super) struct RoomOverview {
    room_id: OwnedRoomId,
    /// Absent for those who look in from outside.
    #[serde(skip_serializing_if = "Option::is_none")]
    membership: Option<MembershipState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invite: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<Messages>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    state: Vec<Box<RawValue>>,
    visibility: Visibility,
    account_data: Vec<Raw<serde_json::Value>>,
}

#[derive(Debug, Serialize)]
struct Messages {
    start: String,
    end: String,
    chunk: Vec<Box<RawValue>>,
}

/// What the rooms of one answer have in common.
struct Shared {
    published: HashSet<RoomNumber>,
    account_data: HashMap<RoomNumber, Arc<TypedAccountData>>,
    /// The events of the rooms' states.
    events: HashMap<EventNumber, Arc<Event>>,
}

impl Shared {
    fn account_data_of(&self, room: &Room) -> Vec<Raw<serde_json::Value>> {
        let data = self.account_data.get(&room.number);
        write_account_data(data.into_iter().flat_map(|data| data.iter()), None)
    }

    fn visibility_of(&self, room: &Room) -> Visibility {
        if self.published.contains(&room.number) {
            Visibility::Public
        } else {
            Visibility::Private
        }
    }
}

impl Syncs {
    /// The rooms that the reader is in or invited to, with `archived` also those that they have left.
    pub(super) async fn overview(
        &self,
        reader: &Reader,
        limit: usize,
        archived: bool,
    ) -> Result<Overview, MatrixError> {
        let now = self.now();
        let memberships = self
            .rooms()
            .rooms_of(reader.user)
            .await
            .map_err(RoomError::from)?;
        let is_shown = |membership: &MembershipState| match membership {
            MembershipState::Join | MembershipState::Invite => true,
            MembershipState::Leave | MembershipState::Ban => archived,
            _ => false,
        };
        let shown = memberships
            .iter()
            .filter(|(_, mine)| is_shown(&mine.membership) && !mine.is_forgotten);
        let numbers: Vec<RoomNumber> = shown.map(|(number, _)| *number).collect();
        let rooms = self.rooms().load(&numbers).await.map_err(RoomError::from)?;
        self.rooms()
            .prepare_visibility(&rooms)
            .await
            .map_err(RoomError::from)?;
        let mut seen = Vec::with_capacity(rooms.len());
        let mut invites = Vec::new();
        for room in &rooms {
            if let Some(mine) = memberships.get(&room.number)
                && mine.membership == MembershipState::Invite
            {
                invites.push((Arc::clone(room), mine.event));
            } else if let Some(access) = self.rooms().find_access(room, reader).await? {
                let state = self
                    .rooms()
                    .state_for(room, access)
                    .await
                    .map_err(RoomError::from)?;
                seen.push((Arc::clone(room), access, state));
            }
        }
        let shared = self
            .shared(reader, &rooms, seen.iter().map(|(.., state)| state))
            .await?;
        let mut overviews = Vec::with_capacity(rooms.len());
        for (room, access, state) in &seen {
            overviews.push(
                self.room_overview(reader, (room, *access), state, &shared, limit)
                    .await?,
            );
        }
        for (room, invite) in invites {
            let invite = self.rooms().event(invite).await.map_err(RoomError::from)?;
            if self.is_unwelcome(reader, &invite.pdu.sender).await? {
                continue;
            }
            overviews.push(RoomOverview {
                room_id: room.id.clone(),
                membership: Some(MembershipState::Invite),
                invite: Some(self.rooms().present_plain(&invite)),
                messages: None,
                state: Vec::new(),
                visibility: shared.visibility_of(&room),
                account_data: shared.account_data_of(&room),
            });
        }
        let data = self.accounts().global_account_data(reader.user).await?;
        Ok(Overview {
            end: now.to_string(),
            presence: self.presence_events(reader, 0, &HashSet::new()).await?,
            rooms: overviews,
            account_data: write_account_data(data.iter(), None),
        })
    }

    /// One room as its members see it, those who were members, and everyone if it may be read by the world.
    ///
    /// Errors: `NotJoined`.
    pub(super) async fn overview_of_room(
        &self,
        reader: &Reader,
        room: &RoomId,
        limit: usize,
    ) -> Result<RoomOverview, MatrixError> {
        let room = self.rooms().room(room).await?;
        let access = self.rooms().access(&room, reader).await?;
        let state = self
            .rooms()
            .state_for(&room, access)
            .await
            .map_err(RoomError::from)?;
        let rooms = std::slice::from_ref(&room);
        let shared = self.shared(reader, rooms, std::iter::once(&state)).await?;
        Ok(self
            .room_overview(reader, (&room, access), &state, &shared, limit)
            .await?)
    }

    async fn shared(
        &self,
        reader: &Reader,
        rooms: &[Arc<Room>],
        states: impl Iterator<Item = &State>,
    ) -> Result<Shared, MatrixError> {
        let numbers: Vec<EventNumber> = states.flat_map(State::events).collect();
        let events = self.rooms().events(&numbers).await.map_err(RoomError::from)?;
        let of_rooms = self.accounts().room_account_data(reader.user).await?;
        let account_data = rooms
            .iter()
            .filter_map(|room| Some((room.number, Arc::clone(of_rooms.get(&room.number)?))));
        let rooms: Vec<RoomNumber> = rooms.iter().map(|room| room.number).collect();
        Ok(Shared {
            published: self
                .rooms()
                .published_among(&rooms)
                .await
                .map_err(RoomError::from)?,
            account_data: account_data.collect(),
            events: events.into_iter().map(|event| (event.number, event)).collect(),
        })
    }

    async fn room_overview(
        &self,
        reader: &Reader,
        (room, access): (&Arc<Room>, Access),
        state: &State,
        shared: &Shared,
        limit: usize,
    ) -> Result<RoomOverview, RoomError> {
        let wanted = PageRequest {
            from: None,
            to: None,
            order: Order::NewestFirst,
            limit: limit.min(MESSAGES_MAX),
        };
        let mut page = self
            .rooms()
            .page(room, reader, access, wanted, &EventMatcher::default())
            .await?;
        page.events.reverse();
        let first = page
            .events
            .first()
            .map(|first| TimelineToken::before(first.position()));
        let events = state.events().filter_map(|number| shared.events.get(&number));
        let membership = self.rooms().rooms_of(reader.user).await?;
        let membership = membership.get(&room.number).map(|mine| mine.membership.clone());
        Ok(RoomOverview {
            room_id: room.id.clone(),
            membership: membership.filter(|_| access != Access::Peeking),
            invite: None,
            messages: Some(Messages {
                start: first.unwrap_or(page.start).to_string(),
                end: page.start.to_string(),
                chunk: self.rooms().present(room, &page.events, reader).await?,
            }),
            state: events.map(|event| self.rooms().present_plain(event)).collect(),
            visibility: shared.visibility_of(room),
            account_data: shared.account_data_of(room),
        })
    }
}
