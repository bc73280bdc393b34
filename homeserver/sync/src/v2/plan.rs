use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use echorift_rooms::{Event, Room, RoomError, State, View};
use echorift_storage::{EventNumber, Position, SnapshotNumber};

use super::{Scope, Standings, membership::Standing};
use crate::{
    Syncs,
    sticky::{STICKY_EVENTS_MAX, StickyPage, StickyPlace, StickyRoom},
    timeline::Timeline,
};

/// What is told of one room, before it is written out.
pub(crate) struct Plan {
    pub room: Arc<Room>,
    pub view: Arc<View>,
    pub timeline: Timeline,
    /// The state events to tell, without those that lazy loading leaves out.
    pub state: Vec<EventNumber>,
    /// What was told of this room before; `None` if nothing.
    pub after: Option<Position>,
    pub joined_at: Position,
    /// Whether the numbers of members may have changed.
    pub has_member_news: bool,
}

impl Syncs {
    /// Plans the rooms that the reader is in, and those that the reader has left.
    pub(super) async fn plan_rooms(
        &self,
        scope: &Scope<'_>,
        standings: &Standings,
    ) -> Result<(Vec<Plan>, Vec<Plan>), RoomError> {
        let fresh: Vec<Arc<Room>> = standings.iter().map(|(room, _)| Arc::clone(room)).collect();
        if fresh.len() > 1 {
            self.rooms().prepare_visibility(&fresh).await?;
        }
        let mut drafts = Vec::new();
        for (room, standing) in standings {
            let (after, to, joined_at, is_left) = match *standing {
                Standing::Joined { joined_at } => (scope.after(), scope.now.position, joined_at, false),
                Standing::NewlyJoined { joined_at } => (None, scope.now.position, joined_at, false),
                Standing::Left { at, was_joined: true } => (scope.after(), at, at, true),
                Standing::Left {
                    at,
                    was_joined: false,
                } if scope.after().is_none() => (None, at, at, true),
                // Somebody who was never in sees the end of the invitation and nothing else.
                Standing::Left { at, .. } => (Some(Position(at.0.saturating_sub(1))), at, at, true),
                Standing::Invited | Standing::Knocked => continue,
            };
            let mut timeline = self.read_timeline(scope.wanted_events(), room, after, to).await?;
            let mut view = room.view();
            if is_left {
                view = Arc::new(View {
                    state: self.rooms().state_at(room, to).await?,
                    ..View::clone(&view)
                });
                self.add_own_departure(&scope.options.timeline, room, to, &mut timeline)
                    .await?;
            }
            drafts.push((Arc::clone(room), view, timeline, after, joined_at, is_left));
        }

        let starts = drafts
            .iter()
            .filter_map(|(_, view, timeline, ..)| needed_snapshot(view, timeline));
        let states = self.rooms().states(starts.collect::<HashSet<_>>()).await?;
        let (mut joined, mut left) = (Vec::new(), Vec::new());
        for (room, view, timeline, after, joined_at, is_left) in drafts {
            let known = after.filter(|_| !scope.options.full_state);
            let state = self
                .plan_state(scope, (&room, &view), &timeline, known, &states)
                .await?;
            let has_member_news =
                known.is_none() || timeline.limited || timeline.events.iter().any(is_member);
            let has_member_news = has_member_news || timeline.all.iter().flatten().any(is_member);
            let plan = Plan {
                room,
                view,
                timeline,
                state,
                after: known,
                joined_at,
                has_member_news,
            };
            if is_left {
                left.push(plan);
            } else {
                joined.push(plan);
            }
        }
        Ok((joined, left))
    }

    /// The sticky events to tell of the rooms that the reader is in (MSC4354). Filters of rooms' events do not apply.
    pub(super) async fn plan_sticky(
        &self,
        scope: &Scope<'_>,
        joined: &[Plan],
    ) -> Result<StickyPage, RoomError> {
        let rooms = joined.iter().filter(|plan| plan.room.has_sticky_events());
        let rooms = rooms.map(|plan| StickyRoom {
            room: &plan.room,
            shown: plan.timeline.events.iter().map(|event| event.number).collect(),
        });
        let rooms: Vec<StickyRoom<'_>> = rooms.collect();
        let after = match (scope.sticky_after, scope.after()) {
            (Some(place), Some(_)) => place.clone(),
            (_, Some(after)) => StickyPlace::all_until(after),
            (_, None) => StickyPlace::start(),
        };
        let between = (&after, scope.now.position);
        self.sticky_page(scope.reader, &rooms, between, STICKY_EVENTS_MAX)
            .await
    }

