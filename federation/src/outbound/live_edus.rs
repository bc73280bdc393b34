//! Receipts, typing and presence: sent while they are news, and dropped for servers that do not answer.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use echorift_storage::Timestamp;
use ruma::{
    OwnedEventId, OwnedRoomId, OwnedUserId, RoomId, UserId,
    api::federation::transactions::edu::PresenceUpdate,
};
use serde::Serialize;
use serde_json::json;

use super::edu::RawEdu;

/// How many of them wait for one destination. What is beyond is dropped: its successor will come.
const WAITING_MAX: usize = 500;
/// How many of the EDUs of one transaction are of this kind; those that must arrive have the rest.
pub(super) const PER_TRANSACTION: usize = 40;

/// One piece of news, shared by all destinations that it is for.
#[derive(Debug, Clone)]
pub(super) enum LiveEdu {
    Typing {
        room: OwnedRoomId,
        user: OwnedUserId,
        is_typing: bool,
    },
    Receipt {
        room: OwnedRoomId,
        user: OwnedUserId,
        /// Empty for receipts without a thread.
        thread: Arc<str>,
        event_id: OwnedEventId,
        ts: Timestamp,
    },
    Presence(PresenceUpdate),
}

impl LiveEdu {
    /// What a later piece of news replaces.
    fn key(&self) -> (u8, Option<&RoomId>, &UserId, &str) {
        match self {
            Self::Typing { room, user, .. } => (0, Some(room), user, ""),
            Self::Receipt {
                room, user, thread, ..
            } => (1, Some(room), user, thread),
            Self::Presence(update) => (2, None, &update.user_id, ""),
        }
    }

    /// Typing is seen at once or is wrong; the rest may wait a moment to be sent together.
    pub fn is_urgent(&self) -> bool {
        matches!(self, Self::Typing { .. })
    }
}

#[derive(Debug, Clone)]
struct ByKey(Arc<LiveEdu>);

impl PartialEq for ByKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for ByKey {}
impl PartialOrd for ByKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for ByKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.key().cmp(&other.0.key())
    }
}

/// The news that wait for one destination.
#[derive(Debug, Default)]
pub(super) struct LiveEdus(BTreeSet<ByKey>);

impl LiveEdus {
    /// Whether there was room for it.
    pub fn push(&mut self, edu: Arc<LiveEdu>) -> bool {
        let edu = ByKey(edu);
        if self.0.len() >= WAITING_MAX && !self.0.contains(&edu) {
            return false;
        }
        self.0.replace(edu);
        true
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_urgent(&self) -> bool {
        self.0.first().is_some_and(|edu| edu.0.is_urgent())
    }

    /// Takes what fits into one transaction, as EDUs. What has no canonical form is left out.
    pub fn take(&mut self) -> Vec<RawEdu> {
        let waiting = std::mem::take(&mut self.0);
        let mut edus = Vec::new();
        let mut receipts = Receipts::default();
        let mut presence = Vec::new();
        for edu in &waiting {
            let is_taken = match &*edu.0 {
                LiveEdu::Typing {
                    room,
                    user,
                    is_typing,
                } => {
                    // Two places are kept for receipts and presence.
                    let has_place = edus.len() < PER_TRANSACTION - 2;
                    if has_place {
                        let content = json!({ "room_id": room, "user_id": user, "typing": is_typing });
                        edus.push(RawEdu::new("m.typing", &content));
                    }
                    has_place
                }
                LiveEdu::Receipt {
                    room,
                    user,
                    thread,
                    event_id,
                    ts,
                } => {
                    let receipt = UserReceipt {
                        event_ids: [event_id],
                        data: ReceiptData {
                            ts: ts.0,
                            thread_id: thread,
                        },
                    };
                    receipts.put((room, user), receipt, PER_TRANSACTION - 1 - edus.len())
                }
                LiveEdu::Presence(update) => {
                    presence.push(update);
                    true
                }
            };
            if !is_taken {
                self.0.insert(edu.clone());
            }
        }
        edus.extend(receipts.into_edus());
        if !presence.is_empty() {
            edus.push(RawEdu::new("m.presence", &json!({ "push": presence })));
        }
        edus.into_iter().filter_map(Result::ok).collect()
    }
}

/// The contents of `m.receipt` EDUs. One holds one receipt of each user in each room, so those of several threads need
/// several.
#[derive(Default)]
struct Receipts<'a>(Vec<BTreeMap<&'a RoomId, BTreeMap<&'a UserId, UserReceipt<'a>>>>);

