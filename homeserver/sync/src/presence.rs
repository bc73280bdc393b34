//! Who is about (CS API § Presence). Kept in memory; told in batches, so that a thousand people who reconnect at once
//! cause one wake-up for each of their neighbours and not a thousand.

mod tell;

pub(crate) use tell::newcomers;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use echorift_rooms::{Room, Rooms};
use echorift_storage::{StorageError, Timestamp, UserNumber};
use parking_lot::Mutex;
use ruma::{events::room::member::MembershipState, presence::PresenceState};

use crate::typing::Versions;

/// Without a request for so long a user is offline.
const OFFLINE_AFTER_MS: i64 = 90 * 1000;
/// Without a word from their server for so long a user of another server is offline: servers say it again within less.
const REMOTE_OFFLINE_AFTER_MS: i64 = 30 * 60 * 1000;
/// How often other servers are told that a user is still about.
const TOLD_AGAIN_MS: i64 = 20 * 60 * 1000;
/// How many users are remembered; the longest silent ones are forgotten first.
const USERS_MAX: usize = 200_000;

/// One user's presence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserPresence {
    pub state: PresenceState,
    pub status_msg: Option<String>,
    pub last_active: Timestamp,
    /// When other servers were last told of it.
    told: Timestamp,
    remote: Option<OfRemote>,
    version: u64,
}

/// What is known only of users of other servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct OfRemote {
    heard: Timestamp,
    is_currently_active: bool,
}

/// What another server says of one of its users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemotePresence {
    pub state: PresenceState,
    pub status_msg: Option<String>,
    pub last_active: Timestamp,
    pub is_currently_active: bool,
}

impl UserPresence {
    pub fn is_currently_active(&self) -> bool {
        match self.remote {
            Some(remote) => remote.is_currently_active,
            None => self.state == PresenceState::Online,
        }
    }

    fn is_silent(&self, now: Timestamp) -> bool {
        let over = match self.remote {
            Some(remote) => remote.heard.plus_ms(REMOTE_OFFLINE_AFTER_MS),
            None => self.last_active.plus_ms(OFFLINE_AFTER_MS),
        };
        self.state != PresenceState::Offline && over < now
    }
}

/// The presence of all users that is known.
pub struct Presence {
    versions: Versions,
    users: Mutex<Users>,
}

#[derive(Default)]
struct Users {
    presence: HashMap<UserNumber, UserPresence>,
    /// Who changed in which version: each user once.
    by_version: BTreeMap<u64, UserNumber>,
    /// Who changed since the last telling.
    untold: HashSet<UserNumber>,
}

impl Presence {
    pub fn new(versions: Versions) -> Self {
        Self {
            versions,
            users: Mutex::default(),
        }
    }

    /// Notes that a user is about, in this state; `status_msg` is kept as it is if `None`. Whether others see a change.
    pub fn set(
        &self,
        user: UserNumber,
        state: PresenceState,
        status_msg: Option<Option<String>>,
        now: Timestamp,
    ) -> bool {
        let mut users = self.users.lock();
        let old = users.presence.get(&user);
        let status = status_msg.unwrap_or_else(|| old.and_then(|old| old.status_msg.clone()));
        let is_same = match old {
            Some(old) => old.state == state && old.status_msg == status,
            None => state == PresenceState::Offline && status.is_none(),
        };
        if is_same {
            if let Some(presence) = users.presence.get_mut(&user) {
                presence.last_active = now;
            }
            return false;
        }
        let presence = UserPresence {
            state,
            status_msg: status,
            last_active: now,
            told: now,
            remote: None,
            version: self.versions.next(),
        };
        users.put(user, presence);
        true
    }

    /// Notes what another server says of one of its users. Whether others see a change.
    pub fn set_remote(&self, user: UserNumber, said: RemotePresence, now: Timestamp) -> bool {
        let mut users = self.users.lock();
        let remote = OfRemote {
            heard: now,
            is_currently_active: said.is_currently_active,
        };
        let last_active = said.last_active.min(now);
        if let Some(known) = users.presence.get_mut(&user)
            && known.state == said.state
            && known.status_msg == said.status_msg
            && known.is_currently_active() == said.is_currently_active
        {
            known.last_active = last_active;
            known.remote = Some(remote);
            return false;
        }
        let presence = UserPresence {
            state: said.state,
            status_msg: said.status_msg,
            last_active,
            told: now,
            remote: Some(remote),
            version: self.versions.next(),
        };
        users.put(user, presence);
        true
    }

