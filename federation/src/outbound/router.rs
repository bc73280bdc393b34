//! Follows the log and gives every destination what is for it.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use echorift_rooms::{ReceiptKey, ReceiptKind, Room};
use echorift_storage::{EventNumber, Position, RoomNumber, StorageError, UserNumber};
use ruma::{OwnedRoomId, OwnedServerName, OwnedUserId, RoomId, ServerName};

use super::{
    Outbound,
    destination::Queued,
    inbox::{Heard, News, Told},
    live_edus::LiveEdu,
    recipients::recipients,
    store, worker,
};
use crate::policy::Crossing;

/// How many events are routed together.
const PAGE: usize = 500;
/// How long the router waits before it tries again to read what it could not.
const RETRY: Duration = Duration::from_secs(1);

/// Runs until the server stops.
pub(super) async fn run(outbound: Outbound) {
    let visible = outbound.database().log().visible();
    if !catch_up(&outbound, visible).await {
        return;
    }
    loop {
        tokio::select! {
            () = outbound.0.inbox.heard() => {}
            () = outbound.stopping() => return,
        }
        loop {
            let heard = outbound.0.inbox.take();
            if heard.is_empty() {
                break;
            }
            let up_to = heard.up_to;
            if let Err(error) = route(&outbound, heard).await {
                tracing::error!(%error, "what is to be sent to other servers could not be read");
                // From the database, where nothing is lost.
                tokio::time::sleep(RETRY).await;
                if !catch_up(&outbound, up_to).await {
                    return;
                }
            }
        }
    }
}

