//! Rooms whose members are still missing from the state (SS API § Faster joins): usable at once, completed later.
//!
//! Until then, an event whose sender is missing is judged by the member event that it names itself. When the members
//! come, they are laid under every state that was made meanwhile, in the place where it is stored.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use echorift_storage::{Change, EventNumber, Record, RoomNumber, SnapshotNumber, StorageError};
use ruma::{OwnedEventId, OwnedServerName};

use crate::{
    Event, Room, RoomError, Rooms, State,
    append::membership_of,
    room::{Members, Standing},
    store,
};

/// How long a question about a room's members waits for them.
const MEMBERS_WAIT: Duration = Duration::from_secs(30);

/// A join that waits for the room's members.
#[derive(Debug, Clone)]
pub struct PartialJoin {
    pub room: RoomNumber,
    /// The event by which this server came in: the state is to be told as it was before it.
    pub join: EventNumber,
    /// The server that answered the join.
    pub resident: OwnedServerName,
}

impl Rooms {
    /// All joins that wait for their rooms' members.
    pub async fn partial_joins(&self) -> Result<Vec<PartialJoin>, StorageError> {
        let joins = store::partial::all(self.database()).await?;
        Ok(joins.into_iter().map(|(join, _)| join).collect())
    }

    /// The servers that were in the rooms whose members are still missing, by what the joins were answered.
    pub async fn servers_of_partial(
        &self,
    ) -> Result<HashMap<RoomNumber, Vec<OwnedServerName>>, StorageError> {
        let joins = store::partial::all(self.database()).await?;
        Ok(joins
            .into_iter()
            .map(|(join, servers)| (join.room, servers))
            .collect())
    }

    /// Waits until the room's members are all here, for who asks about them; for as long as a client would wait, and then
    /// goes on with those that are.
    pub async fn wait_for_members(&self, room: &Room) {
        let waited = tokio::time::timeout(MEMBERS_WAIT, room.wait_until_whole()).await;
        if waited.is_err() {
            tracing::info!(room_id = %room.id, "members are told while some are still missing");
        }
    }

    /// Lays the members under all states that were made without them: `told` is the room's state before the join, and
    /// all of its events are here. Does nothing if the room is not partial any more.
    pub async fn complete(
        &self,
        room: &Arc<Room>,
        join: &PartialJoin,
        told: &[OwnedEventId],
    ) -> Result<(), RoomError> {
        let mut guard = room.head.lock().await;
        if room.standing() != Standing::Partial {
            return Ok(());
        }
        let head = self.current_head(room, &guard).await?;
        let ids: Vec<&ruma::EventId> = told.iter().map(|id| &**id).collect();
        let known = self.known_events(&ids).await?;
        let mut whole = super::import::state_of(room.number, told, &known);
        let mut change = Change::new();
        whole.snapshot = SnapshotNumber(self.0.snapshot_numbers.next().await?);
        store::snapshots::insert_full(&mut change, room.number, &whole);

        let since = self.event(join.join).await?.position();
        let mut made: BTreeSet<SnapshotNumber> =
            store::partial::snapshots_since(self.database(), room.number, since)
                .await?
                .into_iter()
                .collect();
        made.insert(head.state.snapshot);
        made.extend(head.extremities.iter().map(|end| end.snapshot));
        made.remove(&SnapshotNumber(0));
        let states = self.states(made).await?;
        let mut completed = Vec::with_capacity(states.len());
        for state in states.into_values() {
            let state = lay_under(&whole, &state);
            store::partial::rewrite(&mut change, &state, &whole);
            completed.push(state);
        }

        let mut head = head;
        head.state = lay_under(&whole, &head.state);
        head.state.chain_length = 1;
        let (members, rows) = self.all_members(&head.state, &known).await?;
        head.members = members;
        let mine: Vec<_> = head.members.joined_local.iter().copied().collect();
        let first = mine.iter().map(|user| {
            change.record(Record::Membership {
                room: room.number,
                user: *user,
            })
        });
        let records: Vec<_> = first.collect();
        if let Some(record) = records.first() {
            for (user, membership, event) in rows {
                if !head.members.joined_local.contains(&user) {
                    store::memberships::put(&mut change, room.number, user, &membership, event, *record);
                }
            }
        }
        store::partial::remove(&mut change, room.number);
        store::heads::put_room(
            &mut change,
            room.number,
            &room.version,
            self.clock().now(),
            Standing::Resident,
        );
        change.chain(&head.chain);
        let (rooms, held, state, members) = (
            self.clone(),
            Arc::clone(room),
            head.state.clone(),
            head.members.clone(),
        );
        change.on_commit(move |_| {
            for state in completed {
                rooms.remember_state(&state);
            }
            held.complete(state, members);
        });
        let commit = self.database().writer().submit(change).await;
        *guard = Some(head);
        drop(guard);
        commit.done().await?;
        self.judge_withheld_again(room).await
    }

    /// Gives a partial join up, because nobody of this server is in the room any more.
    pub async fn forget_partial(&self, room: &Arc<Room>) -> Result<(), RoomError> {
        let mut change = Change::new();
        store::partial::remove(&mut change, room.number);
        store::heads::put_room(
            &mut change,
            room.number,
            &room.version,
            self.clock().now(),
            Standing::Resident,
        );
        room.set_standing(Standing::Resident);
        Ok(self.database().writer().commit(change).await?)
    }

    /// The members in a state, from events that are known or stored.
    async fn all_members(
        &self,
        state: &State,
        known: &HashMap<OwnedEventId, Arc<Event>>,
    ) -> Result<(Members, Vec<super::import::MemberRow>), RoomError> {
        let by_number: HashMap<EventNumber, &Arc<Event>> =
            known.values().map(|event| (event.number, event)).collect();
        let numbers = state.of_type("m.room.member").map(|(_, number)| number);
        let absent: Vec<EventNumber> = numbers.filter(|number| !by_number.contains_key(number)).collect();
        let mut all = known.clone();
        for event in self.events(&absent).await? {
            // Those that do not say a membership would have been refused.
            if membership_of(&event.pdu).is_ok() {
                all.insert(event.pdu.event_id.clone(), event);
            }
        }
        self.members_of(state, &all).await
    }
}

/// A state with what `whole` has beyond it: it was made from a part of `whole`, and says more of the keys that it has.
fn lay_under(whole: &State, state: &State) -> State {
    let mut result = state.clone();
    for (key, event) in whole.entries() {
        if state.get_key(key).is_none() {
            result.insert_key(Arc::clone(key), event);
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_laid_under_what_happened_since() {
        let mut whole = State::default();
        whole.insert("m.room.member", "@a:x", EventNumber(1));
        whole.insert("m.room.member", "@b:x", EventNumber(2));
        let mut since = State::default();
        since.insert("m.room.member", "@b:x", EventNumber(9));
        since.insert("m.room.topic", "", EventNumber(8));
        let completed = lay_under(&whole, &since);
        assert_eq!(completed.get("m.room.member", "@a:x"), Some(EventNumber(1)));
        assert_eq!(completed.get("m.room.member", "@b:x"), Some(EventNumber(9)));
        assert_eq!(completed.len(), 3);
    }
}
