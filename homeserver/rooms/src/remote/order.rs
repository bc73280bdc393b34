//! Events of other servers in an order in which they can be judged.

use std::collections::{BTreeSet, HashMap, HashSet};

use echorift_events::Pdu;
use ruma::{OwnedEventId, events::TimelineEventType};

/// The events so that each comes after its parents; of events that are not related the one of lesser depth first.
pub fn in_history_order(pdus: Vec<Pdu>) -> Vec<Pdu> {
    ordered_by(pdus, |pdu| &pdu.prev_events)
}

/// The events so that each comes after those of them that authorise it, a create event before all others.
pub(super) fn in_auth_order(pdus: Vec<Pdu>) -> Vec<Pdu> {
    let mut ordered = ordered_by(pdus, |pdu| &pdu.auth_events);
    // From version 12 on nobody names it. The others keep their order.
    ordered.sort_by_key(|pdu| pdu.event_type != TimelineEventType::RoomCreate);
    ordered
}

/// The events so that each comes after those of them that it names; without any that name themselves in a circle.
fn ordered_by(pdus: Vec<Pdu>, named: impl Fn(&Pdu) -> &[OwnedEventId]) -> Vec<Pdu> {
    let mut waiting: HashMap<OwnedEventId, Pdu> =
        pdus.into_iter().map(|pdu| (pdu.event_id.clone(), pdu)).collect();
    let mut named_by: HashMap<OwnedEventId, Vec<OwnedEventId>> = HashMap::new();
    let mut unmet: HashMap<OwnedEventId, usize> = HashMap::with_capacity(waiting.len());
    for pdu in waiting.values() {
        let within: HashSet<&OwnedEventId> =
            named(pdu).iter().filter(|id| waiting.contains_key(*id)).collect();
        unmet.insert(pdu.event_id.clone(), within.len());
        for id in within {
            named_by.entry(id.clone()).or_default().push(pdu.event_id.clone());
        }
    }
    let place = |waiting: &HashMap<OwnedEventId, Pdu>, id: OwnedEventId| {
        let pdu = waiting.get(&id);
        let depth = pdu.map_or(0, |pdu| pdu.depth);
        (depth, pdu.map(|pdu| pdu.origin_server_ts), id)
    };
    let mut ready: BTreeSet<_> = unmet
        .iter()
        .filter(|(_, count)| **count == 0)
        .map(|(id, _)| place(&waiting, id.clone()))
        .collect();
    let mut ordered = Vec::with_capacity(waiting.len());
    while let Some((_, _, id)) = ready.pop_first() {
        for next in named_by.remove(&id).unwrap_or_default() {
            if let Some(count) = unmet.get_mut(&next) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    ready.insert(place(&waiting, next));
                }
            }
        }
        ordered.extend(waiting.remove(&id));
    }
    ordered
}