/// Routes from the database what was not routed yet, up to a position; `false` if the server stops meanwhile.
async fn catch_up(outbound: &Outbound, to: Position) -> bool {
    loop {
        if outbound.is_stopping() {
            return false;
        }
        match route_stored(outbound, to).await {
            Ok(()) => return true,
            Err(error) => {
                tracing::error!(%error, "what is to be sent to other servers could not be read");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

async fn route(outbound: &Outbound, heard: Heard) -> Result<(), StorageError> {
    route_news(outbound, heard.news).await?;
    if heard.is_cut {
        return route_stored(outbound, heard.up_to).await;
    }
    let records: Vec<(Position, Told)> = heard.records.into();
    let (mut events, mut members) = (vec![], vec![]);
    let (mut receipts, mut device_lists, mut to_device) = (vec![], vec![], vec![]);
    for (position, told) in records {
        match told {
            Told::Event(event) => events.push((position, event)),
            Told::Member { room, user } => members.push((position, room, user)),
            Told::Receipt { room, user } => receipts.push((position, room, user)),
            Told::DeviceList(user) => device_lists.push((position, user)),
            Told::ToDevice(user) => to_device.push((position, user)),
        }
    }
    let comers = comers(outbound, &members).await?;
    route_in_order(outbound, &events, &comers).await?;
    route_receipts(outbound, &receipts).await?;
    route_durable(outbound, &device_lists, &to_device).await?;
    outbound.set_routed(heard.up_to);
    Ok(())
}

/// Routes what the database holds from where the router stands up to `to`.
async fn route_stored(outbound: &Outbound, to: Position) -> Result<(), StorageError> {
    let from = outbound.routed();
    if to <= from {
        return Ok(());
    }
    let now = outbound.now();
    let members = store::joins_where_something_sticks(outbound.database(), (from, to), now).await?;
    let mut comers = comers(outbound, &members).await?;
    let mut after = from;
    loop {
        let limit = i64::try_from(PAGE).unwrap_or(i64::MAX);
        let page = store::ours(outbound.database(), (after, to), limit).await?;
        let end = match page.last() {
            Some((last, _)) if page.len() == PAGE => *last,
            _ => to,
        };
        let later = comers.split_off(comers.partition_point(|comer| comer.position <= end));
        route_in_order(outbound, &page, &comers).await?;
        if end == to {
            break;
        }
        (after, comers) = (end, later);
    }
    if let Some(durable) = outbound.durable() {
        for server in durable.waiting(from, to).await? {
            push_durable(outbound, &server, from, to);
        }
    }
    outbound.set_routed(to);
    Ok(())
}

/// A server that came into a room where something sticks.
struct Comer {
    position: Position,
    server: OwnedServerName,
}

/// Those of the memberships by which a server came in that is owed our sticky events (MSC4354 § Proposal), in log order.
async fn comers(
    outbound: &Outbound,
    members: &[(Position, RoomNumber, UserNumber)],
) -> Result<Vec<Comer>, StorageError> {
    if members.is_empty() {
        return Ok(Vec::new());
    }
    let parts = &outbound.0.parts;
    let mut numbers: Vec<RoomNumber> = members.iter().map(|(_, room, _)| *room).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let loaded = parts.rooms.load(&numbers).await?.into_iter();
    let rooms: HashMap<RoomNumber, Arc<Room>> = loaded
        .filter(|room| room.has_sticky_events() && is_shared(room))
        .map(|room| (room.number, room))
        .collect();
    let concerned = members.iter().filter(|(_, room, _)| rooms.contains_key(room));
    let concerned: Vec<_> = concerned.copied().collect();
    if concerned.is_empty() {
        return Ok(Vec::new());
    }
    let users: Vec<UserNumber> = concerned.iter().map(|(.., user)| *user).collect();
    let mut wanted = Vec::new();
    for ((position, number, _), user_id) in concerned.into_iter().zip(parts.rooms.user_ids(&users).await?) {
        let server = user_id.server_name().to_owned();
        let Some(room) = rooms.get(&number) else { continue };
        let is_in = room.view().members.remote_servers.contains_key(&server);
        if is_in && parts.policy.allows(&server, Crossing::Room(&room.id)) {
            wanted.push((position, number, server));
        }
    }
    let came = store::newly_in(outbound.database(), &wanted).await?.into_iter();
    let mut comers: Vec<Comer> = came
        .map(|(position, server)| Comer { position, server })
        .collect();
    comers.sort_by_key(|comer| comer.position);
    Ok(comers)
}

/// Routes events; who came in has what they are owed read from the database, from where they came.
async fn route_in_order(
    outbound: &Outbound,
    events: &[Queued],
    comers: &[Comer],
) -> Result<(), StorageError> {
    let mut rest = events;
    for comer in comers {
        let (before, behind) = rest.split_at(rest.partition_point(|(at, _)| *at < comer.position));
        route_all(outbound, before).await?;
        rest = behind;
        outbound.set_changed();
        let destination = outbound.0.roster.destination(&comer.server);
        if destination.fall_behind(comer.position) {
            worker::start(outbound, &destination);
        }
    }
    route_all(outbound, rest).await
}

async fn route_all(outbound: &Outbound, events: &[Queued]) -> Result<(), StorageError> {
    for page in events.chunks(PAGE) {
        route_events(outbound, page).await?;
    }
    Ok(())
}

async fn route_events(outbound: &Outbound, page: &[Queued]) -> Result<(), StorageError> {
    if page.is_empty() {
        return Ok(());
    }
    let rooms = &outbound.0.parts.rooms;
    let numbers: Vec<EventNumber> = page.iter().map(|(_, event)| *event).collect();
    let positions: HashMap<EventNumber, Position> =
        page.iter().map(|(position, event)| (*event, *position)).collect();
    let events = rooms.events(&numbers).await?;
    for (event, recipients) in recipients(rooms, &events).await? {
        let Some(position) = positions.get(&event.number) else {
            continue;
        };
        let crossing = Crossing::Event(&recipients.room.id, &event.pdu.event_type);
        for server in recipients.iter() {
            if outbound.0.parts.policy.allows(server, crossing) {
                outbound.set_changed();
                let destination = outbound.0.roster.destination(server);
                if destination.push_event((*position, event.number)) {
                    worker::start(outbound, &destination);
                }
            }
        }
    }
    Ok(())
}

async fn route_receipts(
    outbound: &Outbound,
    receipts: &[(Position, RoomNumber, UserNumber)],
) -> Result<(), StorageError> {
    if receipts.is_empty() {
        return Ok(());
    }
    let rooms = &outbound.0.parts.rooms;
    let mut numbers: Vec<RoomNumber> = receipts.iter().map(|(_, room, _)| *room).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let shared = rooms
        .load(&numbers)
        .await?
        .into_iter()
        .filter(|room| is_shared(room));
    let shared: HashMap<RoomNumber, Arc<Room>> = shared.map(|room| (room.number, room)).collect();
    let in_shared = receipts.iter().filter(|(_, room, _)| shared.contains_key(room));
    let in_shared: Vec<_> = in_shared.copied().collect();
    let users: Vec<UserNumber> = in_shared.iter().map(|(.., user)| *user).collect();
    let ids = rooms.user_ids(&users).await?;
    for ((position, room, user), user_id) in in_shared.into_iter().zip(ids) {
        let Some(room) = shared.get(&room).filter(|_| rooms.is_local(&user_id)) else {
            continue;
        };
        let first = ReceiptKey {
            user,
            kind: ReceiptKind::Public,
            thread: "".into(),
        };
        let all = room.receipts().all();
        let of_user = all
            .range(first..)
            .take_while(|(key, _)| key.user == user && key.kind == ReceiptKind::Public);
        // One that is newer already has a record of its own.
        for (key, receipt) in of_user.filter(|(_, receipt)| receipt.position == position) {
            let edu = LiveEdu::Receipt {
                room: room.id.clone(),
                user: user_id.clone(),
                thread: Arc::clone(&key.thread),
                event_id: receipt.event_id.clone(),
                ts: receipt.ts,
            };
            push_to_room(outbound, room, edu);
        }
    }
    Ok(())
}

async fn route_durable(
    outbound: &Outbound,
    device_lists: &[(Position, UserNumber)],
    to_device: &[(Position, UserNumber)],
) -> Result<(), StorageError> {
    if outbound.durable().is_none() || (device_lists.is_empty() && to_device.is_empty()) {
        return Ok(());
    }
    let rooms = &outbound.0.parts.rooms;
    let numbers: Vec<UserNumber> = device_lists
        .iter()
        .chain(to_device)
        .map(|(_, user)| *user)
        .collect();
    let ids: HashMap<UserNumber, OwnedUserId> = numbers
        .iter()
        .copied()
        .zip(rooms.user_ids(&numbers).await?)
        .collect();
    let is_local = |user: &UserNumber| ids.get(user).is_some_and(|id| rooms.is_local(id));
    let local: Vec<UserNumber> = device_lists
        .iter()
        .map(|(_, user)| *user)
        .filter(is_local)
        .collect();
    let sharing = servers_sharing(outbound, &local).await?;
    let mut waiting: Vec<(Position, &ServerName)> = Vec::new();
    for (position, user) in device_lists {
        let servers = sharing.get(user).into_iter().flatten();
        waiting.extend(servers.map(|server| (*position, &**server)));
    }
    for (position, user) in to_device {
        let remote = ids.get(user).filter(|id| !rooms.is_local(id));
        waiting.extend(remote.map(|id| (*position, id.server_name())));
    }
    waiting.sort_unstable();
    for (position, server) in waiting {
        push_durable(outbound, server, Position(position.0 - 1), position);
    }
    Ok(())
}

async fn route_news(outbound: &Outbound, news: Vec<News>) -> Result<(), StorageError> {
    let rooms = &outbound.0.parts.rooms;
    let (mut typing, mut updates) = (Vec::new(), Vec::new());
    for news in news {
        match news {
            News::Typing {
                room,
                user,
                is_typing,
            } => typing.push((room, user, is_typing)),
            News::Presence(update) => updates.push(update),
        }
    }
    if !typing.is_empty() {
        let ids: Vec<OwnedRoomId> = typing.iter().map(|(room, ..)| room.clone()).collect();
        let found = rooms.load(&rooms.room_numbers(&ids).await?).await?;
        let found: HashMap<&RoomId, &Arc<Room>> = found.iter().map(|room| (&*room.id, room)).collect();
        for (id, user, is_typing) in typing {
            if let Some(room) = found.get(&*id) {
                let edu = LiveEdu::Typing {
                    room: id,
                    user,
                    is_typing,
                };
                push_to_room(outbound, room, edu);
            }
        }
    }
    if updates.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = updates.iter().map(|update| update.user_id.as_str()).collect();
    let numbers = rooms.users().find_all(&names).await?;
    let numbers: Vec<UserNumber> = numbers.into_iter().map(UserNumber).collect();
    let ids = rooms.user_ids(&numbers).await?;
    let mut sharing = servers_sharing(outbound, &numbers).await?;
    let mut of_user: HashMap<OwnedUserId, BTreeSet<OwnedServerName>> = HashMap::new();
    for (number, id) in numbers.into_iter().zip(ids) {
        of_user.insert(id, sharing.remove(&number).unwrap_or_default());
    }
    for update in updates {
        let servers = of_user.get(&update.user_id).cloned().unwrap_or_default();
        let edu = Arc::new(LiveEdu::Presence(update));
        for server in &servers {
            if outbound.0.parts.policy.allows(server, Crossing::Contact) {
                push_live(outbound, server, &edu);
            }
        }
    }
    Ok(())
}

/// The other servers that share a room with each of these users. A handful of queries, however many users.
async fn servers_sharing(
    outbound: &Outbound,
    users: &[UserNumber],
) -> Result<HashMap<UserNumber, BTreeSet<OwnedServerName>>, StorageError> {
    let mut sharing: HashMap<UserNumber, BTreeSet<OwnedServerName>> = HashMap::new();
    if users.is_empty() {
        return Ok(sharing);
    }
    let joined = store::joined_rooms(outbound.database(), users).await?;
    let mut numbers: Vec<RoomNumber> = joined.iter().map(|(_, room)| *room).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let rooms = outbound.0.parts.rooms.load(&numbers).await?;
    let rooms: HashMap<RoomNumber, Arc<Room>> = rooms.into_iter().map(|room| (room.number, room)).collect();
    for (user, room) in joined {
        if let Some(room) = rooms.get(&room).filter(|room| is_shared(room)) {
            let servers = room.view().members.remote_servers.clone();
            sharing.entry(user).or_default().extend(servers.keys().cloned());
        }
    }
    Ok(sharing)
}

fn is_shared(room: &Room) -> bool {
    !room.view().members.remote_servers.is_empty()
}

fn push_to_room(outbound: &Outbound, room: &Room, edu: LiveEdu) {
    let view = room.view();
    let edu = Arc::new(edu);
    for server in view.members.remote_servers.keys() {
        if outbound.0.parts.policy.allows(server, Crossing::Room(&room.id)) {
            push_live(outbound, server, &edu);
        }
    }
}

fn push_live(outbound: &Outbound, server: &ServerName, edu: &Arc<LiveEdu>) {
    let destination = outbound.0.roster.destination(server);
    let (is_taken, needs_worker) = destination.push_live(Arc::clone(edu));
    if !is_taken {
        metrics::counter!("echorift_federation_edus_dropped_total").increment(1);
    }
    if needs_worker {
        worker::start(outbound, &destination);
    }
}

fn push_durable(outbound: &Outbound, server: &ServerName, after: Position, up_to: Position) {
    if !outbound.0.parts.policy.allows(server, Crossing::Contact) {
        return;
    }
    outbound.set_changed();
    let destination = outbound.0.roster.destination(server);
    if destination.push_durable(after, up_to) {
        worker::start(outbound, &destination);
    }
}
