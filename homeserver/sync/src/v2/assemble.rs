use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use echorift_push::{RoomCounts, UnreadCounts};
use echorift_rooms::{Event, RoomError, Rooms, TimelineToken};
use echorift_storage::{EventNumber, UserNumber};
use echorift_web::MatrixError;
use ruma::{
    EventId, UInt,
    api::client::sync::sync_events::{
        UnreadNotificationsCount,
        v3::{
            Ephemeral, GlobalAccountData, JoinedRoom, LeftRoom, Presence, RoomAccountData, State, Timeline,
        },
    },
    events::{AnySyncStateEvent, TimelineEventType, presence::PresenceEvent},
    serde::Raw,
};
use serde_json::json;

use super::{Joined, Left, Scope, plan::Plan};
use crate::{
    Syncs,
    account_data::{push_rules_event, raw, write_account_data},
    sticky::StickyPage,
    summary::summary_of,
};

type EventsByNumber = HashMap<EventNumber, Arc<Event>>;

impl Syncs {
    pub(super) async fn assemble_joined(
        &self,
        scope: &Scope<'_>,
        plans: Vec<Plan>,
        sticky: &StickyPage,
    ) -> Result<Joined, MatrixError> {
        let mut lazy = Vec::with_capacity(plans.len());
        for plan in &plans {
            lazy.push(self.state_to_tell(scope, plan).await?);
        }
        let events = self.load_events(lazy.iter().flatten().copied()).await?;
        let account_data = self.accounts().room_account_data(scope.reader.user).await?;
        let mut joined = BTreeMap::new();
        for (plan, state) in plans.into_iter().zip(lazy) {
            let room = &plan.room;
            let mut answer = JoinedRoom::new();
            answer.timeline = self.write_timeline(scope, &plan).await?;
            answer.state = write_state(self.rooms(), scope, &plan, &state, &events);
            answer.ephemeral = self.write_ephemeral(scope, &plan).await?;
            if let Some(events) = sticky.events.get(&room.number) {
                let shown = self.rooms().present(room, events, scope.reader).await?;
                answer.sticky.events = events
                    .iter()
                    .zip(shown)
                    .map(|(event, shown)| Raw::from_json(scope.options.shape(event, shown)))
                    .collect();
            }
            let data = account_data
                .get(&room.number)
                .into_iter()
                .flat_map(|data| data.iter());
            let data =
                data.filter(|(data_type, _)| scope.options.room_account_data.wants(&room.id, data_type));
            answer.account_data = RoomAccountData {
                events: write_account_data(data, plan.after),
            };
            if plan.has_member_news {
                answer.summary = summary_of(self.rooms(), &plan.view, scope.reader).await?;
            }
            if plan.after.is_some() && answer.is_empty() {
                continue;
            }
            let user = (scope.reader.user, &*scope.reader.user_id);
            let counts = self
                .unread()
                .counts(user, room, plan.joined_at, scope.now.position)
                .await?;
            write_counts(&mut answer, &counts, scope.options.unread_threads);
            joined.insert(room.id.clone(), answer);
        }
        Ok(joined)
    }

    pub(super) async fn assemble_left(
        &self,
        scope: &Scope<'_>,
        plans: Vec<Plan>,
    ) -> Result<Left, MatrixError> {
        let mut left = BTreeMap::new();
        for plan in plans {
            let state = self.state_to_tell(scope, &plan).await?;
            let events = self.load_events(state.iter().copied()).await?;
            let timeline = self.write_timeline(scope, &plan).await?;
            let state = write_state(self.rooms(), scope, &plan, &state, &events);
            left.insert(
                plan.room.id.clone(),
                LeftRoom {
                    timeline,
                    state,
                    account_data: RoomAccountData::new(),
                },
            );
        }
        Ok(left)
    }

    async fn load_events(
        &self,
        numbers: impl Iterator<Item = EventNumber>,
    ) -> Result<EventsByNumber, RoomError> {
        let numbers: Vec<EventNumber> = numbers.collect();
        let events = self.rooms().events(&numbers).await?;
        Ok(events.into_iter().map(|event| (event.number, event)).collect())
    }

    /// The planned state, without the member events that lazy loading leaves out and with those that it wants told.
    async fn state_to_tell(&self, scope: &Scope<'_>, plan: &Plan) -> Result<Vec<EventNumber>, RoomError> {
        let Some(include_redundant) = scope.options.lazy_members else {
            return Ok(plan.state.clone());
        };
        let session = scope.reader.session_number.unwrap_or_default();
        if plan.after.is_none() {
            self.lazy().reset(session, plan.room.number);
        }
        let state = &plan.view.state;
        let member_of = |user: &str| state.get("m.room.member", user);
        let members: HashSet<EventNumber> =
            state.of_type("m.room.member").map(|(_, number)| number).collect();
        let mut wanted: HashMap<EventNumber, UserNumber> = HashMap::new();
        for event in &plan.timeline.events {
            if let Some(number) = member_of(event.pdu.sender.as_str()) {
                wanted.insert(number, event.sender);
            }
        }
        if plan.after.is_none() {
            wanted.extend(member_of(scope.reader.user_id.as_str()).map(|number| (number, scope.reader.user)));
            let heroes = summary_of(self.rooms(), &plan.view, scope.reader).await?.heroes;
            for hero in &heroes {
                if let Some(number) = member_of(hero.as_str()) {
                    wanted.insert(number, self.rooms().user_number(hero).await?);
                }
            }
        }
        // What the timeline itself tells is not told again in the state before it.
        if !scope.options.use_state_after {
            for event in &plan.timeline.events {
                wanted.remove(&event.number);
            }
        }
        // What changed is always told: the client keeps a member list that it once loaded current by it.
        let is_change = plan.after.is_some();
        let mut told: Vec<EventNumber> = plan
            .state
            .iter()
            .copied()
            .filter(|number| is_change || !members.contains(number))
            .collect();
        for (number, user) in wanted {
            let is_news = self.lazy().is_news(session, plan.room.number, user, number);
            if (is_news || include_redundant) && !told.contains(&number) {
                told.push(number);
            }
        }
        Ok(told)
    }