    /// Which state events to tell (CS API § Syncing; `state_after`: MSC4222).
    async fn plan_state(
        &self,
        scope: &Scope<'_>,
        (room, view): (&Arc<Room>, &Arc<View>),
        timeline: &Timeline,
        after: Option<Position>,
        states: &HashMap<SnapshotNumber, State>,
    ) -> Result<Vec<EventNumber>, RoomError> {
        let numbers: Vec<EventNumber> = match (after, &timeline.all) {
            // Everything since the token is at hand: no states need to be compared.
            (Some(_), Some(all)) if !has_forks(all) => {
                let end = match timeline.events.first() {
                    Some(first) if !scope.options.use_state_after => first.position(),
                    _ => Position(i64::MAX),
                };
                let mut latest = BTreeMap::new();
                for event in all.iter().filter(|event| event.position() < end) {
                    if let Some(key) = event.pdu.state_key_pair() {
                        latest.insert((key.0.to_string(), key.1.to_owned()), event.number);
                    }
                }
                latest.into_values().collect()
            }
            _ => {
                let target = if scope.options.use_state_after {
                    view.state.clone()
                } else {
                    self.state_before(room, view, timeline, states).await?
                };
                let mut numbers: Vec<EventNumber> = match after {
                    None => target.events().collect(),
                    Some(after) => {
                        let known = self.rooms().state_at(room, after).await?;
                        known
                            .changes_to(&target)
                            .into_iter()
                            .filter_map(|change| change.after)
                            .collect()
                    }
                };
                if !scope.options.use_state_after && has_forks(&timeline.events) {
                    numbers.extend(beside_the_timeline(target, view, timeline));
                }
                numbers
            }
        };
        Ok(numbers)
    }
}

fn is_member(event: &Arc<Event>) -> bool {
    event.pdu.event_type == ruma::events::TimelineEventType::RoomMember
}

/// Whether the room's history had several ends at some of these events, so that its state is not what they say alone.
fn has_forks(events: &[Arc<Event>]) -> bool {
    events.iter().any(|event| event.snapshot != event.room_snapshot)
}

/// What the room's state has come to otherwise than by the events of the timeline: by the resolution of forks.
fn beside_the_timeline(mut state: State, view: &View, timeline: &Timeline) -> Vec<EventNumber> {
    for event in &timeline.events {
        if let Some((event_type, state_key)) = event.pdu.state_key_pair() {
            state.insert(&event_type.to_string(), state_key, event.number);
        }
    }
    let changes = state.changes_to(&view.state).into_iter();
    changes.filter_map(|change| change.after).collect()
}

/// The state that must be loaded to tell what it was before the timeline's first event.
fn needed_snapshot(view: &View, timeline: &Timeline) -> Option<SnapshotNumber> {
    let first = timeline.events.first()?;
    (first.snapshot != view.state.snapshot).then_some(first.snapshot)
}

impl Syncs {
    /// The room's state right before the first event of the timeline.
    async fn state_before(
        &self,
        room: &Room,
        view: &View,
        timeline: &Timeline,
        states: &HashMap<SnapshotNumber, State>,
    ) -> Result<State, RoomError> {
        match timeline.events.first() {
            None => Ok(view.state.clone()),
            Some(first) if first.snapshot != first.room_snapshot => {
                let before = Position(first.position().0.saturating_sub(1));
                Ok(self.rooms().state_at(room, before).await?)
            }
            Some(first) => Ok(state_before(first, view, states)),
        }
    }
}

/// The state right before an event.
fn state_before(first: &Event, view: &View, states: &HashMap<SnapshotNumber, State>) -> State {
    let mut state = match states.get(&first.snapshot) {
        Some(state) => state.clone(),
        None => view.state.clone(),
    };
    // The snapshot is the state after the event: take the event out again.
    if let Some((event_type, state_key)) = first.pdu.state_key_pair() {
        let event_type = event_type.to_string();
        match first.replaces {
            Some(replaced) => state.insert(&event_type, state_key, replaced),
            None => state.remove_key(&echorift_rooms::key_of(&event_type, state_key)),
        }
    }
    state
}