    /// Notes that a user is still about.
    pub fn touch(&self, user: UserNumber, now: Timestamp) {
        if let Some(presence) = self.users.lock().presence.get_mut(&user) {
            presence.last_active = now;
        }
    }

    pub fn of(&self, user: UserNumber) -> Option<UserPresence> {
        self.users.lock().presence.get(&user).cloned()
    }

    /// Sets users offline who were not heard of for a while. Whether there were any.
    pub fn expire(&self, now: Timestamp) -> bool {
        let silent: Vec<UserNumber> = {
            let users = self.users.lock();
            users
                .presence
                .iter()
                .filter(|(_, presence)| presence.is_silent(now))
                .map(|(user, _)| *user)
                .collect()
        };
        for user in &silent {
            let mut users = self.users.lock();
            let Some(presence) = users.presence.get_mut(user) else {
                continue;
            };
            let (old, version) = (presence.version, self.versions.next());
            presence.state = PresenceState::Offline;
            presence.version = version;
            presence.told = now;
            if let Some(remote) = &mut presence.remote {
                remote.is_currently_active = false;
            }
            users.by_version.remove(&old);
            users.by_version.insert(version, *user);
            users.untold.insert(*user);
        }
        !silent.is_empty()
    }

    /// Who changed since this was last asked.
    pub fn take_untold(&self) -> HashSet<UserNumber> {
        std::mem::take(&mut self.users.lock().untold)
    }

    /// Those users of this server who are about, and of whom other servers have not heard for a while. They count as told.
    pub fn take_due(&self, now: Timestamp) -> Vec<UserNumber> {
        let mut users = self.users.lock();
        let is_due = |presence: &UserPresence| {
            presence.remote.is_none()
                && presence.state != PresenceState::Offline
                && presence.told.plus_ms(TOLD_AGAIN_MS) <= now
        };
        let due = users.presence.iter_mut().filter(|(_, presence)| is_due(presence));
        let told = due.map(|(user, presence)| {
            presence.told = now;
            *user
        });
        told.collect()
    }

    /// The changes after version `after` of those users who are `wanted`, oldest first.
    pub fn changed_after(
        &self,
        after: u64,
        wanted: impl Fn(UserNumber) -> bool,
    ) -> Vec<(UserNumber, UserPresence)> {
        let users = self.users.lock();
        let changed = users
            .by_version
            .range(after.saturating_add(1)..)
            .map(|(_, user)| *user);
        let wanted = changed.filter(|user| wanted(*user));
        wanted
            .filter_map(|user| Some((user, users.presence.get(&user)?.clone())))
            .collect()
    }

    /// Whether anyone changed after version `after`.
    pub fn has_changes_after(&self, after: u64) -> bool {
        self.users
            .lock()
            .by_version
            .range(after.saturating_add(1)..)
            .next()
            .is_some()
    }
}

impl Users {
    fn put(&mut self, user: UserNumber, presence: UserPresence) {
        let version = presence.version;
        if let Some(old) = self.presence.insert(user, presence) {
            self.by_version.remove(&old.version);
        }
        self.by_version.insert(version, user);
        self.untold.insert(user);
        self.forget_one_too_many();
    }

    fn forget_one_too_many(&mut self) {
        if self.presence.len() > USERS_MAX
            && let Some((_, user)) = self.by_version.pop_first()
        {
            self.presence.remove(&user);
        }
    }
}

/// The rooms that a user is joined to and that are in memory or can be loaded.
pub async fn joined_rooms(rooms: &Rooms, user: UserNumber) -> Result<Vec<Arc<Room>>, StorageError> {
    let memberships = rooms.rooms_of(user).await?;
    let joined = memberships
        .iter()
        .filter(|(_, membership)| membership.membership == MembershipState::Join);
    let numbers: Vec<_> = joined.map(|(number, _)| *number).collect();
    rooms.load(&numbers).await
}