#[derive(Serialize)]
struct UserReceipt<'a> {
    event_ids: [&'a OwnedEventId; 1],
    data: ReceiptData<'a>,
}

#[derive(Serialize)]
struct ReceiptData<'a> {
    ts: i64,
    #[serde(skip_serializing_if = "str::is_empty")]
    thread_id: &'a str,
}

impl<'a> Receipts<'a> {
    /// Whether it found a place in one of at most `edus_max` EDUs.
    fn put(
        &mut self,
        (room, user): (&'a RoomId, &'a UserId),
        receipt: UserReceipt<'a>,
        edus_max: usize,
    ) -> bool {
        let is_free = |rooms: &BTreeMap<&RoomId, BTreeMap<&UserId, _>>| {
            rooms.get(room).is_none_or(|users| !users.contains_key(user))
        };
        let place = self.0.iter().position(is_free).unwrap_or(self.0.len());
        if place >= edus_max {
            return false;
        }
        if place == self.0.len() {
            self.0.push(BTreeMap::new());
        }
        if let Some(rooms) = self.0.get_mut(place) {
            rooms.entry(room).or_default().insert(user, receipt);
        }
        true
    }

    fn into_edus(self) -> impl Iterator<Item = Result<RawEdu, serde_json::Error>> {
        self.0.into_iter().map(|rooms| {
            let of_kind = |users| BTreeMap::from([("m.read", users)]);
            let content: BTreeMap<_, _> = rooms
                .into_iter()
                .map(|(room, users)| (room, of_kind(users)))
                .collect();
            RawEdu::new("m.receipt", &content)
        })
    }
}

#[cfg(test)]
mod tests {
    use ruma::{room_id, user_id};

    use super::*;

    fn receipt(user: &UserId, thread: &str, event: &str) -> Arc<LiveEdu> {
        Arc::new(LiveEdu::Receipt {
            room: room_id!("!room:one.example").to_owned(),
            user: user.to_owned(),
            thread: thread.into(),
            event_id: ruma::EventId::parse(event).unwrap(),
            ts: Timestamp(7),
        })
    }

    fn parsed(edus: &[RawEdu]) -> Vec<serde_json::Value> {
        edus.iter()
            .map(|edu| serde_json::from_str(edu.as_str()).unwrap())
            .collect()
    }

    #[test]
    fn receipts_are_merged_and_those_of_further_threads_stand_in_further_edus() {
        let (alice, bob) = (user_id!("@alice:one.example"), user_id!("@bob:one.example"));
        let mut waiting = LiveEdus::default();
        waiting.push(receipt(alice, "", "$old"));
        waiting.push(receipt(alice, "", "$new"));
        waiting.push(receipt(alice, "main", "$main"));
        waiting.push(receipt(bob, "", "$bob"));
        let edus = parsed(&waiting.take());
        assert!(waiting.is_empty());
        let expected = [
            json!({ "edu_type": "m.receipt", "content": { "!room:one.example": { "m.read": {
                "@alice:one.example": { "event_ids": ["$new"], "data": { "ts": 7 } },
                "@bob:one.example": { "event_ids": ["$bob"], "data": { "ts": 7 } },
            } } } }),
            json!({ "edu_type": "m.receipt", "content": { "!room:one.example": { "m.read": {
                "@alice:one.example": { "event_ids": ["$main"], "data": { "ts": 7, "thread_id": "main" } },
            } } } }),
        ];
        assert_eq!(edus, expected);
    }

    #[test]
    fn news_is_bounded_in_number_and_in_each_transaction() {
        let mut waiting = LiveEdus::default();
        let typing = |number: usize, is_typing| {
            Arc::new(LiveEdu::Typing {
                room: room_id!("!room:one.example").to_owned(),
                user: UserId::parse(format!("@user{number}:one.example")).unwrap(),
                is_typing,
            })
        };
        for number in 0..2_000 {
            waiting.push(typing(number, true));
        }
        assert_eq!(waiting.0.len(), WAITING_MAX);
        assert!(waiting.push(typing(0, false)), "later news replaces earlier");
        for thread in 0..100 {
            assert!(!waiting.push(receipt(user_id!("@alice:one.example"), &thread.to_string(), "$e")));
        }
        let first = waiting.take();
        assert!(first.len() <= PER_TRANSACTION);
        assert_eq!(parsed(&first)[0]["content"]["typing"], false);
        let mut rounds = 1;
        while !waiting.is_empty() {
            waiting.take();
            rounds += 1;
        }
        assert!(rounds < 20);
    }
}
