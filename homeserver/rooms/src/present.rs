//! Events as a reader gets them: the shared client form, and `unsigned` of their own (CS API § Room event format).

use std::{
    collections::{HashMap, HashSet},
    fmt::Write as _,
    sync::Arc,
};

use echorift_storage::{EventNumber, Position, StorageError, Timestamp};
use ruma::events::room::member::MembershipState;
use serde_json::value::RawValue;

use crate::{
    Event, Reader, Room, RoomError, Rooms,
    membership_history::MembershipHistory,
    relations::{Bundle, Thread},
};

impl Rooms {
    /// Client events with all that `unsigned` may hold, in their order.
    ///
    /// The events must be ones that the reader may see. No database access for events of live rooms that have neither
    /// relations nor a redaction nor a predecessor in the room's state.
    pub async fn present(
        &self,
        room: &Room,
        events: &[Arc<Event>],
        reader: &Reader,
    ) -> Result<Vec<Box<RawValue>>, RoomError> {
        let texts = self.present_json(room, events, reader).await?;
        texts.into_iter().map(raw).collect()
    }

    /// As [`Rooms::present`], as JSON texts that nothing has parsed again.
    pub async fn present_json(
        &self,
        room: &Room,
        events: &[Arc<Event>],
        reader: &Reader,
    ) -> Result<Vec<String>, RoomError> {
        let page = Page::load(self, room, events, reader).await?;
        Ok(events.iter().map(|event| page.write(event)).collect())
    }

    /// One event, as [`Rooms::present`] does it.
    pub async fn present_one(
        &self,
        room: &Room,
        event: &Arc<Event>,
        reader: &Reader,
    ) -> Result<Box<RawValue>, RoomError> {
        raw(Page::load(self, room, std::slice::from_ref(event), reader)
            .await?
            .write(event))
    }

    /// A client event with `unsigned.age` only: for lists of state.
    pub fn present_plain(&self, event: &Event) -> Box<RawValue> {
        // The client form is an object that this server has written; it cannot fail to parse.
        raw(self.present_plain_json(event)).unwrap_or_else(|_| RawValue::NULL.to_owned())
    }

    /// As [`Rooms::present_plain`], as a JSON text that nothing has parsed again.
    pub fn present_plain_json(&self, event: &Event) -> String {
        let now = self.clock().now();
        let mut out = open(event, 32);
        write_age(&mut out, event, now);
        if let Some(ttl_ms) = self.sticky_ttl_ms(event, now) {
            write_sticky_ttl(&mut out, ttl_ms);
        }
        out.push_str("}}");
        out
    }

    /// Client events for no reader in particular, in their order, as JSON texts: with their age, and what the state was that
    /// they replaced (AS API § Pushing events). One query at most.
    pub async fn present_to_services(&self, events: &[Arc<Event>]) -> Result<Vec<String>, StorageError> {
        let now = self.clock().now();
        let replaced: Vec<EventNumber> = events.iter().filter_map(|event| event.replaces).collect();
        let replaced = self.events(&replaced).await?;
        let replaced: HashMap<EventNumber, Arc<Event>> =
            replaced.into_iter().map(|event| (event.number, event)).collect();
        let write = |event: &Arc<Event>| {
            let mut out = open(event, 160);
            write_age(&mut out, event, now);
            if let Some(ttl_ms) = self.sticky_ttl_ms(event, now) {
                write_sticky_ttl(&mut out, ttl_ms);
            }
            if let Some(replaced) = event.replaces.and_then(|number| replaced.get(&number)) {
                write_replaced(&mut out, replaced);
            }
            out.push_str("}}");
            out
        };
        Ok(events.iter().map(write).collect())
    }
}

fn write_replaced(out: &mut String, replaced: &Event) {
    write_field(out, "replaces_state", replaced.pdu.event_id.as_str());
    out.push_str(",\"prev_content\":");
    out.push_str(replaced.pdu.content.get());
    write_field(out, "prev_sender", replaced.pdu.sender.as_str());
}

fn raw(json: String) -> Result<Box<RawValue>, RoomError> {
    RawValue::from_string(json).map_err(|error| StorageError::corrupt("events.json", error).into())
}

/// What tells a sender which delayed event this was (MSC4140 § `delay_id` in `unsigned` event data), and the name of it
/// that clients know.
const DELAY_ID: [&str; 2] = ["delay_id", "org.matrix.msc4140.delay_id"];

