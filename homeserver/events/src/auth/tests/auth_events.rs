//! The selection of auth events, and the rules on their list.

use super::*;
use crate::testing::third_party_invite;

fn selected(version: u8, sender: &str, state_key: Option<&str>, content: &Value) -> Vec<String> {
    let event_type = if state_key.is_some() {
        TimelineEventType::RoomMember
    } else {
        TimelineEventType::RoomMessage
    };
    let (sender, content) = (
        UserId::parse(user(sender)).unwrap(),
        serde_json::value::to_raw_value(content).unwrap(),
    );
    let rules = crate::testing::rules(version);
    let selected = auth_types_for(&event_type, &sender, state_key, &content, &rules).unwrap();
    let mut names: Vec<String> = selected
        .into_iter()
        .map(|(event_type, key)| {
            format!("{event_type} {key}")
                .trim_start_matches("m.room.")
                .to_owned()
        })
        .collect();
    names.sort();
    names
}

#[test]
fn the_selection_depends_on_the_event() {
    assert_eq!(
        selected(10, "bob", None, &json!({})),
        ["create ", "member @bob:one", "power_levels "]
    );
    assert_eq!(
        selected(12, "bob", None, &json!({})),
        ["member @bob:one", "power_levels "]
    );
    let target = user("Carol");
    let select = |version: u8, content: Value| selected(version, "bob", Some(&target), &content);
    let basic = ["create ", "member @bob:one", "member @carol:two", "power_levels "];
    for membership in ["leave", "ban"] {
        assert_eq!(select(10, json!({ "membership": membership })), basic);
    }
    for membership in ["join", "invite", "knock"] {
        let with_join_rules = [
            "create ",
            "join_rules ",
            "member @bob:one",
            "member @carol:two",
            "power_levels ",
        ];
        assert_eq!(select(10, json!({ "membership": membership })), with_join_rules);
    }
    let invite = third_party_invite(&target, "token");
    let invite = json!({ "membership": "invite", "third_party_invite": invite });
    assert!(select(10, invite).contains(&"third_party_invite token".to_owned()));
    let join = json!({ "membership": "join", "join_authorised_via_users_server": "@helper:one" });
    for version in [7, 8] {
        assert_eq!(
            select(version, join.clone()).contains(&"member @helper:one".to_owned()),
            version == 8
        );
    }
}

#[test]
fn a_create_event_has_no_auth_events() {
    let (room, create) = create_event(10);
    let selected = auth_types_for(
        &create.event_type,
        &create.sender,
        Some(""),
        &create.content,
        &room.rules,
    );
    assert_eq!(selected, Ok(vec![]));
    assert!(check_auth_events(&create, &room.rules, |_| None).is_ok());
}

/// A message of bob's with these auth events.
fn with_auth_events(room: &TestRoom, fork: &Fork, events: &[&Pdu]) -> Pdu {
    let references: Vec<Value> = events
        .iter()
        .map(|event| {
            if room.version < 3 {
                json!([event.event_id, {}])
            } else {
                json!(event.event_id)
            }
        })
        .collect();
    altered(&room.build(fork, message("bob")), &room.rules, |json| {
        json["auth_events"] = json!(references);
    })
}

#[test]
fn the_list_is_complete_single_accepted_and_of_the_room() {
    for version in 1..=12 {
        let (mut room, mut fork) = TestRoom::public(version);
        let at = |room: &TestRoom, fork: &Fork, event_type: &str, key: &str| {
            room.at(&fork.state, &event_type.into(), key).unwrap()
        };
        let create = at(&room, &fork, "m.room.create", "");
        let old_levels = at(&room, &fork, "m.room.power_levels", "");
        let levels = room.state(
            &mut fork,
            "alice",
            "m.room.power_levels",
            old_levels.content_as().unwrap(),
        );
        let bob = at(&room, &fork, "m.room.member", &user("bob"));
        let carol = at(&room, &fork, "m.room.member", &user("Carol"));
        let passes = |room: &TestRoom, events: &[&Pdu]| {
            check_auth_events(&with_auth_events(room, &fork, events), &room.rules, |id| {
                room.fetch(id)
            })
            .is_ok()
        };
        // Version 12 implies the create event.
        let start: &[&Pdu] = if version < 12 { &[&create] } else { &[] };
        let list = |more: &[&Pdu]| -> bool { passes(&room, &[start, more].concat()) };
        assert!(list(&[&levels, &bob]), "version {version}");
        assert!(list(&[&bob]), "what is left out is judged by the state");
        assert!(!list(&[&levels, &old_levels, &bob]), "duplicate");
        assert!(!list(&[&levels, &bob, &carol]), "not selected");
        assert_eq!(
            passes(&room, &[&levels, &bob]),
            version == 12,
            "create event missing"
        );

        let mut room_with_rejected = room.clone();
        let rejected = Arc::new(Pdu::clone(&levels).with_rejected(true));
        room_with_rejected
            .events
            .insert(levels.event_id.clone(), rejected);
        assert!(!passes(&room_with_rejected, &[start, &[&levels, &bob]].concat()));

        // The room of an event that is read back is the one under which it was kept.
        let mut foreign = Pdu::clone(&bob);
        foreign.room_id = ruma::RoomId::parse("!other:one").unwrap();
        let mut room_with_foreign = room.clone();
        room_with_foreign
            .events
            .insert(bob.event_id.clone(), Arc::new(foreign));
        let passes_foreign = passes(&room_with_foreign, &[start, &[&levels, &bob]].concat());
        assert!(!passes_foreign, "version {version}");

        let unknown = check_auth_events(&with_auth_events(&room, &fork, &[&create]), &room.rules, |_| None);
        assert!(unknown.is_err());
    }
}

#[test]
fn a_version_12_room_hangs_on_its_accepted_create_event() {
    let (room, fork) = TestRoom::public(12);
    let event = room.build(&fork, message("bob"));
    let create_id = &fork.state[&(StateEventType::RoomCreate, String::new())];
    let checked = |create: Option<Pdu>| {
        let create = create.map(Arc::new);
        let fetch = |id: &EventId| {
            if id == create_id {
                create.clone()
            } else {
                room.fetch(id)
            }
        };
        check_auth_events(&event, &room.rules, fetch).is_ok()
    };
    let create = Pdu::clone(&room.fetch(create_id).unwrap());
    assert!(checked(Some(create.clone())));
    assert!(!checked(None));
    assert!(!checked(Some(create.clone().with_rejected(true))));
    let impostor = altered(&create, &room.rules, |json| {
        json["type"] = json!("m.room.message");
    });
    assert!(!checked(Some(impostor)));
}
