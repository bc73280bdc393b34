//! Properties that resolution must have whatever happened in the room.

use super::*;
use crate::testing::{Say, identity_public_key, third_party_invite};
use proptest::prelude::*;

const USERS: [&str; 6] = ["alice", "bob", "Carol", "Dave", "erin", "Frank"];
const JOIN_RULES: [&str; 5] = ["public", "invite", "knock", "restricted", "knock_restricted"];

/// One thing that somebody tries to do.
#[derive(Debug, Clone)]
enum Act {
    Member {
        sender: usize,
        target: usize,
        membership: &'static str,
    },
    JoinVia {
        sender: usize,
        via: usize,
    },
    Level {
        sender: usize,
        target: usize,
        level: i64,
    },
    EventLevel {
        sender: usize,
        key: &'static str,
        level: i64,
    },
    JoinRule {
        sender: usize,
        rule: &'static str,
    },
    ThirdPartyInvite {
        sender: usize,
        token: u8,
    },
    Redeem {
        sender: usize,
        target: usize,
        token: u8,
    },
    Topic {
        sender: usize,
        text: u8,
    },
}

fn act() -> impl Strategy<Value = Act> {
    let who = 0..USERS.len();
    let level = prop::sample::select(vec![0_i64, 25, 50, 75, 100]);
    let membership = prop::sample::select(vec!["join", "join", "invite", "leave", "ban", "knock"]);
    prop_oneof![
        4 => (who.clone(), who.clone(), membership)
            .prop_map(|(sender, target, membership)| Act::Member { sender, target, membership }),
        3 => who.clone().prop_map(|sender| Act::Member { sender, target: sender, membership: "join" }),
        1 => (who.clone(), who.clone()).prop_map(|(sender, via)| Act::JoinVia { sender, via }),
        3 => (who.clone(), who.clone(), level.clone())
            .prop_map(|(sender, target, level)| Act::Level { sender, target, level }),
        1 => (who.clone(), prop::sample::select(vec!["invite", "kick", "ban", "state_default", "users_default"]), level)
            .prop_map(|(sender, key, level)| Act::EventLevel { sender, key, level }),
        2 => (who.clone(), prop::sample::select(JOIN_RULES.to_vec()))
            .prop_map(|(sender, rule)| Act::JoinRule { sender, rule }),
        1 => (who.clone(), 0..2_u8).prop_map(|(sender, token)| Act::ThirdPartyInvite { sender, token }),
        1 => (who.clone(), who.clone(), 0..2_u8)
            .prop_map(|(sender, target, token)| Act::Redeem { sender, target, token }),
        2 => (who, 0..3_u8).prop_map(|(sender, text)| Act::Topic { sender, text }),
    ]
}

/// What everyone tries on each fork, the time passing (or not) before each act.
type Script = Vec<Vec<(Act, u32)>>;

fn script() -> impl Strategy<Value = Script> {
    let fork = prop::collection::vec((act(), 0..2_u32), 1..12);
    prop::collection::vec(fork, 2..4)
}

fn perform(room: &mut TestRoom, fork: &mut Fork, act: &Act) {
    let levels = |room: &TestRoom, change: &dyn Fn(&mut Value)| {
        let current = room
            .at(&fork.state, &StateEventType::RoomPowerLevels, "")
            .unwrap();
        let mut content: Value = current.content_as().unwrap();
        change(&mut content);
        content
    };
    let (sender, event_type, state_key, content) = match act {
        Act::Member {
            sender,
            target,
            membership,
        } => (
            *sender,
            "m.room.member",
            user(USERS[*target]),
            json!({ "membership": membership }),
        ),
        Act::JoinVia { sender, via } => {
            let content =
                json!({ "membership": "join", "join_authorised_via_users_server": user(USERS[*via]) });
            (*sender, "m.room.member", user(USERS[*sender]), content)
        }
        Act::Level {
            sender,
            target,
            level,
        } => {
            let content = levels(room, &|content| {
                content["users"][user(USERS[*target])] = json!(level);
            });
            (*sender, "m.room.power_levels", String::new(), content)
        }
        Act::EventLevel { sender, key, level } => {
            let content = levels(room, &|content| content[*key] = json!(level));
            (*sender, "m.room.power_levels", String::new(), content)
        }
        Act::JoinRule { sender, rule } => (
            *sender,
            "m.room.join_rules",
            String::new(),
            json!({ "join_rule": rule }),
        ),
        Act::ThirdPartyInvite { sender, token } => {
            let content = json!({ "public_key": identity_public_key() });
            (
                *sender,
                "m.room.third_party_invite",
                format!("token{token}"),
                content,
            )
        }
        Act::Redeem {
            sender,
            target,
            token,
        } => {
            let target = user(USERS[*target]);
            let invite = third_party_invite(&target, &format!("token{token}"));
            (
                *sender,
                "m.room.member",
                target,
                json!({ "membership": "invite", "third_party_invite": invite }),
            )
        }
        Act::Topic { sender, text } => (
            *sender,
            "m.room.topic",
            String::new(),
            json!({ "topic": text.to_string() }),
        ),
    };
    room.try_add(
        fork,
        Say {
            sender: USERS[sender],
            event_type,
            state_key: Some(&state_key),
            content,
        },
    );
}

