//! Whom a change of some entries concerns beside those people themselves.

use std::collections::{BTreeSet, HashSet};

use super::snapshot::{Dn, ImmutableId, Snapshot};

/// A snapshot, and who may log in by it; `None` for everybody.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stand<'a> {
    pub snapshot: &'a Snapshot,
    pub may_log_in: Option<&'a BTreeSet<ImmutableId>>,
}

/// All whose plan may differ, if these people's entries differ and groups may: whoever came into the group that may log in
/// or went out of it, whose manager is one of these people, and who has or had a name of theirs.
pub(super) fn concerned(
    before: Stand<'_>,
    now: Stand<'_>,
    people: &BTreeSet<ImmutableId>,
) -> BTreeSet<ImmutableId> {
    let mut found = people.clone();
    let nobody = BTreeSet::new();
    let moved = before
        .may_log_in
        .unwrap_or(&nobody)
        .symmetric_difference(now.may_log_in.unwrap_or(&nobody));
    found.extend(moved.cloned());
    if people.is_empty() {
        return found;
    }
    let both = [before.snapshot, now.snapshot];
    let themselves = || {
        both.into_iter()
            .flat_map(|snapshot| people.iter().filter_map(|id| snapshot.people.get(id)))
    };
    let names: HashSet<&str> = themselves().map(|person| person.localpart.as_str()).collect();
    let dns: HashSet<&Dn> = themselves().map(|person| &person.dn).collect();
    let others = now.snapshot.people.values().filter(|person| {
        names.contains(person.localpart.as_str())
            || person
                .manager
                .as_ref()
                .is_some_and(|manager| dns.contains(manager))
    });
    found.extend(others.map(|person| person.id.clone()));
    found
}

/// Whose accounts tell what is to be done about these people: theirs, and their managers'.
pub(super) fn looked_at<'a>(
    now: &'a Snapshot,
    people: &'a BTreeSet<ImmutableId>,
) -> BTreeSet<&'a ImmutableId> {
    let managers = people.iter().filter_map(|id| {
        let manager = now.people.get(id)?.manager.as_ref()?;
        Some(&now.person_at(manager)?.id)
    });
    people.iter().chain(managers).collect()
}