/// What a page of events needs besides the events.
struct Page<'a> {
    reader: &'a Reader,
    now: Timestamp,
    bundles: HashMap<EventNumber, Bundle>,
    /// Predecessors and redactions.
    others: HashMap<EventNumber, Arc<Event>>,
    /// Those of the predecessors that the reader may see.
    visible: HashSet<EventNumber>,
    membership: Memberships,
    /// For how many milliseconds those of the events that are sticky still are.
    sticky_ttls: HashMap<EventNumber, i64>,
}

/// How to tell what the reader was at an event.
struct Memberships {
    /// From this position on, the membership of now.
    current: Option<(Position, MembershipState)>,
    /// For events before it.
    history: Option<Arc<MembershipHistory>>,
}

impl<'a> Page<'a> {
    async fn load(
        rooms: &Rooms,
        room: &Room,
        events: &[Arc<Event>],
        reader: &'a Reader,
    ) -> Result<Self, RoomError> {
        let mut bundles = rooms.bundles(room, events.iter(), reader).await?;
        // The latest message of a thread comes with its own aggregations. It cannot be the root of another thread.
        let latest = bundles
            .values()
            .filter_map(|bundle| bundle.thread.as_ref())
            .map(|thread| &thread.latest);
        let nested = rooms.bundles(room, latest, reader).await?;
        bundles.extend(nested);
        let bundled: Vec<Arc<Event>> = bundles.values().flat_map(Bundle::events).cloned().collect();
        let all = || events.iter().chain(&bundled);

        let replaced: Vec<EventNumber> = all().filter_map(|event| event.replaces).collect();
        let redactions = all().filter_map(|event| event.redacted_by);
        let wanted: Vec<EventNumber> = replaced.iter().copied().chain(redactions).collect();
        let mut others = HashMap::new();
        let mut visible = HashSet::new();
        if !wanted.is_empty() {
            let found = rooms.events(&wanted).await?;
            others.extend(found.into_iter().map(|event| (event.number, event)));
            let replaced = replaced
                .iter()
                .filter_map(|number| others.get(number))
                .cloned()
                .collect();
            visible.extend(
                rooms
                    .visible(room, reader, replaced)
                    .await?
                    .iter()
                    .map(|event| event.number),
            );
        }
        let membership = Memberships::load(rooms, room, all(), reader).await?;
        let now = rooms.clock().now();
        let sticky_ttls = all().filter_map(|event| Some((event.number, rooms.sticky_ttl_ms(event, now)?)));
        let sticky_ttls = sticky_ttls.collect();
        Ok(Self {
            reader,
            now,
            bundles,
            others,
            visible,
            membership,
            sticky_ttls,
        })
    }

    fn write(&self, event: &Event) -> String {
        let mut out = open(event, 160);
        self.write_unsigned(&mut out, event);
        if let Some(bundle) = self.bundles.get(&event.number) {
            self.write_bundle(&mut out, bundle);
        }
        out.push_str("}}");
        out
    }

    /// An event within another one: without aggregations.
    fn write_inner(&self, event: &Event) -> String {
        let mut out = open(event, 160);
        self.write_unsigned(&mut out, event);
        out.push_str("}}");
        out
    }

    fn write_unsigned(&self, out: &mut String, event: &Event) {
        write_age(out, event, self.now);
        if let Some(ttl_ms) = self.sticky_ttls.get(&event.number) {
            write_sticky_ttl(out, *ttl_ms);
        }
        if let Some(membership) = self.membership.at(event.position()) {
            write_field(out, "membership", membership.as_str());
        }
        if let Some(transaction) = &event.transaction
            && self.reader.session_number == Some(transaction.session_number)
        {
            write_field(out, "transaction_id", transaction.id.as_str());
        }
        if let Some(delay_id) = &event.delay_id
            && self.reader.user == event.sender
        {
            for name in DELAY_ID {
                write_field(out, name, delay_id.as_str());
            }
        }
        if let Some(replaced) = event.replaces.and_then(|number| self.others.get(&number)) {
            write_field(out, "replaces_state", replaced.pdu.event_id.as_str());
            if self.visible.contains(&replaced.number) {
                out.push_str(",\"prev_content\":");
                out.push_str(replaced.pdu.content.get());
                write_field(out, "prev_sender", replaced.pdu.sender.as_str());
            }
        }
        if let Some(redaction) = event.redacted_by.and_then(|number| self.others.get(&number)) {
            out.push_str(",\"redacted_because\":");
            let mut inner = open(redaction, 32);
            write_age(&mut inner, redaction, self.now);
            out.push_str(&inner);
            out.push_str("}}");
        }
    }

