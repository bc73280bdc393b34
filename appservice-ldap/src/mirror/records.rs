//! What was read, entry by entry, so that a few entries that changed can be worked into it.
//!
//! A [`Snapshot`] says who is in a group, whoever told it: the group itself, by name or by login, or the people in it. What
//! each of them told is kept apart here, for a change of one takes back nothing that another still says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use imbl::OrdMap;

use super::read::known_by_name;
use super::snapshot::{Dn, Group, ImmutableId, Person, Snapshot};

/// A person's entry, and what the groups are put together with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PersonRecord {
    pub person: Arc<Person>,
    /// How `memberUid` names them.
    pub login: Option<String>,
    /// The groups that their entry tells of (`memberOf`).
    pub told: Vec<Dn>,
}

/// A group's entry: with the members that it names itself, and those whom it calls by their logins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GroupRecord {
    pub group: Group,
    pub logins: BTreeSet<String>,
}

/// Every entry of the last reading, with what has changed since. Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Records {
    people: OrdMap<ImmutableId, Arc<PersonRecord>>,
    groups: OrdMap<Dn, Arc<GroupRecord>>,
}

/// Entries as they are now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes {
    /// `None` for who is gone.
    pub people: BTreeMap<ImmutableId, Option<PersonRecord>>,
    pub groups: BTreeMap<Dn, GroupRecord>,
}

/// What became of changes.
#[derive(Debug)]
pub(crate) struct Merged {
    pub records: Records,
    pub snapshot: Snapshot,
    /// Whose own entries differ.
    pub people: BTreeSet<ImmutableId>,
    pub has_changed: bool,
}

impl Records {
    /// Of several people with one id, or groups with one name, the last stays.
    pub fn new(
        people: impl IntoIterator<Item = PersonRecord>,
        groups: impl IntoIterator<Item = GroupRecord>,
    ) -> Self {
        let people = people
            .into_iter()
            .map(|record| (record.person.id.clone(), Arc::new(record)));
        let groups = groups
            .into_iter()
            .map(|record| (record.group.dn.clone(), Arc::new(record)));
        Self {
            people: people.collect(),
            groups: groups.collect(),
        }
    }

    pub fn person(&self, id: &ImmutableId) -> Option<&PersonRecord> {
        self.people.get(id).map(Arc::as_ref)
    }

    pub fn group(&self, dn: &Dn) -> Option<&GroupRecord> {
        self.groups.get(dn).map(Arc::as_ref)
    }

    pub fn people(&self) -> impl Iterator<Item = &PersonRecord> {
        self.people.values().map(Arc::as_ref)
    }

    pub fn groups(&self) -> impl Iterator<Item = &GroupRecord> {
        self.groups.values().map(Arc::as_ref)
    }

    /// Whether people's entries tell of their groups at all.
    pub fn tells_groups(&self) -> bool {
        self.people.values().any(|record| !record.told.is_empty())
    }

