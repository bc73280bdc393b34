//! What there is to do in one room. Pure: everything it depends on is handed in.
//!
//! The directory owns what it has done, and nothing else ([`Mark`]). Whatever people have changed since is theirs: it is
//! told as drift, and changed back only where the settings say `enforce`.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use echorift_rooms::Entry;
use ruma::{OwnedUserId, events::room::member::MembershipState};

use super::{
    change::{Change, Drift, DriftKind, Obstacle, Owned},
    config::{Removal, RoomName},
    mark::Mark,
};
use crate::mirror::Dn;

/// So many people may always be removed from a room at once: teams are small, and change.
pub(crate) const REMOVALS_ALWAYS: usize = 5;

/// What the directory wishes for somebody in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wish {
    /// `None`: the one that everybody has.
    pub level: Option<i64>,
    pub group: Dn,
}

/// Somebody's level in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Power {
    /// The one that everybody has.
    Usual,
    Given(i64),
    /// In version 12 and up creators stand above all levels.
    Creator,
}

/// Somebody as the room has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    pub membership: Option<MembershipState>,
    pub power: Power,
    /// How they can enter; `Err` if they cannot.
    pub door: Result<Option<Entry>, Obstacle>,
}

/// A room as far as it concerns a plan.
#[derive(Debug, Clone)]
pub(crate) struct Picture {
    pub name: RoomName,
    /// Those whom the directory knows, and those whom it has marked.
    pub people: BTreeMap<OwnedUserId, Person>,
    pub users_default: i64,
    pub account: Account,
    /// How many the directory brought into the room, whoever is looked at now.
    pub mirrored: usize,
}

/// The account as which the directory acts, as the room has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub user_id: OwnedUserId,
    pub is_joined: bool,
    /// Whether it could enter, if it is not in the room.
    pub can_enter: bool,
    pub power: Power,
    /// The level that changing levels takes.
    pub needs: i64,
}

impl Account {
    /// Whether it may change somebody's level (the authorisation rules for `m.room.power_levels`).
    fn may_set(&self, users_default: i64, from: Power, to: i64) -> Result<(), Obstacle> {
        let own = match self.power {
            Power::Creator => return Ok(()),
            Power::Usual => users_default,
            Power::Given(level) => level,
        };
        let is_below = match from {
            Power::Given(from) => from < own,
            Power::Usual | Power::Creator => true,
        };
        if (self.is_joined || self.can_enter) && own >= self.needs && own >= to && is_below {
            return Ok(());
        }
        let from = match from {
            Power::Given(from) => from.saturating_add(1),
            Power::Usual | Power::Creator => 0,
        };
        Err(Obstacle::MayNotSetPower {
            account: self.user_id.clone(),
            level: self.needs.max(to).max(from),
        })
    }
}

/// What the settings say of a room.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policy {
    pub remove: Removal,
    pub enforce: bool,
    /// Whether all of the room's groups are known: if not, nobody is removed.
    pub is_whole: bool,
    /// Most of those whom the directory brought in that may be removed at once, in percent; `None` without bound.
    pub removals_max: Option<u8>,
}

/// What is to be done in a room, and what is not.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct RoomPlan {
    pub changes: Vec<Change>,
    pub drift: Vec<Drift>,
    /// Set if so many would be removed that nothing is done.
    pub stop: Option<Stop>,
}

/// A plan that looks like a mistake in the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// `None` where it is about who administers the server.
    pub room: Option<RoomName>,
    /// How many would be removed, of how many whom the directory brought in.
    pub removals: usize,
    pub mirrored: usize,
}

impl fmt::Display for Stop {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            room,
            removals,
            mirrored,
        } = self;
        match room {
            Some(room) => write!(formatter, "{removals} of {mirrored} people would leave {room}"),
            None => write!(
                formatter,
                "{removals} of {mirrored} people would administer the server no more"
            ),
        }
    }
}

/// Plans a room. `paused` are those for whom nothing is done: their account rests, and they get it back as it was.
pub(crate) fn plan_room(
    picture: &Picture,
    wishes: &BTreeMap<OwnedUserId, Wish>,
    marks: &BTreeMap<OwnedUserId, Mark>,
    paused: &BTreeSet<OwnedUserId>,
    policy: Policy,
) -> RoomPlan {
    let mut planner = Planner::new(picture, policy);
    for (user, person) in &picture.people {
        if paused.contains(user) {
            continue;
        }
        let (wish, mark) = (wishes.get(user), marks.get(user));
        match wish {
            Some(wish) => planner.wished(user, person, wish, mark),
            None => planner.unwished(user, person, mark),
        }
    }
    planner.finish()
}

