//! What the directory held at one moment, complete: whoever plans changes needs nothing else of it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::dn;

/// What never changes about a person, as text ([`crate::DirectoryUser::immutable_id`]).
///
/// Cheap to clone, as all that a snapshot is made of: the next snapshot shares what did not change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImmutableId(Arc<str>);

impl ImmutableId {
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into().into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ImmutableId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A distinguished name in normal form: two spellings of one name are equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dn(Arc<str>);

impl Dn {
    /// `None` if the text is no distinguished name (RFC 4514).
    pub fn parse(text: &str) -> Option<Self> {
        dn::normalise(text).map(|name| Self(name.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the first part says: `sales` of `cn=sales,ou=groups`.
    pub fn short_name(&self) -> String {
        dn::first_value(&self.0).unwrap_or_else(|| self.0.to_string())
    }

    /// Whether this is the other name or lies below it.
    pub fn is_within(&self, ancestor: &Dn) -> bool {
        dn::is_within(&self.0, &ancestor.0)
    }
}

impl fmt::Display for Dn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Whether the directory lets a person use their account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    Active,
    Disabled,
    Locked,
    Expired,
}

impl Standing {
    /// Its name in logs, plans and the administration API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Locked => "locked",
            Self::Expired => "expired",
        }
    }
}

/// One person, in the words of Matrix. Texts are bounded and free of control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub id: ImmutableId,
    pub dn: Dn,
    /// In the Matrix grammar.
    pub localpart: String,
    pub display_name: Option<String>,
    pub mail: Option<String>,
    /// SHA-256 of the photo in hexadecimal.
    pub photo_digest: Option<String>,
    pub title: Option<String>,
    pub department: Option<String>,
    /// May be somebody outside of this snapshot.
    pub manager: Option<Dn>,
    pub phone: Option<String>,
    pub standing: Standing,
}

/// One group, with those whom it names itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The immutable id, where the directory tells it; a group known only from its members' entries has none.
    pub id: Option<ImmutableId>,
    pub dn: Dn,
    pub name: String,
    /// People and groups, also such as this snapshot does not hold.
    pub members: BTreeSet<Dn>,
    pub description: Option<String>,
}

/// The whole directory at one moment. Never a part of it: who is not in here is not there. Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    pub people: OrdMap<ImmutableId, Arc<Person>>,
    pub groups: OrdMap<Dn, Arc<Group>>,
    /// Where people of a group are looked up.
    ids: OrdMap<Dn, ImmutableId>,
}

impl Snapshot {
    /// Of several people with one id, or groups with one name, the last stays.
    pub fn new(people: impl IntoIterator<Item = Person>, groups: impl IntoIterator<Item = Group>) -> Self {
        let mut snapshot = Self::default();
        for person in people {
            snapshot.put_person(Arc::new(person));
        }
        for group in groups {
            snapshot.put_group(Arc::new(group));
        }
        snapshot
    }

    /// Puts a person in the place of whoever has this id.
    pub(super) fn put_person(&mut self, person: Arc<Person>) {
        self.remove_person(&person.id);
        self.ids.insert(person.dn.clone(), person.id.clone());
        self.people.insert(person.id.clone(), person);
    }

    pub(super) fn remove_person(&mut self, id: &ImmutableId) {
        let Some(person) = self.people.remove(id) else {
            return;
        };
        // Somebody else may have the name by now.
        if self.ids.get(&person.dn) == Some(id) {
            self.ids.remove(&person.dn);
        }
    }

    pub(super) fn put_group(&mut self, group: Arc<Group>) {
        self.groups.insert(group.dn.clone(), group);
    }

    /// The person with this name.
    pub fn person_at(&self, dn: &Dn) -> Option<&Person> {
        self.people.get(self.ids.get(dn)?).map(Arc::as_ref)
    }

    /// The people in a group or in a group within it, however deep; groups that contain each other are walked
    /// once. Empty if there is no such group.
    pub fn people_of(&self, group: &Dn) -> BTreeSet<ImmutableId> {
        let mut people = BTreeSet::new();
        let mut visited: BTreeSet<&Dn> = BTreeSet::new();
        let mut waiting: Vec<&Dn> = vec![group];
        while let Some(name) = waiting.pop() {
            let Some(group) = self.groups.get(name) else {
                continue;
            };
            if visited.insert(&group.dn) {
                // An entry is a person or a group, never both.
                for member in &group.members {
                    match self.ids.get(member) {
                        Some(person) => drop(people.insert(person.clone())),
                        None => waiting.push(member),
                    }
                }
            }
        }
        people
    }