    pub fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot::default();
        for record in self.people.values() {
            snapshot.put_person(Arc::clone(&record.person));
        }
        let told = self.people.values().flat_map(|record| &record.told);
        let groups: BTreeSet<&Dn> = self.groups.keys().chain(told).collect();
        for group in self.put_together(&groups).into_values() {
            snapshot.put_group(Arc::new(group));
        }
        snapshot
    }

    /// Works changes into these records and the snapshot that was made of them. The outcome is what a reading of all
    /// entries would have given.
    pub fn merge(&self, snapshot: &Snapshot, changes: Changes) -> Merged {
        let (mut records, mut snapshot) = (self.clone(), snapshot.clone());
        let (mut people, mut affected) = (BTreeSet::new(), BTreeSet::new());
        let mut logins = BTreeSet::new();
        for (id, now) in changes.people {
            let now = now.map(Arc::new);
            let before = match &now {
                Some(now) => records.people.insert(id.clone(), Arc::clone(now)),
                None => records.people.remove(&id),
            };
            if before == now {
                continue;
            }
            for record in before.iter().chain(&now) {
                affected.extend(record.told.iter().cloned());
                logins.extend(record.login.clone());
            }
            match now {
                Some(now) => snapshot.put_person(Arc::clone(&now.person)),
                None => snapshot.remove_person(&id),
            }
            people.insert(id);
        }
        for (dn, now) in changes.groups {
            if records.group(&dn) != Some(&now) {
                records.groups.insert(dn.clone(), Arc::new(now));
                affected.insert(dn);
            }
        }
        if !logins.is_empty() {
            let named = records
                .groups()
                .filter(|record| !record.logins.is_disjoint(&logins));
            affected.extend(named.map(|record| record.group.dn.clone()).collect::<Vec<_>>());
        }
        let mut has_changed = !people.is_empty();
        let affected: BTreeSet<&Dn> = affected.iter().collect();
        let mut groups = records.put_together(&affected);
        for dn in affected {
            match groups.remove(dn) {
                Some(group) if snapshot.groups.get(dn).is_some_and(|before| **before == group) => {}
                Some(group) => {
                    snapshot.put_group(Arc::new(group));
                    has_changed = true;
                }
                None => has_changed |= snapshot.groups.remove(dn).is_some(),
            }
        }
        Merged {
            records,
            snapshot,
            people,
            has_changed,
        }
    }

    /// These groups with all their members, whoever tells of them. A group of which nobody tells is left out.
    fn put_together(&self, wanted: &BTreeSet<&Dn>) -> BTreeMap<Dn, Group> {
        let mut groups = BTreeMap::new();
        let named: Vec<&GroupRecord> = wanted.iter().filter_map(|dn| self.group(dn)).collect();
        let mut by_login: BTreeMap<&str, &Dn> = BTreeMap::new();
        if named.iter().any(|record| !record.logins.is_empty()) {
            let logins = self.people.values();
            by_login.extend(logins.filter_map(|record| Some((record.login.as_deref()?, &record.person.dn))));
        }
        for record in named {
            let mut group = record.group.clone();
            let called = record
                .logins
                .iter()
                .filter_map(|login| by_login.get(login.as_str()));
            group.members.extend(called.map(|dn| (*dn).clone()));
            group.members.remove(&group.dn);
            groups.insert(group.dn.clone(), group);
        }
        for record in self.people.values() {
            for dn in record.told.iter().filter(|dn| wanted.contains(dn)) {
                let group = groups.entry(dn.clone()).or_insert_with_key(known_by_name);
                group.members.insert(record.person.dn.clone());
            }
        }
        groups
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::mirror::snapshot::tests::{group, group_dn, person};

    const PEOPLE: usize = 4;
    const GROUPS: usize = 4;

    fn uid(number: usize) -> String {
        format!("p{number}")
    }

    /// Somebody who may be called otherwise than they were, and tells of some groups, of which two have no entry.
    fn any_person(number: usize) -> impl Strategy<Value = PersonRecord> {
        let told = proptest::collection::btree_set(0..GROUPS + 2, 0..3);
        (0..3_usize, 0..3_usize, told).prop_map(move |(name, login, told)| {
            let mut person = person(&uid(number));
            person.title = Some(login.to_string());
            person.dn = crate::mirror::snapshot::tests::person(&format!("p{number}-{name}")).dn;
            PersonRecord {
                person: Arc::new(person),
                login: (login > 0).then(|| format!("{number}-{login}")),
                told: told
                    .into_iter()
                    .map(|group| group_dn(&format!("g{group}")))
                    .collect(),
            }
        })
    }

    fn any_group(number: usize) -> impl Strategy<Value = GroupRecord> {
        let names = proptest::collection::btree_set((0..PEOPLE, 0..3_usize), 0..4);
        let logins = proptest::collection::btree_set((0..PEOPLE, 1..3_usize), 0..2);
        (names, logins).prop_map(move |(names, logins)| {
            let named = |(n, name): (usize, usize)| person(&format!("p{n}-{name}")).dn;
            GroupRecord {
                group: group(&format!("g{number}"), names.into_iter().map(named)),
                logins: logins
                    .into_iter()
                    .map(|(n, login)| format!("{n}-{login}"))
                    .collect(),
            }
        })
    }

    type Tree = (Vec<Option<PersonRecord>>, Vec<GroupRecord>);

    fn any_tree() -> impl Strategy<Value = Tree> {
        let people: Vec<_> = (0..PEOPLE).map(|n| proptest::option::of(any_person(n))).collect();
        let groups: Vec<_> = (0..GROUPS).map(any_group).collect();
        (people, groups)
    }

    fn records((people, groups): &Tree) -> Records {
        Records::new(people.iter().flatten().cloned(), groups.iter().cloned())
    }

    proptest! {
        #[test]
        fn what_is_worked_in_gives_what_a_whole_reading_gives(first in any_tree(), second in any_tree()) {
            let (before, after) = (records(&first), records(&second));
            let changes = Changes {
                people: (0..PEOPLE)
                    .zip(second.0.iter().cloned())
                    .map(|(n, record)| (ImmutableId::new(uid(n)), record))
                    .collect(),
                groups: second.1.iter().map(|record| (record.group.dn.clone(), record.clone())).collect(),
            };
            let was = before.snapshot();
            let merged = before.merge(&was, changes);
            prop_assert_eq!(&merged.snapshot, &after.snapshot());
            prop_assert_eq!(merged.has_changed, was != merged.snapshot || !merged.people.is_empty());
            prop_assert_eq!(merged.records, after);
        }
    }
}
