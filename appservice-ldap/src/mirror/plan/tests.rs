#![allow(clippy::unwrap_used, reason = "tests")]
use echorift_accounts::PersonToCreate;
use proptest::prelude::*;
use ruma::server_name;
use serde_json::json;

use super::*;
use crate::mirror::concern::{self, Stand};
use crate::mirror::snapshot::ImmutableId;
use crate::mirror::snapshot::tests::{group, group_dn, person};

fn account(number: i64, person: &Person) -> MirroredPerson {
    MirroredPerson {
        user: UserNumber(number),
        localpart: person.localpart.clone(),
        external_id: Some(person.id.to_string()),
        mail: person.mail.clone(),
        lock: None,
        is_deactivated: false,
        photo_digest: person.photo_digest.clone(),
        fields: person
            .display_name
            .iter()
            .map(|name| ("displayname".to_owned(), json!(name)))
            .collect(),
    }
}

fn plan_of(snapshot: &Snapshot, accounts: &[MirroredPerson]) -> Plan {
    plan_with(snapshot, accounts, &MirrorConfig::default(), None)
}

fn plan_with(
    snapshot: &Snapshot,
    accounts: &[MirroredPerson],
    config: &MirrorConfig,
    login_group: Option<&Dn>,
) -> Plan {
    let members = login_group.map(|group| snapshot.people_of(group));
    let policy = Policy {
        config,
        server_name: server_name!("nordlicht.example"),
        may_log_in: members.as_ref(),
    };
    plan(snapshot, accounts, policy, About::Everybody)
}

fn lines(plan: &Plan) -> Vec<String> {
    plan.changes.iter().map(ToString::to_string).collect()
}

#[test]
fn who_is_hired_gets_an_account_and_then_nothing_more() {
    let anna = person("anna");
    let snapshot = Snapshot::new([anna.clone()], []);
    assert_eq!(lines(&plan_of(&snapshot, &[])), ["create anna"]);
    assert_eq!(plan_of(&snapshot, &[account(1, &anna)]).changes, []);
    let at_login = MirrorConfig {
        creates_ahead: false,
        ..MirrorConfig::default()
    };
    assert_eq!(plan_with(&snapshot, &[], &at_login, None).changes, []);
}

#[test]
fn who_is_renamed_keeps_the_account() {
    let anna = person("anna");
    let married = Person {
        localpart: "anna.meyer".to_owned(),
        display_name: Some("Anna Meyer".to_owned()),
        dn: Dn::parse("uid=anna.meyer,dc=x").unwrap(),
        ..anna.clone()
    };
    let plan = plan_of(&Snapshot::new([married], []), &[account(1, &anna)]);
    assert_eq!(
        lines(&plan),
        ["update anna: displayname \"anna\" -> \"Anna Meyer\";"]
    );
}

#[test]
fn leavers_are_locked_and_unlocked_when_they_return() {
    let (anna, ben, carla) = (person("anna"), person("ben"), person("carla"));
    let accounts = [account(1, &anna), account(2, &ben), account(3, &carla)];
    let gone = Person {
        standing: Standing::Disabled,
        ..ben.clone()
    };
    let snapshot = Snapshot::new([anna.clone(), gone], [group("staff", [ben.dn.clone()])]);
    let plan = plan_with(
        &snapshot,
        &accounts,
        &MirrorConfig::default(),
        Some(&group_dn("staff")),
    );
    assert_eq!(
        lines(&plan),
        [
            "lock anna (not_in_login_group)",
            "lock ben (disabled)",
            "lock carla (missing)"
        ]
    );
    assert_eq!((plan.active, plan.locks()), (3, 3));

    let locked = |owner| {
        [MirroredPerson {
            lock: Some(owner),
            ..account(1, &anna)
        }]
    };
    let back = Snapshot::new([anna.clone()], []);
    assert_eq!(
        lines(&plan_of(&back, &locked(LockOwner::Directory))),
        ["unlock anna"]
    );
    // What an administrator has locked stays locked.
    assert_eq!(plan_of(&back, &locked(LockOwner::Administrator)).changes, []);
}

