use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use echorift_rooms::{Event, Room, RoomError, TimelineToken};
use echorift_storage::{EventNumber, Position, RoomNumber};
use echorift_web::MatrixError;
use ruma::OwnedRoomId;
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};

use super::{
    answer::{Hero, RoomAnswer, StateStub},
    connection::{Sent, SentRoom, Standing},
    poll::Turn,
    room::{Content, Inside, Plan},
    windows::{Wanted, Windows},
};
use crate::Syncs;

/// So many events make an answer large enough: the rooms that do not fit are told with the next one, which does not
/// wait. Bounds what a wildcard of required state in rooms of many members can ask for at once.
const ANSWER_EVENTS_MAX: usize = 20_000;

/// In which rooms something happened since the client's `pos`.
pub(crate) enum Stirred {
    In(HashSet<RoomNumber>),
    /// In any of them.
    Anywhere,
}

impl Stirred {
    pub fn contains(&self, room: RoomNumber) -> bool {
        match self {
            Self::In(rooms) => rooms.contains(&room),
            Self::Anywhere => true,
        }
    }
}

type EventsByNumber = HashMap<EventNumber, Arc<Event>>;
pub(crate) type RoomAnswers = BTreeMap<OwnedRoomId, RoomAnswer>;

impl Syncs {
    /// What is new of the rooms that the client looks at; `sent` becomes what the client has then.
    pub(super) async fn tell_rooms(
        &self,
        turn: &Turn<'_>,
        windows: &Windows,
        stirred: &Stirred,
        sent: &mut Sent,
    ) -> Result<RoomAnswers, MatrixError> {
        let looked_at: HashSet<RoomNumber> = windows
            .rooms
            .iter()
            .map(|wanted| wanted.entry.room.number)
            .collect();
        let known = turn.known_position();
        leave_behind(sent, stirred, known, |room| !looked_at.contains(&room));

        let mut plans = Vec::new();
        let mut budget = ANSWER_EVENTS_MAX;
        let to_look_at: Vec<(&Wanted, bool)> = windows
            .rooms
            .iter()
            .map(|wanted| (wanted, windows.facts.is_direct(&wanted.entry)))
            .filter(|(wanted, is_direct)| needs_look(wanted, *is_direct, sent, stirred))
            .collect();
        if to_look_at.len() > 1 {
            let rooms: Vec<Arc<Room>> = to_look_at
                .iter()
                .map(|(wanted, _)| Arc::clone(&wanted.entry.room))
                .collect();
            self.rooms()
                .prepare_visibility(&rooms)
                .await
                .map_err(RoomError::from)?;
        }
        let mut unlooked = HashSet::new();
        for (wanted, is_direct) in to_look_at {
            let number = wanted.entry.room.number;
            if budget == 0 {
                unlooked.insert(number);
                continue;
            }
            let plan = self
                .plan_room(turn, wanted, sent.rooms.get(&number), is_direct)
                .await?;
            budget = budget.saturating_sub(plan.events());
            plans.push(plan);
        }
        leave_behind(sent, stirred, known, |room| unlooked.contains(&room));
        self.write_rooms(turn, plans, sent).await
    }

