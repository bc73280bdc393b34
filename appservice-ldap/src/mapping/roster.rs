//! Who of the directory has an account here, and what is wished for them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use echorift_accounts::ProvidedAccount;
use echorift_storage::UserNumber;
use ruma::OwnedUserId;

use super::{plan::Wish, target::Target};
use crate::mirror::{Dn, ImmutableId, Snapshot, Standing};

/// The accounts of the directory's people that a plan is about.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    accounts: HashMap<ImmutableId, ProvidedAccount>,
    ids: HashMap<UserNumber, OwnedUserId>,
    /// For whom nothing is done: the directory or an administrator lets their account rest.
    pub paused: BTreeSet<OwnedUserId>,
}

impl Roster {
    /// Who is not in the snapshot any more has left, and is not paused.
    pub fn new(accounts: Vec<ProvidedAccount>, snapshot: &Snapshot) -> Self {
        let mut roster = Self::default();
        for account in accounts {
            let id = ImmutableId::new(account.external_id.clone());
            let person = snapshot.people.get(&id);
            let rests = account.is_locked || person.is_some_and(|person| person.standing != Standing::Active);
            if person.is_some() && rests {
                roster.paused.insert(account.user_id.clone());
            }
            roster.ids.insert(account.number, account.user_id.clone());
            roster.accounts.insert(id, account);
        }
        roster
    }

    pub fn account(&self, id: &ImmutableId) -> Option<&ProvidedAccount> {
        self.accounts.get(id)
    }

    pub fn accounts(&self) -> impl Iterator<Item = &ProvidedAccount> {
        self.accounts.values()
    }

    /// Whose number this is, if it is one of the directory's people.
    pub fn user_id(&self, number: UserNumber) -> Option<&OwnedUserId> {
        self.ids.get(&number)
    }
}

/// The people of each mapped group; `None` where the directory has no such group.
pub(crate) type Members = BTreeMap<Dn, Option<BTreeSet<ImmutableId>>>;

/// Reads who is in these groups; with `is_nested` those of groups within them as well.
pub(crate) fn members_of<'a>(
    snapshot: &Snapshot,
    groups: impl IntoIterator<Item = &'a Dn>,
    is_nested: bool,
) -> Members {
    let people = |group: &Dn| {
        snapshot.groups.get(group)?;
        Some(match is_nested {
            true => snapshot.people_of(group),
            false => snapshot.direct_people_of(group),
        })
    };
    groups
        .into_iter()
        .map(|group| (group.clone(), people(group)))
        .collect()
}

/// What is wished for the people of a target's groups: of several groups the highest level. Who has no account yet is
/// left out, and comes in with it.
pub(crate) fn wishes(target: &Target, members: &Members, roster: &Roster) -> BTreeMap<OwnedUserId, Wish> {
    let mut wishes: BTreeMap<OwnedUserId, Wish> = BTreeMap::new();
    for (group, level) in &target.groups {
        let people = members.get(group).and_then(Option::as_ref);
        for account in people.into_iter().flatten().filter_map(|id| roster.account(id)) {
            let wish = || Wish {
                level: *level,
                group: group.clone(),
            };
            let known = wishes.entry(account.user_id.clone()).or_insert_with(wish);
            if known.level < *level {
                *known = wish();
            }
        }
    }
    wishes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use ruma::{UserId, server_name};

    use super::*;
    use crate::mapping::{
        config::{MappingConfig, Role},
        target::targets,
        testing::{group, group_dn, mapping, person},
    };

    fn account(number: i64, uid: &str) -> ProvidedAccount {
        ProvidedAccount {
            number: UserNumber(number),
            user_id: UserId::parse(format!("@{uid}:one.example")).unwrap(),
            external_id: uid.to_owned(),
            is_admin: false,
            is_locked: false,
        }
    }

    #[test]
    fn the_highest_role_counts_and_who_has_no_account_waits() {
        let (anna, ben) = (person("anna"), person("ben"));
        let staff = group("staff", [anna.dn.clone(), ben.dn.clone(), group_dn("leads")]);
        // Groups that contain each other are a mistake that does no harm.
        let leads = group("leads", [anna.dn.clone(), group_dn("staff")]);
        let snapshot = Snapshot::new([anna, ben], [staff, leads]);
        let roster = Roster::new(vec![account(1, "anna")], &snapshot);
        let leads = MappingConfig {
            role: Role::Level(50),
            ..mapping("leads", None, &["#a"])
        };
        let target = &targets(
            &[mapping("staff", None, &["#a"]), leads],
            server_name!("one.example"),
        )[0];
        let found = |is_nested| {
            let members = members_of(&snapshot, target.groups.keys(), is_nested);
            let wishes = wishes(target, &members, &roster).into_iter();
            wishes
                .map(|(user, wish)| (user.localpart().to_owned(), wish.level))
                .collect::<Vec<_>>()
        };
        assert_eq!(found(true), [("anna".to_owned(), Some(50))]);
        assert_eq!(found(false), [("anna".to_owned(), Some(50))]);
    }

    #[test]
    fn whose_account_rests_is_paused_and_who_is_gone_is_not() {
        let mut anna = person("anna");
        anna.standing = Standing::Disabled;
        let snapshot = Snapshot::new([anna, person("ben")], []);
        let locked = |uid| ProvidedAccount {
            is_locked: true,
            ..account(2, uid)
        };
        let accounts = vec![
            account(1, "anna"),
            locked("ben"),
            ProvidedAccount {
                number: UserNumber(3),
                ..locked("gone")
            },
        ];
        let paused = Roster::new(accounts, &snapshot).paused;
        assert_eq!(
            paused.iter().map(|user| user.localpart()).collect::<Vec<_>>(),
            ["anna", "ben"]
        );
    }
}