#[test]
fn names_that_lead_to_two_people_make_no_account() {
    let twin = |id: &str| Person {
        id: ImmutableId::new(id),
        dn: Dn::parse(&format!("cn={id},dc=x")).unwrap(),
        ..person("sam")
    };
    let plan = plan_of(&Snapshot::new([twin("1"), twin("2")], []), &[]);
    assert_eq!((plan.changes.len(), plan.troubles.len()), (0, 2));
    // A new person with the name of somebody who is still known by another id.
    let plan = plan_of(
        &Snapshot::new([twin("1"), person("anna")], []),
        &[account(1, &person("sam"))],
    );
    assert_eq!(lines(&plan), ["create anna", "lock sam (missing)"]);
    assert_eq!(plan.troubles.len(), 1);
}

#[test]
fn managers_are_named_as_they_are_called_here() {
    let anna = person("anna");
    let ben = Person {
        manager: Some(anna.dn.clone()),
        ..person("ben")
    };
    let called = MirroredPerson {
        localpart: "old.anna".to_owned(),
        ..account(1, &anna)
    };
    let plan = plan_of(
        &Snapshot::new([anna, ben.clone()], []),
        &[called, account(2, &ben)],
    );
    let expected = "update ben: org.echorift.manager nothing -> \"@old.anna:nordlicht.example\";";
    assert_eq!(lines(&plan), [expected]);
}

#[test]
fn fields_that_the_directory_does_not_own_are_left_alone() {
    let anna = person("anna");
    let config = MirrorConfig {
        owned_fields: BTreeSet::new(),
        ..MirrorConfig::default()
    };
    let renamed = MirroredPerson {
        fields: BTreeMap::from([
            ("displayname".to_owned(), json!("Änni")),
            ("avatar_url".to_owned(), json!("mxc://a/b")),
        ]),
        ..account(1, &anna)
    };
    let with_photo = Person {
        photo_digest: Some("1".to_owned()),
        ..anna
    };
    let snapshot = Snapshot::new([with_photo], []);
    assert_eq!(plan_with(&snapshot, &[renamed], &config, None).changes, []);
}

#[test]
fn small_companies_lose_somebody_too() {
    let plan = |active| Plan {
        active,
        ..Plan::default()
    };
    assert_eq!(plan(3).locks_max(10, 0), 5);
    assert_eq!(plan(1000).locks_max(10, 0), 100);
    assert_eq!(plan(970).locks_max(10, 30), 70);
    assert_eq!(plan(3).locks_max(10, 6), 0);
    assert_eq!(plan(1000).locks_max(0, 0), 5);
}

fn any_person(name: usize) -> impl Strategy<Value = Option<Person>> {
    let standing = prop_oneof![
        Just(Standing::Active),
        Just(Standing::Disabled),
        Just(Standing::Expired)
    ];
    let whole = (
        standing,
        proptest::option::of("[a-z]{1,4}"),
        proptest::option::of(0..6_usize),
    );
    proptest::option::of(whole.prop_map(move |(standing, title, manager)| Person {
        standing,
        title,
        manager: manager.map(|manager| person(&format!("p{manager}")).dn),
        ..person(&format!("p{name}"))
    }))
}

fn any_snapshot() -> impl Strategy<Value = Snapshot> {
    let people: Vec<_> = (0..6).map(any_person).collect();
    people.prop_map(|people| Snapshot::new(people.into_iter().flatten(), []))
}

fn account_of(accounts: &mut [MirroredPerson], user: UserNumber) -> &mut MirroredPerson {
    accounts.iter_mut().find(|account| account.user == user).unwrap()
}

/// What the accounts are after the plan was carried out.
fn carried_out(plan: &Plan, mut accounts: Vec<MirroredPerson>) -> Vec<MirroredPerson> {
    for change in &plan.changes {
        match change {
            Change::Create {
                external_id,
                localpart,
                mail,
                fields,
            } => {
                let new = PersonToCreate {
                    external_id: external_id.clone(),
                    localpart: localpart.clone(),
                    mail: mail.clone(),
                    fields: fields.clone(),
                };
                let number = i64::try_from(accounts.len()).unwrap() + 1;
                accounts.push(MirroredPerson {
                    user: UserNumber(number),
                    localpart: new.localpart,
                    external_id: Some(new.external_id),
                    mail: new.mail,
                    lock: None,
                    is_deactivated: false,
                    photo_digest: None,
                    fields: new.fields,
                });
            }
            Change::Update {
                user, mail, fields, ..
            } => {
                let account = account_of(&mut accounts, *user);
                if let Some(mail) = mail {
                    account.mail.clone_from(mail);
                }
                for (name, change) in fields {
                    match &change.after {
                        Some(value) => drop(account.fields.insert(name.clone(), value.clone())),
                        None => drop(account.fields.remove(name)),
                    }
                }
            }
            Change::Photo { user, digest, .. } => {
                account_of(&mut accounts, *user).photo_digest.clone_from(digest);
            }
            Change::Lock { user, .. } => account_of(&mut accounts, *user).lock = Some(LockOwner::Directory),
            Change::Unlock { user, .. } => account_of(&mut accounts, *user).lock = None,
        }
    }
    accounts
}

