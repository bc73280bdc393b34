//! One plan in the making: each target is read, and what there is to do in it is decided.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use echorift_rooms::Room;
use echorift_storage::{RoomNumber, UserNumber};
use ruma::OwnedUserId;

use super::{
    administrators::{Administrators, plan_administrators},
    change::{Change, Obstacle},
    config::{MappingConfig, Removal, RoomName},
    mapper::{Approval, Mapper, MappingError, PlannedRoom, Scope},
    mark::Mark,
    picture::{self, Reader, Subject, WishedIn},
    place::Place,
    plan::{Policy, RoomPlan, Wish, plan_room},
    roster::{Members, Roster, wishes},
    store,
    target::Target,
};
use crate::mirror::Dn;

pub(super) type MarksOfRooms = HashMap<RoomNumber, BTreeMap<UserNumber, Mark>>;

pub(super) fn concerns(scope: &Scope<'_>, target: &Target) -> bool {
    match scope {
        Scope::Everything => true,
        Scope::People { groups, .. } => target.groups.keys().any(|group| groups.contains(group)),
    }
}

/// One plan in the making.
pub(super) struct Planner<'a> {
    pub mapper: &'a Mapper,
    pub members: &'a Members,
    pub scope: &'a Scope<'a>,
    pub roster: &'a Roster,
    pub approval: Approval,
    pub marks: MarksOfRooms,
    pub wishes: HashMap<RoomName, BTreeMap<OwnedUserId, Wish>>,
    pub wished_in: WishedIn,
    pub places: &'a HashMap<RoomName, Place>,
    pub numbers: HashMap<OwnedUserId, UserNumber>,
}

