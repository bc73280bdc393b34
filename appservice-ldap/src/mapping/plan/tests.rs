#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;
use ruma::UserId;

use super::*;
use crate::mapping::{mark::mark_after, testing::group_dn};

fn account() -> OwnedUserId {
    user("directory")
}

fn user(name: &str) -> OwnedUserId {
    UserId::parse(format!("@{name}:one.example")).unwrap()
}

fn person(membership: Option<MembershipState>, power: Power) -> Person {
    Person {
        membership,
        power,
        door: Ok(Some(Entry::InvitedBy(account()))),
    }
}

fn absent() -> Person {
    person(None, Power::Usual)
}

fn member() -> Person {
    person(Some(MembershipState::Join), Power::Usual)
}

fn wish(level: Option<i64>) -> Wish {
    let group = group_dn("staff");
    Wish { level, group }
}

fn mark(is_member: bool, level: Option<i64>) -> Mark {
    let group = group_dn("staff");
    Mark {
        is_member,
        level,
        group,
    }
}

const POLICY: Policy = Policy {
    remove: Removal::Mirrored,
    enforce: false,
    is_whole: true,
    removals_max: Some(25),
};

/// A room with what the directory wishes and owns of it.
#[derive(Debug, Clone)]
struct World {
    picture: Picture,
    wishes: BTreeMap<OwnedUserId, Wish>,
    marks: BTreeMap<OwnedUserId, Mark>,
    policy: Policy,
}

impl World {
    fn new(people: impl IntoIterator<Item = (&'static str, Person, Option<Wish>, Option<Mark>)>) -> Self {
        let mut world = Self {
            picture: Picture {
                name: RoomName::parse("#staff", "one.example".try_into().unwrap()).unwrap(),
                people: BTreeMap::new(),
                users_default: 0,
                account: Account {
                    user_id: account(),
                    is_joined: true,
                    can_enter: false,
                    power: Power::Creator,
                    needs: 100,
                },
                mirrored: 0,
            },
            wishes: BTreeMap::new(),
            marks: BTreeMap::new(),
            policy: POLICY,
        };
        for (name, person, wish, mark) in people {
            world.add(user(name), person, wish, mark);
        }
        world
    }

    fn add(&mut self, user: OwnedUserId, person: Person, wish: Option<Wish>, mark: Option<Mark>) {
        self.picture.people.insert(user.clone(), person);
        self.wishes.extend(wish.map(|wish| (user.clone(), wish)));
        self.marks.extend(mark.map(|mark| (user, mark)));
        self.count();
    }

    fn count(&mut self) {
        self.picture.mirrored = self.marks.values().filter(|mark| mark.is_member).count();
    }

    fn plan(&self) -> RoomPlan {
        plan_room(
            &self.picture,
            &self.wishes,
            &self.marks,
            &BTreeSet::new(),
            self.policy,
        )
    }

    /// What the plan does, each change by its name.
    fn steps(&self) -> Vec<&'static str> {
        self.plan().changes.iter().map(Change::name).collect()
    }

    /// As the room is once the plan was carried out.
    fn apply(&mut self) {
        for change in self.plan().changes {
            if matches!(change, Change::Enter { .. }) {
                self.picture.account.is_joined = true;
            }
            if !change.does_something() {
                continue;
            }
            for user in change.users() {
                let person = self.picture.people.get_mut(user).unwrap();
                match &change {
                    Change::Join { .. } => person.membership = Some(MembershipState::Join),
                    Change::Remove { .. } => person.membership = Some(MembershipState::Leave),
                    Change::SetPower { to, .. } => person.power = Power::Given(*to),
                    Change::ResetPower { .. } => person.power = Power::Usual,
                    _ => {}
                }
                match mark_after(self.marks.get(user), &change) {
                    Some(mark) => drop(self.marks.insert(user.clone(), mark)),
                    None => drop(self.marks.remove(user)),
                }
            }
        }
        self.count();
    }
}

#[test]
fn who_is_hired_comes_in_and_who_has_a_role_gets_their_level() {
    let mut world = World::new([
        ("anna", absent(), Some(wish(Some(50))), None),
        ("ben", absent(), Some(wish(None)), None),
    ]);
    assert_eq!(world.steps(), ["join", "join", "set_power"]);
    world.apply();
    assert_eq!(world.marks[&user("anna")], mark(true, Some(50)));
    assert_eq!(world.steps(), [""; 0]);
}

