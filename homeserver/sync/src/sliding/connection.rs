use std::{collections::HashMap, fmt, str::FromStr, sync::Arc};

use echorift_encryption::KeyCounts;
use echorift_storage::{EventNumber, Position, RoomNumber};
use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};

use super::required_state::Combined;
use crate::{BadToken, SyncToken};

/// How many member events of one room are remembered to have been sent; then it starts again, which costs a repetition.
const MEMBERS_MAX: usize = 2_000;

/// A `pos`: how far the client has synced, and which state of its connection that went with. As text
/// `s<position>.<ephemeral>.<generation>`, which `/messages` reads as a place in a timeline (MSC4186 § Connections).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Pos {
    pub at: SyncToken,
    pub generation: i64,
}

impl fmt::Display for Pos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at, self.generation)
    }
}

impl FromStr for Pos {
    type Err = BadToken;

    fn from_str(text: &str) -> Result<Self, BadToken> {
        let (at, generation) = text.rsplit_once('.').ok_or(BadToken)?;
        Ok(Self {
            at: at.parse()?,
            generation: generation.parse().map_err(|_| BadToken)?,
        })
    }
}

/// What a client was sent on a connection, as far as it decides what it is sent next. Cheap to clone: two states share
/// what they have in common.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sent {
    pub rooms: OrdMap<RoomNumber, SentRoom>,
    /// Whether global account data was sent; from then on only what changes.
    pub account_data: bool,
    pub threads: bool,
    /// Not stored: after a restart they are sent once more.
    pub key_counts: Option<KeyCounts>,
}

/// What a client has of a room.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SentRoom {
    /// All that matches of the room's state is with the client, but for members who were left out.
    pub required_state: Arc<Combined>,
    /// The client has so many of the latest events, without a gap.
    pub timeline_limit: u32,
    pub standing: Standing,
    pub is_dm: bool,
    /// Whether the room's receipts are with the client.
    pub has_receipts: bool,
    /// Whether the reader's account data for the room is with the client.
    pub has_account_data: bool,
    /// Up to here the client knows the room; `None` for up to its `pos`. So a client that looks at all its rooms has a
    /// state that hardly ever changes.
    pub behind: Option<Position>,
    /// The member events that lazy loading has sent. Not stored: after a restart they are sent again.
    pub members: OrdSet<EventNumber>,
}

/// How the reader stood to the room when it was last sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Joined = 0,
    Invited = 1,
    Knocked = 2,
    /// Left, kicked or banned.
    Left = 3,
}

impl SentRoom {
    /// Up to where the client knows the room, if its `pos` is at `pos`.
    pub fn known_up_to(&self, pos: Position) -> Position {
        self.behind.unwrap_or(pos)
    }

    /// Whether a member event has yet to be sent; it then counts as sent.
    pub fn is_news(&mut self, member: EventNumber) -> bool {
        if self.members.len() >= MEMBERS_MAX {
            self.members.clear();
        }
        self.members.insert(member).is_none()
    }
}

impl Sent {
    /// Whether the two differ in what is stored.
    pub fn differs(&self, other: &Self) -> bool {
        let is_same = |(number, room): (&RoomNumber, &SentRoom),
                       (other, another): (&RoomNumber, &SentRoom)| {
            number == other
                && room.stored() == another.stored()
                && *room.required_state == *another.required_state
        };
        (self.account_data, self.threads) != (other.account_data, other.threads)
            || !(self.rooms.ptr_eq(&other.rooms)
                || (self.rooms.len() == other.rooms.len()
                    && self.rooms.iter().zip(&other.rooms).all(|(a, b)| is_same(a, b))))
    }

    /// Without what is in memory only.
    pub fn without_members(&self) -> Self {
        let bare = |(number, room): (&RoomNumber, &SentRoom)| {
            let room = SentRoom {
                members: OrdSet::new(),
                ..room.clone()
            };
            (*number, room)
        };
        Self {
            rooms: self.rooms.iter().map(bare).collect(),
            key_counts: None,
            ..self.clone()
        }
    }

    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let mut configs: Vec<Arc<Combined>> = Vec::new();
        let mut by_pointer: HashMap<*const Combined, usize> = HashMap::new();
        let mut rooms = Vec::with_capacity(self.rooms.len());
        for (number, room) in &self.rooms {
            let config = *by_pointer
                .entry(Arc::as_ptr(&room.required_state))
                .or_insert_with(
                    || match configs.iter().position(|known| **known == *room.required_state) {
                        Some(index) => index,
                        None => {
                            configs.push(Arc::clone(&room.required_state));
                            configs.len() - 1
                        }
                    },
                );
            let (limit, flags, behind) = room.stored();
            rooms.push(StoredRoom(number.0, config, limit, flags, behind.unwrap_or(0)));
        }
        serde_json::to_string(&Stored {
            configs,
            rooms,
            account_data: self.account_data,
            threads: self.threads,
        })
    }

    pub fn from_json(text: &str) -> Result<Self, String> {
        let stored: Stored = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mut rooms = OrdMap::new();
        for StoredRoom(number, config, timeline_limit, flags, behind) in stored.rooms {
            let config = stored.configs.get(config).ok_or("no such config")?;
            let room = SentRoom {
                required_state: Arc::clone(config),
                timeline_limit,
                standing: Standing::from_flags(flags),
                is_dm: flags & IS_DM != 0,
                has_receipts: flags & HAS_RECEIPTS != 0,
                has_account_data: flags & HAS_ACCOUNT_DATA != 0,
                behind: Some(Position(behind)).filter(|behind| behind.0 != 0),
                members: OrdSet::new(),
            };
            rooms.insert(RoomNumber(number), room);
        }
        Ok(Self {
            rooms,
            account_data: stored.account_data,
            threads: stored.threads,
            key_counts: None,
        })
    }
}

