//! Contents that no honest client writes.

use proptest::prelude::*;

use super::*;
use crate::PowerLevels;

/// JSON made of the keys and values that the rules look for, in the wrong places.
fn hostile() -> impl Strategy<Value = Value> {
    let keys = [
        "membership",
        "third_party_invite",
        "signed",
        "mxid",
        "token",
        "signatures",
        "join_authorised_via_users_server",
        "join_rule",
        "users",
        "users_default",
        "events",
        "notifications",
        "ban",
        "@bob:one",
        "creator",
        "additional_creators",
        "room_version",
        "m.federate",
        "public_key",
        "public_keys",
        "redacts",
    ];
    let words = [
        "join",
        "invite",
        "ban",
        "@bob:one",
        "@:",
        "",
        "100",
        "9999999999999999999999",
        "ed25519:1",
        "$a",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        prop::sample::select(vec![i64::MIN, -1, 0, 50, 9_007_199_254_740_991, i64::MAX])
            .prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(words.to_vec()).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 5, move |inner| {
        let object = prop::collection::btree_map(prop::sample::select(keys.to_vec()), inner.clone(), 0..5);
        prop_oneof![
            3 => object.prop_map(|entries| json!(entries)),
            1 => prop::collection::vec(inner, 0..4).prop_map(Value::from),
        ]
    })
}

proptest! {
    #[test]
    fn no_content_makes_the_rules_panic(
        version in 1_u8..=12,
        event_type in prop::sample::select(vec![
            "m.room.create", "m.room.member", "m.room.power_levels", "m.room.join_rules", "m.room.third_party_invite",
            "m.room.redaction", "m.room.message",
        ]),
        state_key in prop::option::of(prop::sample::select(vec!["", "@bob:one", "@", "token"])),
        content in hostile(),
        standing in hostile(),
    ) {
        let (room, fork) = TestRoom::public(version);
        let template = room.build(&fork, message("bob"));
        let make = |content: &Value| altered(&template, &room.rules, |json| {
            json["type"] = json!(event_type);
            json["content"] = content.clone();
            if let Some(state_key) = state_key {
                json["state_key"] = json!(state_key);
            }
        });
        // The event in an ordinary room, and an ordinary event in a room where such a thing stands.
        let (event, standing) = (make(&content), Arc::new(make(&standing)));
        let _verdict = room.allows(&fork, &event);
        let _verdict = check_auth_events(&event, &room.rules, |id| room.fetch(id));
        let with_standing = |looked_for: &StateEventType, key: &str| {
            let is_it = standing.state_key_pair() == Some((looked_for.clone(), key));
            if is_it { Some(standing.clone()) } else { room.at(&fork.state, looked_for, key) }
        };
        let _verdict = authorise(&template, &room.rules, with_standing);
        let _verdict = authorise(&event, &room.rules, with_standing);
        let _creators = creators_of(&standing, &room.rules);
        let levels = PowerLevels::new(Some(&standing.content), &[], &room.rules);
        let _level = levels.user_level(&event.sender);
        prop_assert!(serde_json::from_str::<Value>(&event.client_json(None)).is_ok());
    }
}