    fn write_bundle(&self, out: &mut String, bundle: &Bundle) {
        let mut relations = String::new();
        let begin = |name: &str, out: &mut String| {
            out.push(if out.is_empty() { '{' } else { ',' });
            let _ = write!(out, "\"{name}\":");
        };
        if !bundle.references.is_empty() {
            begin("m.reference", &mut relations);
            relations.push_str("{\"chunk\":[");
            for (index, event) in bundle.references.iter().enumerate() {
                relations.push_str(if index == 0 {
                    "{\"event_id\":"
                } else {
                    ",{\"event_id\":"
                });
                write_string(&mut relations, event.as_str());
                relations.push('}');
            }
            relations.push_str("]}");
        }
        if let Some(edit) = &bundle.replace {
            begin("m.replace", &mut relations);
            relations.push_str(&self.write_inner(edit));
        }
        if let Some(Thread {
            latest,
            count,
            has_participated,
        }) = &bundle.thread
        {
            begin("m.thread", &mut relations);
            let _ = write!(
                relations,
                "{{\"count\":{count},\"current_user_participated\":{has_participated},\"latest_event\":"
            );
            let mut inner = open(latest, 160);
            self.write_unsigned(&mut inner, latest);
            // No thread again: a message of a thread that were the root of another would make a circle possible.
            if let Some(bundle) = self
                .bundles
                .get(&latest.number)
                .filter(|bundle| bundle.thread.is_none())
            {
                self.write_bundle(&mut inner, bundle);
            }
            relations.push_str(&inner);
            relations.push_str("}}}");
        }
        if !relations.is_empty() {
            let _ = write!(out, ",\"m.relations\":{relations}}}");
        }
    }
}

impl Bundle {
    fn events(&self) -> impl Iterator<Item = &Arc<Event>> {
        self.replace
            .iter()
            .chain(self.thread.as_ref().map(|thread| &thread.latest))
    }
}

impl Memberships {
    async fn load<'e>(
        rooms: &Rooms,
        room: &Room,
        mut events: impl Iterator<Item = &'e Arc<Event>>,
        reader: &Reader,
    ) -> Result<Self, RoomError> {
        let own = rooms.rooms_of(reader.user).await?;
        let Some(own) = own.get(&room.number) else {
            return Ok(Self {
                current: None,
                history: None,
            });
        };
        let needs_history = events.any(|event| event.position() < own.position);
        let history = match needs_history {
            true => Some(rooms.membership_history(room, reader.user).await?),
            false => None,
        };
        Ok(Self {
            current: Some((own.position, own.membership.clone())),
            history,
        })
    }

    /// The reader's membership after the event at `position`; `None` if that cannot be told.
    fn at(&self, position: Position) -> Option<&MembershipState> {
        match &self.current {
            None => Some(&MembershipState::Leave),
            Some((since, membership)) if position >= *since => Some(membership),
            Some(_) => self.history.as_ref()?.at(position),
        }
    }
}

/// The event up to the first field of `unsigned`, with room for `more` bytes.
fn open(event: &Event, more: usize) -> String {
    let shared = event.pdu.client_json_open();
    let mut out = String::with_capacity(shared.len() + more);
    out.push_str(shared);
    out.push_str(",\"unsigned\":{");
    out
}

fn write_age(out: &mut String, event: &Event, now: Timestamp) {
    let age = now.0.saturating_sub(i64::from(event.pdu.origin_server_ts.get()));
    let _ = write!(out, "\"age\":{age}");
}

/// MSC4354 § Sync API changes: for how long a sticky event still is one.
fn write_sticky_ttl(out: &mut String, ttl_ms: i64) {
    let _ = write!(out, ",\"msc4354_sticky_duration_ttl_ms\":{ttl_ms}");
}

fn write_field(out: &mut String, name: &str, value: &str) {
    let _ = write!(out, ",\"{name}\":");
    write_string(out, value);
}

fn write_string(out: &mut String, text: &str) {
    let needs_escape = text
        .bytes()
        .any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\');
    if needs_escape {
        out.push_str(&serde_json::Value::from(text).to_string());
    } else {
        out.push('"');
        out.push_str(text);
        out.push('"');
    }
}

#[cfg(test)]
mod tests;