struct Planner<'a> {
    picture: &'a Picture,
    policy: Policy,
    joins: Vec<Change>,
    powers: Vec<Change>,
    removals: Vec<Change>,
    forgotten: Vec<Change>,
    obstacles: BTreeMap<Obstacle, Vec<OwnedUserId>>,
    drift: Vec<Drift>,
    /// Whether the account has to be in the room for this.
    needs_account: bool,
}

impl<'a> Planner<'a> {
    fn new(picture: &'a Picture, policy: Policy) -> Self {
        Self {
            picture,
            policy,
            joins: Vec::new(),
            powers: Vec::new(),
            removals: Vec::new(),
            forgotten: Vec::new(),
            obstacles: BTreeMap::new(),
            drift: Vec::new(),
            needs_account: false,
        }
    }

    fn wished(&mut self, user: &OwnedUserId, person: &Person, wish: &Wish, mark: Option<&Mark>) {
        let is_ours = mark.is_some_and(|mark| mark.is_member);
        match &person.membership {
            Some(MembershipState::Join) => {}
            Some(MembershipState::Ban) => {
                self.drift(user, DriftKind::Banned);
                self.obstacle(user, Obstacle::Banned);
                return;
            }
            // Who was brought in once and is out now was taken out by people, or has left.
            _ if is_ours && !self.policy.enforce => {
                self.drift(user, DriftKind::Left);
                return;
            }
            _ => {
                if !self.join(user, person, wish) {
                    return;
                }
            }
        }
        self.wished_power(user, person, wish, mark);
    }

    /// Whether they can enter.
    fn join(&mut self, user: &OwnedUserId, person: &Person, wish: &Wish) -> bool {
        let entry = match &person.door {
            Ok(entry) => entry.clone(),
            Err(obstacle) => {
                self.obstacle(user, obstacle.clone());
                return false;
            }
        };
        self.needs_account |=
            matches!(&entry, Some(Entry::InvitedBy(host)) if *host == self.picture.account.user_id);
        self.joins.push(Change::Join {
            room: self.picture.name.clone(),
            user: user.clone(),
            entry,
            group: wish.group.clone(),
        });
        true
    }

    fn wished_power(&mut self, user: &OwnedUserId, person: &Person, wish: &Wish, mark: Option<&Mark>) {
        let given = mark.and_then(|mark| mark.level);
        let found = match person.power {
            Power::Creator => {
                // They may do everything already.
                if given.is_some() {
                    self.forget(user, Owned::Power);
                }
                return;
            }
            Power::Usual => None,
            Power::Given(level) => Some(level),
        };
        let usual = self.picture.users_default;
        let reaches = wish.level.is_none_or(|wished| found.unwrap_or(usual) >= wished);
        match given {
            // As the directory has left it.
            Some(_) if given == found => match wish.level {
                Some(wished) if Some(wished) != found => self.set_power(user, person, wished, &wish.group),
                Some(_) => {}
                None => self.reset_power(user, person),
            },
            // Changed by hand since.
            Some(_) if found == wish.level => self.forget(user, Owned::Power),
            Some(_) if self.policy.enforce => match wish.level {
                Some(wished) => self.set_power(user, person, wished, &wish.group),
                None => self.forget(user, Owned::Power),
            },
            Some(_) => {
                if wish.level.is_none() {
                    self.forget(user, Owned::Power);
                }
                self.power_drift(user, wish.level, found);
            }
            None if reaches => {}
            // A level that was given by hand stays, unless the settings insist.
            None if found.is_some() && !self.policy.enforce => self.power_drift(user, wish.level, found),
            None => {
                if let Some(wished) = wish.level {
                    self.set_power(user, person, wished, &wish.group);
                }
            }
        }
    }

