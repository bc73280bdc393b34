//! What a server is told of the room that it has joined (SS API § `send_join`, MSC3706).

use std::{collections::HashSet, sync::Arc};

use echorift_rooms::{Event, Room, RoomError, State};
use echorift_storage::{EventNumber, UserNumber};
use ruma::{OwnedServerName, UserId};

use crate::Federation;

/// How many members stand for a room without a name (CS API § `m.heroes`).
const HEROES: usize = 5;

/// Which parts of the room the other server wants.
pub(super) struct Wanted {
    /// It does without members, and without events twice.
    pub omit_members: bool,
    /// The servers that were in the room before the join.
    pub servers: Vec<OwnedServerName>,
}

impl Federation {
    /// The body of the answer: put together from the stored texts of the events, for there may be tens of thousands.
    pub(super) async fn join_answer(
        &self,
        room: &Room,
        join: &Event,
        wanted: Wanted,
    ) -> Result<String, RoomError> {
        let rooms = self.rooms();
        let before = rooms.state_before_event(room, join).await?;
        let told: Vec<EventNumber> = if wanted.omit_members {
            let others = before.iter().filter(|(kind, ..)| *kind != "m.room.member");
            let mut told: Vec<EventNumber> = others.map(|(_, _, number)| number).collect();
            told.extend(self.heroes(room, &before, &join.pdu.sender).await?);
            told
        } else {
            before.events().collect()
        };
        let state = rooms.events(&told).await?;
        let roots: Vec<EventNumber> = told.iter().copied().chain([join.number]).collect();
        let mut chain = rooms.auth_chain(&roots).await?;
        if wanted.omit_members {
            let told: HashSet<EventNumber> = told.into_iter().collect();
            chain.retain(|event| !told.contains(&event.number));
        }
        Ok(body(&state, &chain, join, &wanted))
    }

    /// The member events of those who stand for the room, if it has no name.
    async fn heroes(
        &self,
        room: &Room,
        state: &State,
        joining: &UserId,
    ) -> Result<Vec<EventNumber>, RoomError> {
        let has = |kind: &str| state.get(kind, "").is_some();
        if has("m.room.name") || has("m.room.canonical_alias") {
            return Ok(Vec::new());
        }
        let view = room.view();
        let members = view.members.joined.iter().chain(&view.members.invited);
        // One more, should the one who joins be among them.
        let some: Vec<UserNumber> = members.take(HEROES.saturating_add(1)).copied().collect();
        let users = self.rooms().user_ids(&some).await?;
        let heroes = users
            .iter()
            .filter(|user| **user != joining)
            .filter_map(|user| state.get("m.room.member", user.as_str()));
        Ok(heroes.take(HEROES).collect())
    }
}

fn body(state: &[Arc<Event>], chain: &[Arc<Event>], join: &Event, wanted: &Wanted) -> String {
    let bytes: usize = state
        .iter()
        .chain(chain)
        .map(|event| event.pdu.json().len().saturating_add(1))
        .sum();
    let mut body = String::with_capacity(bytes.saturating_add(4_096));
    body.push_str("{\"auth_chain\":");
    push_list(&mut body, chain.iter().map(|event| event.pdu.json()));
    body.push_str(",\"event\":");
    body.push_str(join.pdu.json());
    if wanted.omit_members {
        body.push_str(",\"members_omitted\":true,\"servers_in_room\":");
        // No server name holds anything that would have to be escaped.
        let names = wanted.servers.iter().map(|server| format!("\"{server}\""));
        let names: Vec<String> = names.collect();
        push_list(&mut body, names.iter().map(String::as_str));
    }
    body.push_str(",\"state\":");
    push_list(&mut body, state.iter().map(|event| event.pdu.json()));
    body.push('}');
    body
}

fn push_list<'t>(body: &mut String, texts: impl Iterator<Item = &'t str>) {
    body.push('[');
    for (index, text) in texts.enumerate() {
        if index > 0 {
            body.push(',');
        }
        body.push_str(text);
    }
    body.push(']');
}