    /// The people whom the group itself names.
    pub fn direct_people_of(&self, group: &Dn) -> BTreeSet<ImmutableId> {
        let members = self
            .groups
            .get(group)
            .into_iter()
            .flat_map(|group| &group.members);
        members
            .filter_map(|member| self.ids.get(member))
            .cloned()
            .collect()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    /// Somebody called `uid`, whose id is their name.
    pub(crate) fn person(uid: &str) -> Person {
        Person {
            id: ImmutableId::new(uid),
            dn: Dn::parse(&format!("uid={uid},ou=people,dc=x")).unwrap(),
            localpart: uid.to_owned(),
            display_name: Some(uid.to_owned()),
            mail: None,
            photo_digest: None,
            title: None,
            department: None,
            manager: None,
            phone: None,
            standing: Standing::Active,
        }
    }

    pub(crate) fn group_dn(name: &str) -> Dn {
        Dn::parse(&format!("cn={name},ou=groups,dc=x")).unwrap()
    }

    pub(crate) fn group(name: &str, members: impl IntoIterator<Item = Dn>) -> Group {
        Group {
            id: None,
            dn: group_dn(name),
            name: name.to_owned(),
            members: members.into_iter().collect(),
            description: None,
        }
    }

    fn ids<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<ImmutableId> {
        names.into_iter().map(ImmutableId::new).collect()
    }

    #[test]
    fn people_of_groups_in_groups_are_members_and_cycles_end() {
        let (anna, ben) = (person("anna"), person("ben"));
        let staff = group("staff", [anna.dn.clone(), group_dn("team")]);
        let team = group("team", [ben.dn.clone(), group_dn("staff"), group_dn("gone")]);
        let snapshot = Snapshot::new([anna, ben], [staff, team]);
        assert_eq!(snapshot.people_of(&group_dn("staff")), ids(["anna", "ben"]));
        assert_eq!(snapshot.people_of(&group_dn("team")), ids(["anna", "ben"]));
        assert_eq!(snapshot.direct_people_of(&group_dn("team")), ids(["ben"]));
        assert_eq!(snapshot.people_of(&group_dn("gone")), ids([]));
    }

    #[test]
    fn members_are_found_however_their_names_are_spelled() {
        let anna = person("anna");
        let spelled = Dn::parse("UID=Anna, OU=People, DC=X").unwrap();
        let snapshot = Snapshot::new([anna], [group("staff", [spelled])]);
        assert_eq!(snapshot.people_of(&group_dn("staff")), ids(["anna"]));
    }

    const GROUPS: usize = 8;
    const PEOPLE: usize = 8;

    fn company(edges: &[(usize, usize)]) -> Snapshot {
        let people: Vec<_> = (0..PEOPLE).map(|n| person(&format!("p{n}"))).collect();
        let groups = (0..GROUPS).map(|n| {
            let members = edges.iter().filter(|(from, _)| *from == n).map(|(_, to)| {
                to.checked_sub(PEOPLE)
                    .map_or_else(|| person(&format!("p{to}")).dn, |to| group_dn(&format!("g{to}")))
            });
            group(&format!("g{n}"), members)
        });
        Snapshot::new(people.clone(), groups)
    }

    proptest! {
        #[test]
        fn a_group_holds_its_own_people_and_those_of_each_member_group(
            edges in proptest::collection::vec((0..GROUPS, 0..PEOPLE + GROUPS), 0..40)
        ) {
            let snapshot = company(&edges);
            for group in snapshot.groups.values() {
                let all = snapshot.people_of(&group.dn);
                prop_assert!(snapshot.direct_people_of(&group.dn).is_subset(&all));
                // The least set that is closed: found by repeating until nothing is added.
                let mut closed: BTreeSet<Dn> = group.members.clone();
                loop {
                    let more: BTreeSet<Dn> = closed
                        .iter()
                        .filter_map(|dn| snapshot.groups.get(dn))
                        .flat_map(|group| group.members.iter().cloned())
                        .collect();
                    if more.is_subset(&closed) {
                        break;
                    }
                    closed.extend(more);
                }
                let expected: BTreeSet<_> =
                    closed.iter().filter_map(|dn| snapshot.person_at(dn)).map(|p| p.id.clone()).collect();
                prop_assert_eq!(all, expected);
            }
        }
    }
}