proptest! {
    #[test]
    fn a_plan_that_was_carried_out_leaves_nothing_to_do(first in any_snapshot(), second in any_snapshot()) {
        let mut accounts = Vec::new();
        for snapshot in [&first, &second, &first] {
            accounts = carried_out(&plan_of(snapshot, &accounts), accounts);
            prop_assert_eq!(plan_of(snapshot, &accounts).changes, vec![]);
            // Whoever the directory lets in, and nobody else, is let in.
            for account in &accounts {
                let id = ImmutableId::new(account.external_id.clone().unwrap());
                let is_active = snapshot.people.get(&id).is_some_and(|p| p.standing == Standing::Active);
                prop_assert_eq!(account.lock.is_none(), is_active);
            }
        }
    }
}

/// A company whose people report to one another, have each other's names now and then, and of whom some may log in.
fn any_company() -> impl Strategy<Value = Snapshot> {
    let people: Vec<_> = (0..5)
        .map(|number| {
            (any_person(number), 0..5_usize, any::<bool>()).prop_map(|(person, name, is_named_so)| {
                person.map(|mut person| {
                    if is_named_so {
                        person.localpart = format!("p{name}");
                    }
                    person
                })
            })
        })
        .collect();
    let members = proptest::collection::btree_set(0..5_usize, 0..5);
    (people, members).prop_map(|(people, members)| {
        let members = members.into_iter().map(|n| person(&format!("p{n}")).dn);
        Snapshot::new(people.into_iter().flatten(), [group("staff", members)])
    })
}

proptest! {
    #[test]
    fn whom_a_change_does_not_concern_has_nothing_to_be_done_about(first in any_company(), second in any_company()) {
        let staff = group_dn("staff");
        let config = MirrorConfig::default();
        let mut accounts = Vec::new();
        // Twice: names are free only after who had them was renamed.
        for _ in 0..2 {
            let plan = plan_with(&first, &accounts, &config, Some(&staff));
            accounts = carried_out(&plan, accounts);
        }
        let settled = plan_with(&first, &accounts, &config, Some(&staff));
        prop_assert_eq!(&settled.changes, &vec![]);
        let (before, now) = (first.people_of(&staff), second.people_of(&staff));
        let ids = first.people.keys().chain(second.people.keys());
        let differing = ids.filter(|id| first.people.get(*id) != second.people.get(*id)).cloned().collect();
        let people = concern::concerned(
            Stand { snapshot: &first, may_log_in: Some(&before) },
            Stand { snapshot: &second, may_log_in: Some(&now) },
            &differing,
        );
        let looked_at = concern::looked_at(&second, &people);
        let names: BTreeSet<&str> = people
            .iter()
            .filter_map(|id| second.people.get(id))
            .map(|person| person.localpart.as_str())
            .collect();
        let theirs: Vec<_> = accounts
            .iter()
            .filter(|account| {
                let id = ImmutableId::new(account.external_id.clone().unwrap());
                looked_at.contains(&id) || names.contains(account.localpart.as_str())
            })
            .cloned()
            .collect();
        let policy = Policy {
            config: &config,
            server_name: server_name!("nordlicht.example"),
            may_log_in: Some(&now),
        };
        let mut part = lines(&plan(&second, &theirs, policy, About::People(&people)));
        let mut whole = lines(&plan_with(&second, &accounts, &config, Some(&staff)));
        part.sort();
        whole.sort();
        prop_assert_eq!(part, whole);
    }
}