/// Runs the script's forks side by side from one place.
fn run(room: &mut TestRoom, from: &Fork, script: &Script) -> Vec<Fork> {
    let start = room.now;
    script
        .iter()
        .map(|acts| {
            let mut fork = from.clone();
            room.now = start;
            for (act, passing) in acts {
                room.now += passing;
                perform(room, &mut fork, act);
            }
            fork
        })
        .collect()
}

fn states_of(forks: &[Fork]) -> Vec<StateMap> {
    forks.iter().map(|fork| fork.state.clone()).collect()
}

/// Resolves without the whole states, and lays the outcome over what they agree on.
fn resolve_by_reduction(room: &TestRoom, states: &[StateMap], auth_chains: &[EventIdSet]) -> StateMap {
    let is_agreed =
        |key: &(StateEventType, String)| states.iter().all(|state| state.get(key) == states[0].get(key));
    let split = |state: &StateMap, agreed: bool| -> StateMap {
        let entries = state.iter().filter(|(key, _)| is_agreed(key) == agreed);
        entries
            .map(|(key, event_id)| (key.clone(), event_id.clone()))
            .collect()
    };
    let conflicted: Vec<StateMap> = states.iter().map(|state| split(state, false)).collect();
    let mut whole = split(&states[0], true);
    let unconflicted = whole.clone();
    let overlay = resolve_reduced(
        &room.rules,
        &conflicted,
        |event_type, state_key| {
            unconflicted
                .get(&(event_type.clone(), state_key.to_owned()))
                .cloned()
        },
        auth_difference(auth_chains),
        |id| room.fetch(id),
    )
    .unwrap();
    whole.extend(overlay);
    whole
}

/// Asserts that both ways to resolve the forks agree; also when the auth chain of one fork is wrong about the
/// `oddities`, because histories can be stranger than those that the acts make.
fn assert_reduction_is_faithful(
    room: &TestRoom,
    forks: &[Fork],
    oddities: &[prop::sample::Index],
) -> Result<(), TestCaseError> {
    let states = states_of(forks);
    let mut auth_chains = room.auth_chains(&states);
    let mut all: Vec<OwnedEventId> = room.events.keys().cloned().collect();
    all.sort();
    for round in [false, true] {
        if round {
            for oddity in oddities {
                let event_id: &OwnedEventId = oddity.get(&all);
                if !auth_chains[0].remove(event_id) {
                    auth_chains[0].insert(event_id.clone());
                }
            }
        }
        let whole = resolve(&room.rules, &states, auth_chains.clone(), |id| room.fetch(id)).unwrap();
        prop_assert_eq!(resolve_by_reduction(room, &states, &auth_chains), whole);
    }
    Ok(())
}

fn merge(room: &TestRoom, forks: &[Fork]) -> Fork {
    Fork {
        heads: forks.iter().flat_map(|fork| fork.heads.clone()).collect(),
        depth: forks.iter().map(|fork| fork.depth).max().unwrap_or(0),
        state: resolve_whole(room, &states_of(forks)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_reduced_resolution_equals_the_whole_one(
        version in prop::sample::select(vec![1_u8, 2, 5, 6, 9, 10, 11, 12]),
        first in script(),
        second in script(),
        oddities in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let (mut room, base) = TestRoom::public(version);
        let forks = run(&mut room, &base, &first);
        assert_reduction_is_faithful(&room, &forks, &oddities)?;
        // Once more on top of a state that was itself resolved.
        let merged = merge(&room, &forks);
        let forks = run(&mut room, &merged, &second);
        assert_reduction_is_faithful(&room, &forks, &oddities)?;
    }

    #[test]
    fn the_order_of_the_forks_does_not_matter(
        version in prop::sample::select(vec![1_u8, 2, 10, 12]),
        script in script(),
    ) {
        let (mut room, base) = TestRoom::public(version);
        let mut states = states_of(&run(&mut room, &base, &script));
        let resolved = resolve_whole(&room, &states);
        states.reverse();
        prop_assert_eq!(&resolve_whole(&room, &states), &resolved);
        states.rotate_left(1);
        prop_assert_eq!(&resolve_whole(&room, &states), &resolved);
    }

    #[test]
    fn forks_that_agree_resolve_to_what_they_agree_on(
        version in prop::sample::select(vec![1_u8, 2, 12]),
        script in script(),
    ) {
        let (mut room, base) = TestRoom::public(version);
        for fork in run(&mut room, &base, &script) {
            prop_assert_eq!(resolve_whole(&room, &[fork.state.clone(), fork.state.clone()]), fork.state);
        }
    }
}
