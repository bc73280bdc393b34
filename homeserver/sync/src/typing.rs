//! Who is typing (CS API § Typing notifications). Kept in memory only.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use dashmap::DashMap;
use echorift_storage::{Clock, RoomNumber, Timestamp, UserNumber};

/// How long a client may say that its user is typing without saying it again.
pub const TIMEOUT_MAX: Duration = Duration::from_secs(60);
/// How long users of other servers type after their server has said so: servers say it again within less.
pub const REMOTE_TIMEOUT: Duration = Duration::from_secs(60);
/// How often other servers are told of the same typing that goes on.
const TOLD_AGAIN_MS: i64 = 20 * 1000;
/// How long an ended typing is remembered, so that slow pollers hear of the end.
const REMEMBERED_MS: i64 = 10 * 60 * 1000;

/// Numbers the versions of what is not in the log. They start from the clock, so that versions of a restarted server
/// are greater than those of its last life.
#[derive(Clone)]
pub struct Versions(Arc<AtomicU64>);

impl Versions {
    pub fn new(clock: &Clock) -> Self {
        Self(Arc::new(AtomicU64::new(
            u64::try_from(clock.now().0).unwrap_or(0).saturating_mul(1_000),
        )))
    }

    pub fn latest(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    pub fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::AcqRel) + 1
    }
}

/// The typing users of all rooms.
pub struct Typing {
    versions: Versions,
    rooms: DashMap<RoomNumber, RoomTyping>,
}

#[derive(Default)]
struct RoomTyping {
    version: u64,
    changed: Timestamp,
    typists: BTreeMap<UserNumber, Typist>,
}

#[derive(Clone, Copy)]
struct Typist {
    until: Timestamp,
    /// When other servers were last told.
    told: Timestamp,
}

/// What follows from what a user does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TypingNews {
    /// The version, if what others see has changed.
    pub version: Option<u64>,
    /// Whether other servers should hear of it, if the user is of this one.
    pub is_for_servers: bool,
}

/// Typing that has run out in one room.
#[derive(Debug, PartialEq, Eq)]
pub struct TypingEnd {
    pub room: RoomNumber,
    pub version: u64,
    pub users: Vec<UserNumber>,
}

impl Typing {
    pub fn new(versions: Versions) -> Self {
        Self {
            versions,
            rooms: DashMap::new(),
        }
    }

    /// Notes that a user types until `until`, or (`None`) has stopped.
    pub fn set(
        &self,
        room: RoomNumber,
        user: UserNumber,
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> TypingNews {
        let mut typing = self.rooms.entry(room).or_default();
        let known = typing.typists.get(&user).copied();
        let is_changed = known.is_some() != until.is_some();
        let is_for_servers =
            is_changed || known.is_some_and(|known| known.told.plus_ms(TOLD_AGAIN_MS) <= now);
        match until {
            Some(until) => {
                let told = known.filter(|_| !is_for_servers).map_or(now, |known| known.told);
                typing.typists.insert(user, Typist { until, told });
            }
            None => drop(typing.typists.remove(&user)),
        }
        if is_changed {
            typing.changed = now;
            typing.version = self.versions.next();
        }
        TypingNews {
            version: is_changed.then_some(typing.version),
            is_for_servers,
        }
    }

    /// Who types in the room, if that changed after version `after`.
    pub fn changed_after(&self, room: RoomNumber, after: u64) -> Option<Vec<UserNumber>> {
        let typing = self.rooms.get(&room)?;
        (typing.version > after).then(|| typing.typists.keys().copied().collect())
    }

    /// The rooms where typing changed after version `after`.
    pub fn rooms_changed_after(&self, after: u64) -> Vec<RoomNumber> {
        let changed = self.rooms.iter().filter(|typing| typing.version > after);
        changed.map(|typing| *typing.key()).collect()
    }

    /// Ends what has run out.
    pub fn expire(&self, now: Timestamp) -> Vec<TypingEnd> {
        let mut expired = Vec::new();
        self.rooms.retain(|room, typing| {
            let mut users = Vec::new();
            typing.typists.retain(|user, typist| {
                let goes_on = typist.until > now;
                if !goes_on {
                    users.push(*user);
                }
                goes_on
            });
            if !users.is_empty() {
                typing.changed = now;
                typing.version = self.versions.next();
                expired.push(TypingEnd {
                    room: *room,
                    version: typing.version,
                    users,
                });
            }
            !typing.typists.is_empty() || typing.changed.plus_ms(REMEMBERED_MS) > now
        });
        expired
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: RoomNumber = RoomNumber(1);
    const USER: UserNumber = UserNumber(2);

    #[test]
    fn typing_is_seen_once_and_ends_by_itself() {
        let clock = Clock::manual(Timestamp(1_000));
        let typing = Typing::new(Versions::new(&clock));
        let start = typing.versions.latest();
        let news = typing.set(ROOM, USER, Some(Timestamp(5_000)), clock.now());
        assert!(news.is_for_servers);
        let version = news.version;
        assert_eq!(typing.changed_after(ROOM, start), Some(vec![USER]));
        assert_eq!(
            typing.set(ROOM, USER, Some(Timestamp(6_000)), clock.now()),
            TypingNews::default(),
            "prolonging changes nothing"
        );
        assert_eq!(typing.expire(Timestamp(5_500)), []);
        assert_eq!(typing.expire(Timestamp(6_000)).len(), 1);
        assert_eq!(
            version.and_then(|version| typing.changed_after(ROOM, version)),
            Some(vec![])
        );
    }

    #[test]
    fn other_servers_are_told_again_while_it_goes_on() {
        let clock = Clock::manual(Timestamp(1_000));
        let typing = Typing::new(Versions::new(&clock));
        let type_at = |now: i64| typing.set(ROOM, USER, Some(Timestamp(now + 30_000)), Timestamp(now));
        assert!(type_at(1_000).is_for_servers);
        assert!(!type_at(11_000).is_for_servers);
        assert!(type_at(21_000).is_for_servers);
        assert!(!type_at(31_000).is_for_servers);
        let stopped = typing.set(ROOM, USER, None, Timestamp(32_000));
        assert!(stopped.is_for_servers && stopped.version.is_some());
        assert_eq!(
            typing.set(ROOM, USER, None, Timestamp(33_000)),
            TypingNews::default()
        );
    }
}
