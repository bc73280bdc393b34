//! Cutting a reading into parts that fit into requests.

use super::wire::{FedEntries, FedGroup, FedPerson};
use crate::mirror::records::Records;

/// Names in one part: of entries, and of members or groups in them. At a hundred bytes each this is a quarter of a megabyte.
const PART_VALUES: usize = 2_500;
/// As many names as a request holds that cannot be cut.
pub(super) const PART_VALUES_MAX: usize = 40_000;

enum Piece {
    Person(FedPerson),
    Group(FedGroup),
}

impl Piece {
    fn values(&self) -> usize {
        match self {
            Self::Person(person) => person_values(person),
            Self::Group(group) => group_values(group),
        }
    }
}

/// How many names this holds.
pub(super) fn values_of(entries: &FedEntries) -> usize {
    let people = entries.people.iter().map(person_values);
    people.chain(entries.groups.iter().map(group_values)).sum()
}

fn person_values(person: &FedPerson) -> usize {
    person.member_of.len() + 2
}

fn group_values(group: &FedGroup) -> usize {
    group.members.len() + group.member_logins.len() + 1
}

/// All entries, in parts.
pub(super) fn parts_of(records: &Records) -> impl Iterator<Item = FedEntries> {
    let people = records.people().map(|person| Piece::Person(person.into()));
    let groups = records.groups().flat_map(|group| cut(group.into()));
    let mut pieces = people.chain(groups.map(Piece::Group)).peekable();
    std::iter::from_fn(move || {
        pieces.peek()?;
        let (mut part, mut values) = (FedEntries::default(), 0);
        while let Some(piece) = pieces.next_if(|piece| values == 0 || values + piece.values() <= PART_VALUES)
        {
            values += piece.values();
            match piece {
                Piece::Person(person) => part.people.push(person),
                Piece::Group(group) => part.groups.push(group),
            }
        }
        Some(part)
    })
}

/// A group of many members in pieces, of which each has some.
fn cut(mut group: FedGroup) -> Vec<FedGroup> {
    let members = std::mem::take(&mut group.members);
    let logins = std::mem::take(&mut group.member_logins);
    let with_members = members.chunks(PART_VALUES).map(|members| FedGroup {
        members: members.to_vec(),
        ..group.clone()
    });
    let with_logins = logins.chunks(PART_VALUES).map(|logins| FedGroup {
        member_logins: logins.to_vec(),
        ..group.clone()
    });
    let mut pieces: Vec<FedGroup> = with_members.chain(with_logins).collect();
    if pieces.is_empty() {
        pieces.push(group);
    }
    pieces
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use super::*;
    use crate::mirror::records::{GroupRecord, PersonRecord};
    use crate::mirror::snapshot::tests::{group, person};

    #[test]
    fn parts_hold_everything_and_none_is_large() {
        let people = (0..3_000).map(|n| PersonRecord {
            person: Arc::new(person(&format!("p{n}"))),
            login: None,
            told: Vec::new(),
        });
        let all = (0..6_000).map(|n| person(&format!("p{n}")).dn);
        let groups = [
            GroupRecord {
                group: group("all", all),
                logins: BTreeSet::from(["p1".to_owned()]),
            },
            GroupRecord {
                group: group("nobody", []),
                logins: BTreeSet::new(),
            },
        ];
        let records = Records::new(people, groups);
        let parts: Vec<FedEntries> = parts_of(&records).collect();
        assert!(parts.len() > 4 && parts.iter().all(|part| values_of(part) <= PART_VALUES + 1));
        let people: usize = parts.iter().map(|part| part.people.len()).sum();
        assert_eq!(people, 3_000);
        let groups = parts.iter().flat_map(|part| &part.groups);
        let members: usize = groups.clone().map(|group| group.members.len()).sum();
        let names: BTreeSet<&str> = groups.map(|group| group.name.as_str()).collect();
        assert_eq!((members, names.len()), (6_000, 2));
        assert!(parts_of(&Records::default()).next().is_none());
    }
}
