//! Taking over a room that a user of ours has joined by way of another server (SS API § Joining Rooms).

use std::{collections::HashMap, sync::Arc};

use echorift_events::{Pdu, authorise, rules_for};
use echorift_storage::{Chain, EventNumber, RoomNumber, UserNumber};
use imbl::OrdSet;
use ruma::{
    EventId, OwnedEventId, OwnedRoomId, OwnedServerName, RoomVersionId, UserId,
    events::{StateEventType, TimelineEventType, room::member::MembershipState},
};

use super::partial::PartialJoin;
use crate::{
    Event, Outcome, Room, RoomError, Rooms, State,
    append::membership_of,
    batch::{Batch, Placed, find_in},
    receipts::RoomReceipts,
    room::{Head, Members, Standing},
    store,
};

/// What another server answered to a join, with signatures and hashes checked.
pub struct RemoteJoin {
    pub room_id: OwnedRoomId,
    pub version: RoomVersionId,
    pub join: Pdu,
    /// The room's state before the join.
    pub state: Vec<Pdu>,
    /// What authorises the state.
    pub auth_chain: Vec<Pdu>,
    /// If members are still missing from the state: who has them.
    pub partial: Option<PartialAnswer>,
}

/// What a server says that answers a join without the room's members (SS API § Faster joins).
#[derive(Debug, Clone)]
pub struct PartialAnswer {
    /// It will tell the rest.
    pub resident: OwnedServerName,
    /// The servers that are in the room.
    pub servers: Vec<OwnedServerName>,
}

/// A user's membership, and the event that says so.
pub(super) type MemberRow = (UserNumber, MembershipState, EventNumber);

impl Rooms {
    /// Makes the room one of this server's, with the state given and nothing of its history, and joins the user.
    ///
    /// Errors: `UnsupportedVersion`; `BadRequest` if there is no create event in the state; `Refused` if the state does
    /// not allow the join.
    pub async fn import(&self, joined: RemoteJoin) -> Result<Arc<Room>, RoomError> {
        let RemoteJoin {
            room_id,
            version,
            join,
            state,
            auth_chain,
            partial,
        } = joined;
        let rules = rules_for(&version).ok_or_else(|| RoomError::UnsupportedVersion(version.clone()))?;
        let number = RoomNumber(self.0.names.intern(room_id.as_str()).await?);
        let room = match self.load(&[number]).await?.pop() {
            Some(room) if room.version == version => room,
            // An invite may have told another version.
            _ => self.adopt(Room::new(
                (number, room_id.clone()),
                (version.clone(), rules.clone()),
                Head::empty(),
                Vec::new(),
                true,
                RoomReceipts::default(),
            )),
        };
        let mut guard = room.head.lock().await;
        let state_ids: Vec<OwnedEventId> = state.iter().map(|pdu| pdu.event_id.clone()).collect();
        let outliers = self
            .make_outliers((number, &rules), auth_chain.into_iter().chain(state).collect())
            .await?;
        let before = state_of(number, &state_ids, &outliers.known);
        let (mut members, memberships) = self.members_of(&before, &outliers.known).await?;
        if let Some(partial) = &partial {
            members.add_servers(&partial.servers, self.server_name());
        }
        let head = Head {
            extremities: Vec::new(),
            depth: join.depth,
            state: before,
            members,
            admitted: OrdSet::new(),
            chain: Chain::new(),
        };
        for event in outliers.made() {
            self.hold(event);
        }
        let mut batch = Batch::new(self, (number, &rules, Some(&room_id)), head);
        batch.change = outliers.change;
        let mut before = batch.head.state.clone();
        batch
            .store_state(&mut before, &State::default(), &[], &[])
            .await?;
        batch.head.state = before.clone();

        let auth = join.auth_events.iter().filter_map(|id| outliers.known.get(id));
        let auth: Vec<EventNumber> = auth.map(|event| event.number).collect();
        // Those members that a partial state lacks, the join itself names.
        let named: &[EventNumber] = if partial.is_some() { &auth } else { &[] };
        check_join(&join, &rules, (&before, named), &outliers.known)?;
        let known = self.known_events(&[&join.event_id]).await?;
        let known = known.get(&join.event_id);
        if known.is_some_and(|event| event.outcome == Outcome::Accepted) {
            return Ok(Arc::clone(&room));
        }
        let is_apart = self.is_apart(number, &join).await?;
        let surplus = room.gaps.surplus().filter(|_| is_apart);
        if let Some(lower) = surplus {
            store::gaps::close(&mut batch.change, number, lower);
        }
        let placed = Placed {
            pdu: join,
            before,
            outcome: Outcome::Accepted,
            auth,
            is_ours: false,
            transaction: None,
            delay_id: None,
            number: known.map(|event| event.number),
            is_late: false,
            may_stick: true,
        };
        let event = match is_apart {
            true => batch.place_above_gap(placed).await?,
            false => batch.place(placed).await?,
        };
        batch.adopt_members(memberships);
        let gone = self.gone_from(number, &batch.head.members).await?;
        batch.adopt_members(
            gone.into_iter()
                .map(|user| (user, MembershipState::Leave, event.number)),
        );
        let standing = match &partial {
            Some(partial) => {
                let join = PartialJoin {
                    room: number,
                    join: event.number,
                    resident: partial.resident.clone(),
                };
                store::partial::put(&mut batch.change, &join, &partial.servers);
                Standing::Partial
            }
            None => {
                store::partial::remove(&mut batch.change, number);
                Standing::Resident
            }
        };
        store::heads::put_room(&mut batch.change, number, &version, self.clock().now(), standing);
        room.set_standing(standing);
        let (head, _, commit) = batch.submit(&room).await;
        *guard = Some(head);
        drop(guard);
        commit.done().await?;
        if let Some(lower) = surplus {
            room.gaps.close(lower);
        }
        Ok(room)
    }

