//! Who administers the server by the directory's wish. Pure, and by the rules of [`super::plan`].

use std::collections::{BTreeMap, BTreeSet};

use ruma::OwnedUserId;

use super::{
    change::{Change, Drift, DriftKind, Owned},
    plan::{Policy, RoomPlan, Stop, is_too_many},
};
use crate::mirror::Dn;

/// Who administers, and by whose doing.
#[derive(Debug, Default)]
pub(crate) struct Administrators {
    /// Whom the directory wishes.
    pub wished: BTreeMap<OwnedUserId, Dn>,
    /// Who of the directory's people administers now.
    pub found: BTreeSet<OwnedUserId>,
    /// Whom the directory made one.
    pub marked: BTreeSet<OwnedUserId>,
    /// How many the directory made one, whoever is looked at now.
    pub mirrored: usize,
    /// Whether nobody at all is in the groups that administer.
    pub is_emptied: bool,
}

/// Plans who becomes an administrator and who is one no more. Taking it from all at once is taken for a mistake.
pub(crate) fn plan_administrators(
    administrators: &Administrators,
    paused: &BTreeSet<OwnedUserId>,
    policy: Policy,
) -> RoomPlan {
    let Administrators {
        wished,
        found,
        marked,
        mirrored,
        is_emptied,
    } = administrators;
    let mut plan = RoomPlan::default();
    for (user, group) in wished.iter().filter(|(user, _)| !paused.contains(*user)) {
        if found.contains(user) {
            continue;
        }
        if marked.contains(user) && !policy.enforce {
            plan.drift.push(Drift {
                room: None,
                user: user.clone(),
                kind: DriftKind::NoAdministrator,
            });
            continue;
        }
        plan.changes.push(Change::GrantAdministrator {
            user: user.clone(),
            group: group.clone(),
        });
    }
    let unwished = marked
        .iter()
        .filter(|user| !wished.contains_key(*user) && !paused.contains(*user));
    let (revoked, forgotten): (Vec<_>, Vec<_>) = unwished.cloned().partition(|user| found.contains(user));
    if !policy.is_whole {
        return plan;
    }
    let is_everybody = policy.removals_max.is_some() && *is_emptied && !revoked.is_empty();
    if is_everybody || is_too_many(revoked.len(), *mirrored, policy.removals_max) {
        plan.stop = Some(Stop {
            room: None,
            removals: revoked.len(),
            mirrored: *mirrored,
        });
        plan.changes.clear();
        return plan;
    }
    let revoked = revoked.into_iter();
    plan.changes
        .extend(revoked.map(|user| Change::RevokeAdministrator { user }));
    let forgotten = forgotten.into_iter();
    plan.changes.extend(forgotten.map(|user| Change::Forget {
        room: None,
        user,
        what: Owned::Administration,
    }));
    plan
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use ruma::UserId;

    use super::*;
    use crate::mapping::{config::Removal, testing::group_dn};

    const POLICY: Policy = Policy {
        remove: Removal::Mirrored,
        enforce: false,
        is_whole: true,
        removals_max: Some(25),
    };

    fn users(names: &[&str]) -> BTreeSet<OwnedUserId> {
        let user = |name: &&str| UserId::parse(format!("@{name}:one.example")).unwrap();
        names.iter().map(user).collect()
    }

    fn steps(wished: &[&str], found: &[&str], marked: &[&str], policy: Policy) -> Vec<&'static str> {
        let administrators = Administrators {
            wished: users(wished)
                .into_iter()
                .map(|user| (user, group_dn("it")))
                .collect(),
            found: users(found),
            marked: users(marked),
            mirrored: marked.len(),
            is_emptied: wished.is_empty(),
        };
        let plan = plan_administrators(&administrators, &BTreeSet::new(), policy);
        let told = plan.drift.iter().map(|drift| drift.kind.name());
        let stopped = plan.stop.iter().map(|_| "stop");
        plan.changes
            .iter()
            .map(Change::name)
            .chain(told)
            .chain(stopped)
            .collect()
    }

    #[test]
    fn administrators_come_and_go_with_the_group_and_those_made_by_hand_stay() {
        assert_eq!(steps(&["a"], &[], &[], POLICY), ["grant_administrator"]);
        assert_eq!(steps(&["a"], &["a"], &[], POLICY), [""; 0]);
        assert_eq!(
            steps(&["a"], &["a", "b"], &["a", "b"], POLICY),
            ["revoke_administrator"]
        );
        assert_eq!(steps(&["a"], &["a", "hand"], &["a"], POLICY), [""; 0]);
        assert_eq!(steps(&["a"], &["a"], &["a", "b"], POLICY), ["forget"]);
    }

    #[test]
    fn what_people_took_back_stays_taken_back() {
        assert_eq!(steps(&["a"], &[], &["a"], POLICY), ["no_administrator"]);
        let enforcing = Policy {
            enforce: true,
            ..POLICY
        };
        assert_eq!(steps(&["a"], &[], &["a"], enforcing), ["grant_administrator"]);
    }

    #[test]
    fn an_emptied_group_leaves_its_administrators() {
        assert_eq!(steps(&[], &["a"], &["a"], POLICY), ["stop"]);
        let agreed = Policy {
            removals_max: None,
            ..POLICY
        };
        assert_eq!(steps(&[], &["a"], &["a"], agreed), ["revoke_administrator"]);
        let missing = Policy {
            is_whole: false,
            ..POLICY
        };
        assert_eq!(steps(&[], &["a"], &["a"], missing), [""; 0]);
    }
}