impl Planner<'_> {
    pub fn wish(&mut self, targets: &[&Target]) {
        for target in targets {
            let wishes = wishes(target, self.members, self.roster);
            if let Some(Place::Here(room)) = self.places.get(&target.name) {
                self.wished_in
                    .insert(room.id.clone(), wishes.keys().cloned().collect());
            }
            self.wishes.insert(target.name.clone(), wishes);
        }
    }

    fn policy(&self, target: &Target) -> Policy {
        let is_known = |group: &Dn| self.members.get(group).is_some_and(Option::is_some);
        let is_approved = self.approval == Approval::Given;
        Policy {
            remove: target.remove,
            enforce: target.enforce,
            is_whole: is_approved || target.groups.keys().all(is_known),
            removals_max: (!is_approved).then_some(self.mapper.config().removals_percent_max),
        }
    }

    pub async fn plan(&mut self, target: &Target) -> Result<PlannedRoom, MappingError> {
        let (rooms, account) = (self.mapper.rooms(), self.mapper.account());
        let place = self.places.get(&target.name).cloned().unwrap_or(Place::Missing);
        let wishes = self.wishes.remove(&target.name).unwrap_or_default();
        let mut planned = PlannedRoom {
            name: target.name.clone(),
            place,
            plan: RoomPlan::default(),
            marks: BTreeMap::new(),
        };
        let mut before = self.missing_groups(target);
        let picture = match (&planned.place, &target.create) {
            (Place::Here(room), _) => {
                let reader = Reader::new(rooms, room, account).await?;
                let kind = reader.kind().await?;
                if kind != target.kind {
                    before.push(not_possible(target, Obstacle::WrongKind { wished: target.kind }));
                    planned.plan.changes = before;
                    return Ok(planned);
                }
                let (subjects, mirrored) = self
                    .subjects(target, &reader, &wishes, &mut planned.marks)
                    .await?;
                before.extend(self.parents(target, Some(room)).await?);
                reader
                    .picture(&target.name, &subjects, &self.wished_in, mirrored)
                    .await?
            }
            (Place::Missing, Some(blueprint)) => {
                let within = target.within.first().cloned();
                before.push(Change::Create {
                    room: target.name.clone(),
                    kind: target.kind,
                    blueprint: blueprint.clone(),
                    within,
                });
                before.extend(self.parents(target, None).await?);
                picture::of_missing(&target.name, account, &self.wished(&wishes))
            }
            (Place::Elsewhere { .. }, _) => {
                picture::of_elsewhere(&target.name, account, &self.wished(&wishes))
            }
            (Place::Missing, None) => {
                before.push(not_possible(target, Obstacle::NoRoom));
                planned.plan.changes = before;
                return Ok(planned);
            }
            (Place::Unreachable(cause), _) => {
                before.push(not_possible(target, Obstacle::Unreachable(cause.clone())));
                planned.plan.changes = before;
                return Ok(planned);
            }
        };
        let policy = self.policy(target);
        let mut plan = plan_room(&picture, &wishes, &planned.marks, &self.roster.paused, policy);
        before.append(&mut plan.changes);
        plan.changes = before;
        planned.plan = plan;
        Ok(planned)
    }

    fn missing_groups(&self, target: &Target) -> Vec<Change> {
        let is_missing = |group: &&Dn| self.members.get(*group).is_none_or(Option::is_none);
        let missing = target.groups.keys().filter(is_missing);
        missing
            .map(|group| not_possible(target, Obstacle::NoGroup(group.clone())))
            .collect()
    }

    /// Those who are wished, with their numbers.
    fn wished(&mut self, wishes: &BTreeMap<OwnedUserId, Wish>) -> Vec<Subject> {
        let accounts = self
            .roster
            .accounts()
            .filter(|account| wishes.contains_key(&account.user_id));
        let subjects: Vec<Subject> = accounts
            .map(|account| Subject {
                number: account.number,
                user_id: account.user_id.clone(),
            })
            .collect();
        self.remember(&subjects);
        subjects
    }

    fn remember(&mut self, subjects: &[Subject]) {
        let numbers = subjects
            .iter()
            .map(|subject| (subject.user_id.clone(), subject.number));
        self.numbers.extend(numbers);
    }

    /// Everybody whom the plan of a room looks at, with how many the directory brought in. What it owns of them goes into
    /// `marks`.
    async fn subjects(
        &mut self,
        target: &Target,
        reader: &Reader<'_>,
        wishes: &BTreeMap<OwnedUserId, Wish>,
        marks: &mut BTreeMap<OwnedUserId, Mark>,
    ) -> Result<(Vec<Subject>, usize), MappingError> {
        let mut subjects = self.wished(wishes);
        let owned = self.marks.remove(&reader.number()).unwrap_or_default();
        let mirrored = owned.values().filter(|mark| mark.is_member).count();
        let mut seen: HashSet<UserNumber> = subjects.iter().map(|subject| subject.number).collect();
        let is_everything = matches!(self.scope, Scope::Everything);
        // Of those without an account of the directory only a look at everything knows that they have gone.
        let unknown: Vec<UserNumber> = owned
            .keys()
            .copied()
            .filter(|number| is_everything && self.roster.user_id(*number).is_none())
            .collect();
        let names = self.mapper.rooms().user_ids(&unknown).await?;
        let gone: HashMap<UserNumber, OwnedUserId> = unknown.into_iter().zip(names).collect();
        let present = reader
            .joined()
            .filter(|_| is_everything || target.remove == Removal::All);
        let numbers: Vec<UserNumber> = owned.keys().copied().chain(present).collect();
        for number in numbers {
            let known = self.roster.user_id(number).or_else(|| gone.get(&number));
            if let Some(user_id) = known
                && seen.insert(number)
            {
                subjects.push(Subject {
                    number,
                    user_id: user_id.clone(),
                });
            }
        }
        for (number, mark) in owned {
            if let Some(user_id) = self.roster.user_id(number).or_else(|| gone.get(&number)) {
                marks.insert(user_id.clone(), mark);
            }
        }
        self.remember(&subjects);
        Ok((subjects, mirrored))
    }

    /// Adding a channel to its spaces; one that is made is in none yet.
    async fn parents(&self, target: &Target, room: Option<&Arc<Room>>) -> Result<Vec<Change>, MappingError> {
        let mut changes = Vec::new();
        for space in &target.within {
            match self.places.get(space) {
                Some(Place::Here(place)) => {
                    let reader = Reader::new(self.mapper.rooms(), place, self.mapper.account()).await?;
                    if room.is_some_and(|room| reader.knows_child(&room.id)) {
                        continue;
                    }
                    if let Err(obstacle) = reader.may_add_children() {
                        let room = Some(space.clone());
                        let users = Vec::new();
                        changes.push(Change::NotPossible {
                            room,
                            users,
                            why: obstacle,
                        });
                        continue;
                    }
                }
                // It is made by the same plan.
                Some(Place::Missing) if self.makes(space) => {}
                // Said where the space is planned, or outside of what is looked at now.
                _ => continue,
            }
            changes.push(Change::AddChild {
                space: space.clone(),
                channel: target.name.clone(),
            });
        }
        Ok(changes)
    }

    fn makes(&self, space: &RoomName) -> bool {
        let mut targets = self.mapper.targets().iter();
        targets.any(|target| target.name == *space && target.create.is_some())
    }

    pub async fn administrators(&mut self) -> Result<RoomPlan, MappingError> {
        let mappings = &self.mapper.config().mappings;
        let mappings: Vec<_> = mappings.iter().filter(|mapping| mapping.administrators).collect();
        if mappings.is_empty() {
            return Ok(RoomPlan::default());
        }
        let provider = self.mapper.provider();
        let marked = store::administrators(self.mapper.rooms().database(), provider).await?;
        let mut administrators = Administrators::default();
        for mapping in &mappings {
            let people = self.members.get(&mapping.group).and_then(Option::as_ref);
            let wished = people
                .into_iter()
                .flatten()
                .filter_map(|id| self.roster.account(id));
            for account in wished {
                let group = mapping.group.clone();
                administrators
                    .wished
                    .entry(account.user_id.clone())
                    .or_insert(group);
            }
        }
        for account in self.roster.accounts() {
            self.numbers.insert(account.user_id.clone(), account.number);
            if account.is_admin {
                administrators.found.insert(account.user_id.clone());
            }
        }
        administrators.mirrored = marked.len();
        let marked = marked
            .into_iter()
            .filter_map(|number| self.roster.user_id(number).cloned());
        administrators.marked = marked.collect();
        let in_group = |mapping: &&MappingConfig| self.members.get(&mapping.group).and_then(Option::as_ref);
        let mut groups = mappings.iter().filter_map(in_group);
        administrators.is_emptied = groups.all(BTreeSet::is_empty);
        let is_known = |group: &Dn| self.members.get(group).is_some_and(Option::is_some);
        let is_approved = self.approval == Approval::Given;
        let policy = Policy {
            remove: Removal::Mirrored,
            enforce: mappings.iter().any(|mapping| mapping.enforce),
            is_whole: is_approved || mappings.iter().all(|mapping| is_known(&mapping.group)),
            removals_max: (!is_approved).then_some(self.mapper.config().removals_percent_max),
        };
        Ok(plan_administrators(&administrators, &self.roster.paused, policy))
    }
}

fn not_possible(target: &Target, why: Obstacle) -> Change {
    Change::NotPossible {
        room: Some(target.name.clone()),
        users: Vec::new(),
        why,
    }
}
