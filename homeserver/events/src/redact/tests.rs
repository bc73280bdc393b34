#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::{
    json::{Numbers, parse_object, write_object},
    testing::rules,
};

/// The redacted event of the version, canonical.
fn redacted(version: u8, event: &str) -> String {
    let mut event = parse_object(event, Numbers::Strict).unwrap();
    redact(&mut event, &rules(version).redaction);
    let mut text = String::new();
    write_object(&mut text, &event);
    text
}

/// The keys that the version keeps of a content in which every key that any version knows is present.
fn kept(version: u8, event_type: &str, keys: &[&str]) -> Vec<String> {
    let content = keys
        .iter()
        .chain(&["extra"])
        .map(|key| ((*key).to_owned(), Json::Null));
    let mut content: Object = content.collect();
    redact_content(event_type, &mut content, &rules(version).redaction);
    content.into_keys().collect()
}

#[test]
fn top_level_keys_are_kept_as_each_version_lists_them() {
    let event = r#"{"auth_events":[],"content":{"body":"x"},"depth":1,"event_id":"$a","hashes":{},"membership":"join",
        "origin":"one","origin_server_ts":1,"prev_events":[],"prev_state":[],"redacts":"$b","room_id":"!r","sender":"@a:b",
        "signatures":{},"state_key":"","type":"m.room.message","unsigned":{},"extra":1}"#;
    let always = r#"{"auth_events":[],"content":{},"depth":1,"event_id":"$a","hashes":{},"origin_server_ts":1,"prev_events":[],"room_id":"!r","sender":"@a:b","signatures":{},"state_key":"","type":"m.room.message"}"#;
    let before_11 = r#"{"auth_events":[],"content":{},"depth":1,"event_id":"$a","hashes":{},"membership":"join","origin":"one","origin_server_ts":1,"prev_events":[],"prev_state":[],"room_id":"!r","sender":"@a:b","signatures":{},"state_key":"","type":"m.room.message"}"#;
    for version in 1..=12 {
        assert_eq!(
            redacted(version, event),
            if version < 11 { before_11 } else { always },
            "version {version}"
        );
    }
}

#[test]
fn content_keys_are_kept_as_each_version_lists_them() {
    for version in 1..=12 {
        let keys = [
            "membership",
            "join_authorised_via_users_server",
            "displayname",
            "reason",
        ];
        let expected: &[&str] = if version < 9 {
            &["membership"]
        } else {
            &["join_authorised_via_users_server", "membership"]
        };
        assert_eq!(
            kept(version, "m.room.member", &keys),
            expected,
            "version {version}"
        );

        let expected: &[&str] = if version < 8 {
            &["join_rule"]
        } else {
            &["allow", "join_rule"]
        };
        assert_eq!(
            kept(version, "m.room.join_rules", &["join_rule", "allow"]),
            expected
        );

        let expected: &[&str] = if version < 11 {
            &["creator"]
        } else {
            &["creator", "extra", "m.federate"]
        };
        assert_eq!(
            kept(version, "m.room.create", &["creator", "m.federate"]),
            expected
        );

        let keys = [
            "ban",
            "events",
            "events_default",
            "invite",
            "kick",
            "notifications",
            "redact",
            "state_default",
            "users",
            "users_default",
        ];
        let expected: Vec<&str> = keys
            .into_iter()
            .filter(|key| *key != "notifications" && (version >= 11 || *key != "invite"))
            .collect();
        assert_eq!(kept(version, "m.room.power_levels", &keys), expected);

        assert_eq!(
            kept(version, "m.room.history_visibility", &["history_visibility"]),
            ["history_visibility"]
        );

        let expected: &[&str] = if version < 6 { &["aliases"] } else { &[] };
        assert_eq!(kept(version, "m.room.aliases", &["aliases"]), expected);

        let expected: &[&str] = if version < 11 { &[] } else { &["redacts"] };
        assert_eq!(
            kept(version, "m.room.redaction", &["redacts", "reason"]),
            expected
        );

        assert!(kept(version, "m.room.topic", &["topic"]).is_empty());
    }
}

#[test]
fn of_a_third_party_invite_the_signed_part_is_kept_from_version_11_on() {
    let event = |invite: &str| {
        format!(
            r#"{{"content":{{"membership":"invite","third_party_invite":{invite}}},"type":"m.room.member"}}"#
        )
    };
    for version in [10, 11, 12] {
        let full = redacted(
            version,
            &event(r#"{"display_name":"bob","signed":{"token":"t"}}"#),
        );
        let odd = redacted(version, &event("1"));
        let without = r#"{"content":{"membership":"invite"},"type":"m.room.member"}"#;
        assert_eq!(odd, without);
        assert_eq!(
            full,
            if version < 11 {
                without.to_owned()
            } else {
                event(r#"{"signed":{"token":"t"}}"#)
            }
        );
    }
}