    async fn write_rooms(
        &self,
        turn: &Turn<'_>,
        plans: Vec<Plan<'_>>,
        sent: &mut Sent,
    ) -> Result<RoomAnswers, MatrixError> {
        let (told, silent): (Vec<Plan<'_>>, Vec<Plan<'_>>) = plans.into_iter().partition(|plan| plan.is_told);
        for plan in silent {
            sent.rooms.insert(plan.wanted.entry.room.number, plan.after);
        }
        let needed: HashSet<EventNumber> = told
            .iter()
            .filter_map(|plan| match &plan.content {
                Content::Inside(inside) => Some(inside.needed()),
                Content::Stripped | Content::Nothing => None,
            })
            .flatten()
            .collect();
        let needed: Vec<EventNumber> = needed.into_iter().collect();
        let events = self.rooms().events(&needed).await.map_err(RoomError::from)?;
        let events: EventsByNumber = events.into_iter().map(|event| (event.number, event)).collect();
        let joined: Vec<Arc<Room>> = told
            .iter()
            .map(|plan| &plan.wanted.entry)
            .filter(|entry| entry.standing == Standing::Joined)
            .map(|entry| Arc::clone(&entry.room))
            .collect();
        let bumped = self.rooms().bump_stamps(&joined).await.map_err(RoomError::from)?;
        let mut answers = RoomAnswers::new();
        for mut plan in told {
            let entry = &plan.wanted.entry;
            let mut answer = RoomAnswer {
                initial: plan.is_initial,
                lists: plan.wanted.lists.clone(),
                membership: Some(entry.membership.membership.to_string()),
                is_dm: plan.is_direct_new.then_some(plan.after.is_dm),
                ..RoomAnswer::default()
            };
            let bump_stamp = match entry.standing {
                Standing::Joined => bumped.get(&entry.room.number).copied(),
                _ => Some(entry.membership.position),
            };
            answer.bump_stamp = bump_stamp.map(|position| position.0);
            match &plan.content {
                Content::Inside(inside) => {
                    self.write_inside(turn, &plan, inside, &events, &mut answer)
                        .await?;
                    let members = inside.news.events.iter().filter_map(|number| events.get(number));
                    for member in members.filter(|event| event.pdu.type_name() == "m.room.member") {
                        plan.after.is_news(member.number);
                    }
                }
                Content::Stripped => {
                    let Some(state) = self.stripped_state(&entry.room, turn.reader).await? else {
                        continue;
                    };
                    answer.set_stripped(turn.wishes.dialect, state);
                }
                Content::Nothing => {}
            }
            answers.insert(entry.room.id.clone(), answer);
            sent.rooms.insert(entry.room.number, plan.after);
        }
        Ok(answers)
    }

    async fn write_inside(
        &self,
        turn: &Turn<'_>,
        plan: &Plan<'_>,
        inside: &Inside,
        events: &EventsByNumber,
        answer: &mut RoomAnswer,
    ) -> Result<(), MatrixError> {
        let entry = &plan.wanted.entry;
        let room = &entry.room;
        if let Some(timeline) = &inside.timeline {
            let shown = self.rooms().present(room, &timeline.events, turn.reader).await?;
            answer.timeline = shown;
            answer.shown = timeline.events.iter().map(|event| event.number).collect();
            answer.limited = timeline.limited;
            answer.shown_after = Some(timeline.start);
            answer.prev_batch = Some(TimelineToken(timeline.start).to_string());
            let is_live = |event: &&Arc<Event>| turn.live_after.is_some_and(|live| event.position() > live);
            answer.num_live = Some(timeline.events.iter().filter(is_live).count());
        }
        if inside.is_expanded {
            answer.set_expanded(turn.wishes.dialect);
        }
        let state = inside.news.events.iter().filter_map(|number| events.get(number));
        answer.required_state = state.map(|event| self.rooms().present_plain(event)).collect();
        for key in &inside.news.removed {
            answer.required_state.extend(stub(key));
        }
        self.write_name(inside, plan.is_initial, events, answer).await?;
        if let Some((joined, invited)) = inside.counts {
            answer.joined_count = Some(joined);
            answer.invited_count = Some(invited);
        }
        if entry.standing == Standing::Joined {
            let user = (turn.reader.user, &*turn.reader.user_id);
            let joined_at = entry.membership.position;
            let counts = self
                .unread()
                .counts(user, room, joined_at, turn.now.position)
                .await?
                .total();
            answer.notification_count = Some(counts.notifications);
            answer.highlight_count = Some(counts.highlights);
        }
        Ok(())
    }

