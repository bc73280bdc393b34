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
    until: BTreeMap<UserNumber, Timestamp>,
}

impl Typing {
    pub fn new(versions: Versions) -> Self {
        Self {
            versions,
            rooms: DashMap::new(),
        }
    }

    /// Notes that a user types until `until`, or (`None`) has stopped. The version, if that changes what others see.
    pub fn set(
        &self,
        room: RoomNumber,
        user: UserNumber,
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<u64> {
        let mut typing = self.rooms.entry(room).or_default();
        let changed = match until {
            Some(until) => typing.until.insert(user, until).is_none(),
            None => typing.until.remove(&user).is_some(),
        };
        changed.then(|| {
            typing.changed = now;
            typing.version = self.versions.next();
            typing.version
        })
    }

    /// Who types in the room, if that changed after version `after`.
    pub fn changed_after(&self, room: RoomNumber, after: u64) -> Option<Vec<UserNumber>> {
        let typing = self.rooms.get(&room)?;
        (typing.version > after).then(|| typing.until.keys().copied().collect())
    }

    /// The rooms where typing changed after version `after`.
    pub fn rooms_changed_after(&self, after: u64) -> Vec<RoomNumber> {
        let changed = self.rooms.iter().filter(|typing| typing.version > after);
        changed.map(|typing| *typing.key()).collect()
    }

    /// Ends what has run out; the rooms that changed by it, with their new versions.
    pub fn expire(&self, now: Timestamp) -> Vec<(RoomNumber, u64)> {
        let mut expired = Vec::new();
        self.rooms.retain(|room, typing| {
            let before = typing.until.len();
            typing.until.retain(|_, until| *until > now);
            if typing.until.len() < before {
                typing.changed = now;
                typing.version = self.versions.next();
                expired.push((*room, typing.version));
            }
            !typing.until.is_empty() || typing.changed.plus_ms(REMEMBERED_MS) > now
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
        let version = typing.set(ROOM, USER, Some(Timestamp(5_000)), clock.now());
        assert_eq!(typing.changed_after(ROOM, start), Some(vec![USER]));
        assert_eq!(
            typing.set(ROOM, USER, Some(Timestamp(6_000)), clock.now()),
            None,
            "prolonging changes nothing"
        );
        assert_eq!(typing.expire(Timestamp(5_500)), []);
        assert_eq!(typing.expire(Timestamp(6_000)).len(), 1);
        assert_eq!(
            version.and_then(|version| typing.changed_after(ROOM, version)),
            Some(vec![])
        );
    }
}