#[test]
fn who_leaves_the_group_leaves_the_room_without_their_level() {
    let leaver = person(Some(MembershipState::Join), Power::Given(50));
    let mut world = World::new([("anna", leaver, None, Some(mark(true, Some(50))))]);
    assert_eq!(world.steps(), ["reset_power", "remove"]);
    world.apply();
    assert!(world.marks.is_empty());
}

#[test]
fn people_whom_people_added_stay_and_are_told() {
    let mut world = World::new([("guest", member(), None, None)]);
    let plan = world.plan();
    assert_eq!(
        (plan.changes.len(), plan.drift[0].kind),
        (0, DriftKind::AddedByHand)
    );
    world.policy.remove = Removal::All;
    assert_eq!(world.steps(), ["remove"]);
}

#[test]
fn whoever_was_taken_out_by_hand_stays_out_unless_the_settings_insist() {
    let out = person(Some(MembershipState::Leave), Power::Usual);
    let mut world = World::new([("anna", out, Some(wish(None)), Some(mark(true, None)))]);
    let plan = world.plan();
    assert_eq!((plan.changes.len(), plan.drift[0].kind), (0, DriftKind::Left));
    world.policy.enforce = true;
    assert_eq!(world.steps(), ["join"]);
    let banned = Some(MembershipState::Ban);
    world.picture.people.get_mut(&user("anna")).unwrap().membership = banned;
    assert_eq!(world.steps(), ["not_possible"]);
}

#[test]
fn levels_given_by_hand_stay_unless_the_settings_insist() {
    let raised = person(Some(MembershipState::Join), Power::Given(100));
    let lowered = person(Some(MembershipState::Join), Power::Given(-1));
    let mut world = World::new([
        ("anna", raised, Some(wish(Some(50))), Some(mark(true, Some(50)))),
        ("ben", lowered, Some(wish(Some(50))), None),
    ]);
    let plan = world.plan();
    let found: Vec<_> = plan.drift.iter().map(|drift| drift.kind).collect();
    let power = |found| DriftKind::Power {
        wished: Some(50),
        found,
    };
    assert_eq!((plan.changes, found), (vec![], vec![power(100), power(-1)]));
    world.policy.enforce = true;
    assert_eq!(world.steps(), ["set_power", "set_power"]);
}

#[test]
fn what_is_out_of_reach_is_told_with_its_remedy() {
    let door = Err(Obstacle::MayNotInvite {
        account: account(),
        level: 50,
    });
    let mut world = World::new([
        ("anna", Person { door, ..absent() }, Some(wish(None)), None),
        ("ben", member(), Some(wish(Some(50))), None),
    ]);
    world.picture.account.power = Power::Usual;
    assert_eq!(world.steps(), ["not_possible", "not_possible"]);
    world.picture.account.power = Power::Given(100);
    world.picture.account.is_joined = false;
    world.picture.account.can_enter = true;
    assert_eq!(world.steps(), ["enter", "set_power", "not_possible"]);
}

fn crowd(count: usize) -> World {
    let mut world = World::new([]);
    for number in 0..count {
        let name = user(&format!("p{number}"));
        world.add(name, member(), None, Some(mark(true, None)));
    }
    world
}

#[test]
fn an_emptied_group_removes_nobody_unless_it_was_small_or_somebody_agreed() {
    let mut world = crowd(REMOVALS_ALWAYS + 1);
    let plan = world.plan();
    assert_eq!(plan.changes, []);
    let stop = plan.stop.unwrap();
    assert_eq!((stop.removals, stop.mirrored), (6, 6));
    world.policy.removals_max = None;
    assert_eq!(world.steps().len(), 6);
    assert_eq!(crowd(REMOVALS_ALWAYS).steps().len(), REMOVALS_ALWAYS);
}

#[test]
fn nobody_is_removed_while_a_group_of_the_room_is_missing() {
    let mut world = crowd(1);
    world.policy.is_whole = false;
    assert_eq!(world.steps(), [""; 0]);
}