/// All local users who share a room with any of `users`, and they themselves.
pub async fn neighbours(
    rooms: &Rooms,
    users: &HashSet<UserNumber>,
) -> Result<HashSet<UserNumber>, StorageError> {
    let mut shared = HashSet::new();
    for user in users {
        // Only rooms in memory: nobody waits for news of a room that nobody has touched.
        let memberships = rooms.rooms_of(*user).await?;
        let joined = memberships
            .iter()
            .filter(|(_, membership)| membership.membership == MembershipState::Join);
        shared.extend(joined.map(|(number, _)| *number));
    }
    let mut neighbours = users.clone();
    for room in shared.into_iter().filter_map(|number| rooms.loaded(number)) {
        neighbours.extend(room.view().members.joined_local.iter().copied());
    }
    Ok(neighbours)
}

#[cfg(test)]
mod tests {
    use echorift_storage::Clock;

    use super::*;

    #[test]
    fn a_change_is_told_once_and_silence_means_offline() {
        let clock = Clock::manual(Timestamp(1));
        let presence = Presence::new(Versions::new(&clock));
        let user = UserNumber(7);
        assert!(presence.set(user, PresenceState::Online, None, clock.now()));
        assert!(!presence.set(user, PresenceState::Online, None, clock.now()));
        assert_eq!(presence.take_untold().len(), 1);
        assert_eq!(presence.take_untold().len(), 0);
        let seen = presence.changed_after(0, |_| true);
        assert_eq!(seen.len(), 1);
        assert!(!presence.expire(Timestamp(OFFLINE_AFTER_MS)));
        assert!(presence.expire(Timestamp(OFFLINE_AFTER_MS + 2)));
        let after = seen.first().map_or(0, |(_, presence)| presence.version);
        let states: Vec<_> = presence
            .changed_after(after, |_| true)
            .into_iter()
            .map(|(_, presence)| presence.state)
            .collect();
        assert_eq!(states, [PresenceState::Offline]);
    }

    #[test]
    fn users_of_other_servers_are_what_their_server_says_and_offline_when_it_is_silent() {
        let clock = Clock::manual(Timestamp(1_000_000));
        let presence = Presence::new(Versions::new(&clock));
        let user = UserNumber(7);
        let said = RemotePresence {
            state: PresenceState::Online,
            status_msg: Some("Lunch".to_owned()),
            last_active: Timestamp(900_000),
            is_currently_active: false,
        };
        assert!(presence.set_remote(user, said.clone(), clock.now()));
        assert!(!presence.set_remote(user, said.clone(), clock.now()));
        let is_active = RemotePresence {
            is_currently_active: true,
            last_active: Timestamp(i64::MAX),
            ..said
        };
        assert!(presence.set_remote(user, is_active, clock.now()));
        let known = presence.of(user);
        assert_eq!(known.map(|known| known.last_active), Some(clock.now()));
        assert!(!presence.expire(clock.now().plus_ms(REMOTE_OFFLINE_AFTER_MS)));
        assert!(presence.take_due(clock.now().plus_ms(TOLD_AGAIN_MS)).is_empty());
        assert!(presence.expire(clock.now().plus_ms(REMOTE_OFFLINE_AFTER_MS + 1)));
        assert!(
            presence
                .of(user)
                .is_some_and(|known| !known.is_currently_active())
        );
    }

    #[test]
    fn other_servers_hear_now_and_then_of_who_is_still_about() {
        let clock = Clock::manual(Timestamp(1));
        let presence = Presence::new(Versions::new(&clock));
        let user = UserNumber(7);
        presence.set(user, PresenceState::Online, None, clock.now());
        assert!(presence.take_due(clock.now()).is_empty());
        let later = clock.now().plus_ms(TOLD_AGAIN_MS);
        assert_eq!(presence.take_due(later), [user]);
        assert!(presence.take_due(later).is_empty());
    }
}