    /// Whether this server has an older timeline of the room, and not what the join is built upon: there is a gap between them.
    async fn is_apart(&self, room: RoomNumber, join: &Pdu) -> Result<bool, RoomError> {
        let parents: Vec<&EventId> = join.prev_events.iter().map(|id| &**id).collect();
        let known = self.known_events(&parents).await?;
        let is_here = |id: &&EventId| {
            known
                .get(*id)
                .is_some_and(|event| event.outcome != Outcome::Outlier)
        };
        Ok(!parents.iter().all(is_here) && store::events::has_timeline(self.database(), room).await?)
    }

    /// The members in a state of which every event is known, and the rows that say so.
    pub(super) async fn members_of(
        &self,
        state: &State,
        known: &HashMap<OwnedEventId, Arc<Event>>,
    ) -> Result<(Members, Vec<MemberRow>), RoomError> {
        let by_number: HashMap<EventNumber, &Arc<Event>> =
            known.values().map(|event| (event.number, event)).collect();
        let entries: Vec<(&str, EventNumber)> = state.of_type("m.room.member").collect();
        let users: Vec<&str> = entries.iter().map(|(user, _)| *user).collect();
        self.users().intern_all(&users).await?;
        let mut members = Members::default();
        let mut rows = Vec::with_capacity(entries.len());
        for (user, number) in entries {
            let (Ok(user_id), Some(event)) = (UserId::parse(user), by_number.get(&number)) else {
                continue;
            };
            let membership = membership_of(&event.pdu)?;
            let user = self.user_number(&user_id).await?;
            members.put(user, &user_id, self.is_local(&user_id), &membership);
            rows.push((user, membership, number));
        }
        Ok((members, rows))
    }

    /// Who was in the room when this server last was, and is not any more.
    async fn gone_from(&self, room: RoomNumber, members: &Members) -> Result<Vec<UserNumber>, RoomError> {
        let present = store::memberships::present_in(self.database(), &[room]).await?;
        let gone = present
            .into_iter()
            .map(|(_, user, _)| user)
            .filter(|user| !members.joined.contains(user) && !members.invited.contains(user));
        Ok(gone.collect())
    }
}

/// The state that these events make up.
pub(super) fn state_of(
    room: RoomNumber,
    ids: &[OwnedEventId],
    known: &HashMap<OwnedEventId, Arc<Event>>,
) -> State {
    let mut state = State::default();
    for event in ids.iter().filter_map(|id| known.get(id)) {
        let is_usable = event.room == room && event.outcome != Outcome::Rejected;
        if let Some(state_key) = event.pdu.state_key.as_deref().filter(|_| is_usable) {
            state.insert(event.pdu.type_name(), state_key, event.number);
        }
    }
    state
}

/// Whether the state that was told, and after it these other events, let the user in.
fn check_join(
    join: &Pdu,
    rules: &echorift_events::RoomVersionRules,
    (before, others): (&State, &[EventNumber]),
    known: &HashMap<OwnedEventId, Arc<Event>>,
) -> Result<(), RoomError> {
    let create = before.get(&TimelineEventType::RoomCreate.to_string(), "");
    if create.is_none() {
        return Err(RoomError::BadRequest("The room has no create event.".to_owned()));
    }
    let in_state: std::collections::HashSet<EventNumber> = before.events().collect();
    let of_state = known.values().filter(|event| in_state.contains(&event.number));
    let named = known
        .values()
        .filter(|event| others.contains(&event.number) && event.outcome != Outcome::Rejected);
    let standing: Vec<&Arc<Event>> = of_state.chain(named).collect();
    authorise(join, rules, |event_type: &StateEventType, state_key| {
        find_in(standing.iter().copied(), event_type, state_key)
    })?;
    Ok(())
}