    fn unwished(&mut self, user: &OwnedUserId, person: &Person, mark: Option<&Mark>) {
        let is_joined = person.membership == Some(MembershipState::Join);
        let is_ours = mark.is_some_and(|mark| mark.is_member);
        let leaves = match self.policy.remove {
            Removal::Never => false,
            Removal::Mirrored => is_ours,
            Removal::All => true,
        };
        if is_joined && leaves && self.policy.is_whole {
            self.take_back_power(user, person, mark);
            self.removals.push(Change::Remove {
                room: self.picture.name.clone(),
                user: user.clone(),
            });
            return;
        }
        if !self.policy.is_whole {
            return;
        }
        if is_joined && !is_ours {
            self.drift(user, DriftKind::AddedByHand);
        }
        self.take_back_power(user, person, mark);
        if is_ours && !is_joined {
            self.forget(user, Owned::Membership);
        }
    }

    /// Resets a level that the directory gave, if it still is that one.
    fn take_back_power(&mut self, user: &OwnedUserId, person: &Person, mark: Option<&Mark>) {
        let Some(given) = mark.and_then(|mark| mark.level) else {
            return;
        };
        if person.power == Power::Given(given) {
            self.reset_power(user, person);
        } else {
            self.forget(user, Owned::Power);
        }
    }

    fn set_power(&mut self, user: &OwnedUserId, person: &Person, to: i64, group: &Dn) {
        let usual = self.picture.users_default;
        if let Err(obstacle) = self.picture.account.may_set(usual, person.power, to) {
            self.obstacle(user, obstacle);
            return;
        }
        self.needs_account = true;
        self.powers.push(Change::SetPower {
            room: self.picture.name.clone(),
            user: user.clone(),
            from: self.level_of(person),
            to,
            group: group.clone(),
        });
    }

    fn reset_power(&mut self, user: &OwnedUserId, person: &Person) {
        let usual = self.picture.users_default;
        if let Err(obstacle) = self.picture.account.may_set(usual, person.power, usual) {
            self.obstacle(user, obstacle);
            return;
        }
        self.needs_account = true;
        self.powers.push(Change::ResetPower {
            room: self.picture.name.clone(),
            user: user.clone(),
            from: self.level_of(person),
            to: usual,
        });
    }

    fn level_of(&self, person: &Person) -> i64 {
        match person.power {
            Power::Given(level) => level,
            Power::Usual | Power::Creator => self.picture.users_default,
        }
    }

    fn forget(&mut self, user: &OwnedUserId, what: Owned) {
        self.forgotten.push(Change::Forget {
            room: Some(self.picture.name.clone()),
            user: user.clone(),
            what,
        });
    }

    fn obstacle(&mut self, user: &OwnedUserId, why: Obstacle) {
        self.obstacles.entry(why).or_default().push(user.clone());
    }

    fn power_drift(&mut self, user: &OwnedUserId, wished: Option<i64>, found: Option<i64>) {
        let found = found.unwrap_or(self.picture.users_default);
        self.drift(user, DriftKind::Power { wished, found });
    }

    fn drift(&mut self, user: &OwnedUserId, kind: DriftKind) {
        self.drift.push(Drift {
            room: Some(self.picture.name.clone()),
            user: user.clone(),
            kind,
        });
    }

    fn finish(self) -> RoomPlan {
        let (name, drift) = (&self.picture.name, self.drift);
        let removals = self.removals.len();
        if is_too_many(removals, self.picture.mirrored, self.policy.removals_max) {
            let stop = Stop {
                room: Some(name.clone()),
                removals,
                mirrored: self.picture.mirrored,
            };
            return RoomPlan {
                changes: Vec::new(),
                drift,
                stop: Some(stop),
            };
        }
        let mut changes = Vec::new();
        if self.needs_account && !self.picture.account.is_joined {
            changes.push(Change::Enter { room: name.clone() });
        }
        // Who is raised has to be in, and who leaves is brought down first.
        changes.extend(self.joins);
        changes.extend(self.powers);
        changes.extend(self.removals);
        changes.extend(self.forgotten);
        let obstacles = self.obstacles.into_iter();
        changes.extend(obstacles.map(|(why, users)| Change::NotPossible {
            room: Some(name.clone()),
            users,
            why,
        }));
        RoomPlan {
            changes,
            drift,
            stop: None,
        }
    }
}

/// Whether so many removals look like a mistake: more than a few, and more than the share that the settings allow.
pub(crate) fn is_too_many(removals: usize, mirrored: usize, percent_max: Option<u8>) -> bool {
    let Some(percent) = percent_max else {
        return false;
    };
    removals > REMOVALS_ALWAYS && removals.saturating_mul(100) > mirrored.saturating_mul(percent.into())
}