    async fn write_timeline(&self, scope: &Scope<'_>, plan: &Plan) -> Result<Timeline, RoomError> {
        let timeline = &plan.timeline;
        let shown = self
            .rooms()
            .present(&plan.room, &timeline.events, scope.reader)
            .await?;
        let events = timeline.events.iter().zip(shown);
        let has_something = !timeline.events.is_empty() || timeline.limited || plan.after.is_none();
        Ok(Timeline {
            limited: timeline.limited,
            prev_batch: has_something.then(|| TimelineToken(timeline.start).to_string()),
            events: events
                .map(|(event, shown)| Raw::from_json(scope.options.shape(event, shown)))
                .collect(),
        })
    }

    /// Receipts and typing.
    async fn write_ephemeral(&self, scope: &Scope<'_>, plan: &Plan) -> Result<Ephemeral, RoomError> {
        let mut events = Vec::new();
        let room = &plan.room;
        if scope.options.ephemeral.wants(&room.id, "m.receipt") {
            let after = plan.after.unwrap_or_default();
            for content in self.receipts_in(scope.reader, room, after).await? {
                events.push(raw(&json!({ "type": "m.receipt", "content": content }))?);
            }
        }
        let heard = plan.after.and(scope.since).map_or(0, |since| since.ephemeral);
        if scope.options.ephemeral.wants(&room.id, "m.typing")
            && let Some(typing) = self
                .typing_in(scope.reader, room, heard, plan.after.is_none())
                .await?
        {
            events.push(raw(&json!({ "type": "m.typing", "content": typing }))?);
        }
        Ok(Ephemeral { events })
    }

    pub(super) async fn global_account_data(
        &self,
        scope: &Scope<'_>,
    ) -> Result<GlobalAccountData, MatrixError> {
        let after = scope.after().filter(|_| !scope.options.full_state);
        let data = self.accounts().global_account_data(scope.reader.user).await?;
        let wanted = data
            .iter()
            .filter(|(data_type, _)| scope.options.account_data.wants(data_type));
        let mut events = write_account_data(wanted, after);
        // Every user has push rules, also one who never touched them.
        let has_rules = data.contains_key("m.push_rules");
        if after.is_none() && !has_rules && scope.options.account_data.wants("m.push_rules") {
            events.push(push_rules_event(&scope.reader.user_id)?);
        }
        Ok(GlobalAccountData { events })
    }

    pub(super) async fn presence_for(
        &self,
        scope: &Scope<'_>,
        newcomers: &HashSet<UserNumber>,
    ) -> Result<Presence, MatrixError> {
        if !scope.options.presence.wants("m.presence") {
            return Ok(Presence::default());
        }
        let after = scope.since.map_or(0, |since| since.ephemeral);
        let events = self.presence_events(scope.reader, after, newcomers).await?;
        let events: Result<Vec<Raw<PresenceEvent>>, _> = events.iter().map(raw).collect();
        Ok(Presence { events: events? })
    }
}

fn write_state(
    rooms: &Rooms,
    scope: &Scope<'_>,
    plan: &Plan,
    numbers: &[EventNumber],
    events: &EventsByNumber,
) -> State {
    let found = numbers.iter().filter_map(|number| events.get(number));
    let wanted = found.filter(|event| {
        // A filter on senders or types does not undo lazy loading's own choice of members.
        let is_lazy_member =
            scope.options.lazy_members.is_some() && event.pdu.event_type == TimelineEventType::RoomMember;
        is_lazy_member || scope.options.state.matches(event)
    });
    let state: Vec<Raw<AnySyncStateEvent>> = wanted
        .map(|event| Raw::from_json(scope.options.shape(event, rooms.present_plain(event))))
        .collect();
    // An empty `state_after` is told only with a timeline, so that rooms without news stay out of the answer.
    if scope.options.use_state_after
        && (!state.is_empty() || !plan.timeline.events.is_empty() || plan.after.is_none())
    {
        State::After(state.into())
    } else {
        State::Before(state.into())
    }
}

fn write_counts(answer: &mut JoinedRoom, counts: &RoomCounts, by_thread: bool) {
    let write = |counts: UnreadCounts| UnreadNotificationsCount {
        notification_count: Some(UInt::from(counts.notifications)),
        highlight_count: Some(UInt::from(counts.highlights)),
    };
    if !by_thread {
        answer.unread_notifications = write(counts.total());
        return;
    }
    answer.unread_notifications = write(counts.main);
    let threads = counts
        .threads
        .iter()
        .filter_map(|(root, counts)| Some((EventId::parse(&**root).ok()?, write(*counts))));
    answer.unread_thread_notifications = threads.collect();
}