    /// Name and avatar, and who stands for a room without a name.
    async fn write_name(
        &self,
        inside: &Inside,
        is_initial: bool,
        events: &EventsByNumber,
        answer: &mut RoomAnswer,
    ) -> Result<(), RoomError> {
        #[derive(Default, Deserialize)]
        struct Content {
            name: Option<String>,
            url: Option<String>,
        }
        let content = |event_type: &str| -> Content {
            let event = inside
                .state
                .get(event_type, "")
                .and_then(|number| events.get(&number));
            event
                .and_then(|event| event.pdu.content_as().ok())
                .unwrap_or_default()
        };
        // In the first answer what is not there is left out.
        let change = |value: Option<String>| (!is_initial || value.is_some()).then_some(value);
        let name = inside.asks_name().then(|| content("m.room.name").name).flatten();
        let name = name.filter(|name| !name.is_empty());
        if inside.news.is_name_new {
            answer.name = change(name.clone());
        }
        if inside.news.is_avatar_new {
            answer.avatar = change(content("m.room.avatar").url.filter(|url| !url.is_empty()));
        }
        if let Some(heroes) = &inside.heroes
            && name.is_none()
        {
            answer.heroes = Some(self.write_heroes(inside, heroes).await?);
        }
        Ok(())
    }

    async fn write_heroes(
        &self,
        inside: &Inside,
        heroes: &[echorift_storage::UserNumber],
    ) -> Result<Vec<Hero>, RoomError> {
        #[derive(Default, Deserialize)]
        struct Member {
            displayname: Option<String>,
            avatar_url: Option<String>,
        }
        let ids = self.rooms().user_ids(heroes).await?;
        let member_of = |user: &ruma::OwnedUserId| inside.state.get("m.room.member", user.as_str());
        let members: Vec<EventNumber> = ids.iter().filter_map(member_of).collect();
        let events = self.rooms().events(&members).await?;
        let hero = |user_id: ruma::OwnedUserId| {
            let number = member_of(&user_id);
            let event = events.iter().find(|event| Some(event.number) == number);
            let member: Member = event
                .and_then(|event| event.pdu.content_as().ok())
                .unwrap_or_default();
            Hero {
                user_id,
                displayname: member.displayname,
                avatar_url: member.avatar_url.filter(|url| !url.is_empty()),
            }
        };
        Ok(ids.into_iter().map(hero).collect())
    }
}

impl Plan<'_> {
    fn events(&self) -> usize {
        match &self.content {
            Content::Inside(inside) => {
                let timeline = inside
                    .timeline
                    .as_ref()
                    .map_or(0, |timeline| timeline.events.len());
                timeline + inside.news.events.len()
            }
            Content::Stripped | Content::Nothing => 1,
        }
    }
}

/// Whether anything could be new of the room.
fn needs_look(wanted: &Wanted, is_direct: bool, sent: &Sent, stirred: &Stirred) -> bool {
    let entry = &wanted.entry;
    let Some(before) = sent.rooms.get(&entry.room.number) else {
        return true;
    };
    let is_inside = entry.standing == Standing::Joined;
    stirred.contains(entry.room.number)
        || before.behind.is_some()
        || before.standing != entry.standing
        || before.is_dm != is_direct
        || (is_inside && before.timeline_limit < wanted.timeline_limit)
        || (is_inside
            && before.required_state != wanted.required_state
            && !before.required_state.covers(&wanted.required_state))
}

/// Notes that the client's next `pos` does not cover those of the stirred rooms that it is not told of.
fn leave_behind(sent: &mut Sent, stirred: &Stirred, known: Position, is_untold: impl Fn(RoomNumber) -> bool) {
    let is_late = |(number, room): &(&RoomNumber, &SentRoom)| {
        room.behind.is_none() && stirred.contains(**number) && is_untold(**number)
    };
    let late: Vec<RoomNumber> = match stirred {
        Stirred::In(rooms) => {
            let known = rooms.iter().filter_map(|number| sent.rooms.get_key_value(number));
            known.filter(is_late).map(|(number, _)| *number).collect()
        }
        Stirred::Anywhere => sent
            .rooms
            .iter()
            .filter(is_late)
            .map(|(number, _)| *number)
            .collect(),
    };
    for number in late {
        if let Some(room) = sent.rooms.get_mut(&number) {
            room.behind = Some(known);
        }
    }
}

/// State that is there no more, by its key.
fn stub(key: &str) -> Option<Box<RawValue>> {
    let (event_type, state_key) = key.split_once('\0')?;
    to_raw_value(&StateStub {
        event_type,
        state_key,
    })
    .ok()
}