/// A state as it is stored. A room takes some 15 bytes.
#[derive(Serialize, Deserialize)]
struct Stored {
    configs: Vec<Arc<Combined>>,
    rooms: Vec<StoredRoom>,
    account_data: bool,
    threads: bool,
}

/// Number, place of the config, timeline limit, flags, and up to where the client knows the room (0: to its `pos`).
#[derive(Serialize, Deserialize)]
struct StoredRoom(i64, usize, u32, u8, i64);

const STANDING: u8 = 0b11;
const IS_DM: u8 = 1 << 2;
const HAS_RECEIPTS: u8 = 1 << 3;
const HAS_ACCOUNT_DATA: u8 = 1 << 4;

impl SentRoom {
    fn stored(&self) -> (u32, u8, Option<i64>) {
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        let flags = self.standing as u8
            | flag(self.is_dm, IS_DM)
            | flag(self.has_receipts, HAS_RECEIPTS)
            | flag(self.has_account_data, HAS_ACCOUNT_DATA);
        (self.timeline_limit, flags, self.behind.map(|behind| behind.0))
    }
}

impl Standing {
    fn from_flags(flags: u8) -> Self {
        match flags & STANDING {
            0 => Self::Joined,
            1 => Self::Invited,
            2 => Self::Knocked,
            _ => Self::Left,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::sliding::required_state::{Element, RequiredState};

    fn room(standing: Standing, behind: Option<Position>) -> SentRoom {
        let include = vec![Element(Some("m.room.name".to_owned()), None)];
        let rule = RequiredState {
            include,
            ..RequiredState::default()
        };
        SentRoom {
            required_state: Arc::new(Combined::new(vec![Arc::new(rule)])),
            timeline_limit: 20,
            standing,
            is_dm: behind.is_some(),
            has_receipts: true,
            has_account_data: false,
            behind,
            members: OrdSet::unit(EventNumber(1)),
        }
    }

    fn sample() -> Sent {
        let mut sent = Sent {
            account_data: true,
            ..Sent::default()
        };
        sent.rooms.insert(RoomNumber(3), room(Standing::Joined, None));
        sent.rooms
            .insert(RoomNumber(9), room(Standing::Left, Some(Position(70))));
        sent
    }

    #[test]
    fn a_state_survives_its_stored_form() {
        let sent = sample();
        let text = sent.to_json().unwrap();
        assert_eq!(
            text.matches("m.room.name").count(),
            1,
            "equal configs are stored once: {text}"
        );
        let read = Sent::from_json(&text).unwrap();
        assert!(!read.differs(&sent), "{text}");
        assert_eq!(read.rooms, sent.without_members().rooms);
        assert!(
            Sent::from_json(r#"{"configs":[],"rooms":[[1,0,1,0,0]],"account_data":true,"threads":false}"#)
                .is_err()
        );
    }

    #[test]
    fn only_what_is_stored_makes_a_difference() {
        let sent = sample();
        let mut other = sent.clone();
        if let Some(room) = other.rooms.get_mut(&RoomNumber(3)) {
            assert!(room.is_news(EventNumber(2)) && !room.is_news(EventNumber(2)));
        }
        assert!(!sent.differs(&other));
        if let Some(room) = other.rooms.get_mut(&RoomNumber(3)) {
            room.behind = Some(Position(1));
        }
        assert!(sent.differs(&other));
    }

    #[test]
    fn a_pos_survives_its_text_form() {
        let pos = Pos {
            at: SyncToken {
                position: Position(17),
                ephemeral: 5,
            },
            generation: 1_025,
        };
        assert_eq!(pos.to_string(), "s17.5.1025");
        assert_eq!(pos.to_string().parse(), Ok(pos));
        for bad in ["", "s1.2", "s1.2.x", "1.2.3", "s1.2.3.4"] {
            assert!(bad.parse::<Pos>().is_err(), "{bad}");
        }
    }
}