fn any_person() -> impl Strategy<Value = (Person, Option<Wish>, Option<Mark>)> {
    let membership = prop_oneof![
        Just(None),
        Just(Some(MembershipState::Join)),
        Just(Some(MembershipState::Leave)),
        Just(Some(MembershipState::Invite)),
        Just(Some(MembershipState::Ban)),
    ];
    let level = || prop_oneof![Just(-1), Just(0), Just(50), Just(100)];
    let power = prop_oneof![
        3 => Just(Power::Usual),
        3 => level().prop_map(Power::Given),
        1 => Just(Power::Creator),
    ];
    let given = || prop_oneof![Just(50), Just(100)];
    let wish = proptest::option::of(proptest::option::of(given()).prop_map(wish));
    let mark = proptest::option::of(
        (any::<bool>(), proptest::option::of(given()))
            .prop_filter("marks something", |(is_member, level)| {
                *is_member || level.is_some()
            })
            .prop_map(|(is_member, level)| mark(is_member, level)),
    );
    let door = prop_oneof![
        Just(Ok(Some(Entry::Alone))),
        Just(Ok(Some(Entry::InvitedBy(account())))),
        Just(Err(Obstacle::NoRoom)),
    ];
    (membership, power, door, wish, mark).prop_map(|(membership, power, door, wish, mark)| {
        let person = Person {
            membership,
            power,
            door,
        };
        (person, wish, mark)
    })
}

fn any_world() -> impl Strategy<Value = World> {
    let people = proptest::collection::vec(any_person(), 0..12);
    let own = prop_oneof![
        Just(Power::Usual),
        Just(Power::Given(50)),
        Just(Power::Given(100)),
        Just(Power::Creator),
    ];
    let removal = prop_oneof![Just(Removal::Never), Just(Removal::Mirrored), Just(Removal::All)];
    let flags = any::<[bool; 4]>();
    (people, own, removal, flags).prop_map(|(people, power, remove, flags)| {
        let [enforce, is_whole, is_joined, can_enter] = flags;
        let mut world = World::new([]);
        for (number, (mut person, wish, mark)) in people.into_iter().enumerate() {
            // Who is not in the room and cannot come invites nobody.
            if !is_joined && !can_enter && person.door == Ok(Some(Entry::InvitedBy(account()))) {
                person.door = Err(Obstacle::NoRoom);
            }
            world.add(user(&format!("p{number}")), person, wish, mark);
        }
        world.picture.account.power = power;
        world.picture.account.is_joined = is_joined;
        world.picture.account.can_enter = can_enter;
        world.policy = Policy {
            remove,
            enforce,
            is_whole,
            removals_max: None,
        };
        world
    })
}

proptest! {
    #[test]
    fn a_plan_that_was_carried_out_leaves_nothing_to_do(mut world in any_world()) {
        world.apply();
        let rest = world.plan().changes;
        prop_assert!(rest.iter().all(|change| !change.does_something()), "{rest:?}");
    }

    #[test]
    fn whom_the_directory_does_not_own_is_left_alone_unless_the_settings_say_otherwise(world in any_world()) {
        let policy = Policy { remove: world.policy.remove.min(Removal::Mirrored), ..world.policy };
        let world = World { policy, ..world };
        for change in world.plan().changes.iter().filter(|change| change.does_something()) {
            for user in change.users().iter().filter(|user| !world.wishes.contains_key(*user)) {
                prop_assert!(world.marks.contains_key(user), "{change}");
            }
        }
    }

    #[test]
    fn without_enforcing_what_people_did_stays(world in any_world()) {
        let world = World { policy: Policy { enforce: false, remove: Removal::Mirrored, ..world.policy }, ..world };
        for change in &world.plan().changes {
            let Some(user) = change.users().first() else { continue };
            let (person, mark) = (&world.picture.people[user], world.marks.get(user));
            match change {
                Change::Join { .. } => prop_assert!(!mark.is_some_and(|mark| mark.is_member)),
                Change::Remove { .. } => prop_assert!(mark.is_some_and(|mark| mark.is_member)),
                Change::SetPower { .. } | Change::ResetPower { .. } => {
                    if let Power::Given(level) = person.power {
                        prop_assert_eq!(mark.and_then(|mark| mark.level), Some(level));
                    }
                }
                _ => {}
            }
        }
    }

    #[test]
    fn nobody_is_removed_beyond_the_bound(mut world in any_world(), percent in 0_u8..=100) {
        world.policy.removals_max = Some(percent);
        let plan = world.plan();
        let removals = plan.changes.iter().filter(|change| matches!(change, Change::Remove { .. })).count();
        let is_few = removals <= REMOVALS_ALWAYS || removals * 100 <= world.picture.mirrored * usize::from(percent);
        prop_assert!(is_few);
        prop_assert!(plan.stop.is_none() || plan.changes.is_empty());
    }
}
