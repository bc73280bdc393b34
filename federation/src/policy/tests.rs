#![allow(clippy::unwrap_used, reason = "tests")]

use ruma::{owned_server_name, room_alias_id, room_id, server_name, user_id};

use super::*;

fn globs(patterns: &[&str]) -> Vec<Glob> {
    patterns.iter().map(|pattern| Glob::new(pattern)).collect()
}

fn policy(options: PolicyOptions) -> Policy {
    Policy::new(owned_server_name!("us.example"), options)
}

fn partner(server: &str) -> Partner {
    Partner {
        server: Glob::new(server),
        rooms: None,
        users: None,
        event_types: None,
        media: true,
        profile_fields: None,
        calls: true,
        region: false,
    }
}

fn contacts(policy: &Policy) -> Vec<&'static str> {
    let servers = [
        "us.example",
        "a.example",
        "b.a.example:8448",
        "partner.example",
        "evil.example",
    ];
    let allowed = |name: &&str| policy.allows(<&ServerName>::try_from(*name).unwrap(), Crossing::Contact);
    servers.into_iter().filter(allowed).collect()
}

#[test]
fn modes_and_lists_say_with_whom_there_is_contact() {
    let all = [
        "us.example",
        "a.example",
        "b.a.example:8448",
        "partner.example",
        "evil.example",
    ];
    assert_eq!(contacts(&policy(PolicyOptions::default())), all);
    let denied = PolicyOptions {
        deny: globs(&["evil.example", "*.a.example"]),
        ..PolicyOptions::default()
    };
    assert_eq!(
        contacts(&policy(denied)),
        ["us.example", "a.example", "partner.example"]
    );
    let closed = PolicyOptions {
        mode: FederationMode::Closed,
        allow: globs(&["*.a.example", "evil.example"]),
        deny: globs(&["evil.*"]),
        partners: vec![partner("partner.example")],
    };
    assert_eq!(
        contacts(&policy(closed)),
        ["us.example", "b.a.example:8448", "partner.example"]
    );
    let off = PolicyOptions {
        mode: FederationMode::Off,
        partners: vec![partner("*")],
        ..PolicyOptions::default()
    };
    assert_eq!(contacts(&policy(off)), ["us.example"]);
}

#[test]
fn a_partner_is_limited_to_what_its_entry_says() {
    let limited = Partner {
        rooms: Some(globs(&["#joint-*:us.example", "!shared:us.example"])),
        users: Some(globs(&["@sales-*:us.example"])),
        event_types: Some(globs(&["m.room.message"])),
        media: false,
        profile_fields: Some(vec!["displayname".to_owned()]),
        calls: false,
        ..partner("partner.example")
    };
    let region = Partner {
        region: true,
        ..partner("*.regions.example")
    };
    let policy = policy(PolicyOptions {
        partners: vec![limited, region],
        ..PolicyOptions::default()
    });
    let (message, topic) = (TimelineEventType::RoomMessage, TimelineEventType::RoomTopic);
    let member = TimelineEventType::RoomMember;
    let (secret, joint, shared) = (
        room_id!("!secret:us.example"),
        room_id!("!joint:us.example"),
        room_id!("!shared:us.example"),
    );
    assert!(policy.needs_aliases());
    let alias = room_alias_id!("#joint-one:us.example");
    policy.alias_made(alias, joint);
    policy.alias_made(room_alias_id!("#other:us.example"), secret);
    let cases = [
        (Crossing::Contact, true),
        (Crossing::Room(secret), false),
        (Crossing::Room(joint), true),
        (Crossing::Room(shared), true),
        (Crossing::Event(secret, &message), false),
        (Crossing::Event(secret, &member), false),
        (Crossing::Event(joint, &message), true),
        (Crossing::Event(joint, &topic), false),
        (Crossing::Event(joint, &member), true),
        (Crossing::User(user_id!("@sales-ann:us.example")), true),
        (Crossing::User(user_id!("@bob:us.example")), false),
        (Crossing::User(user_id!("@bob:partner.example")), true),
        (Crossing::Media, false),
        (Crossing::ProfileField("displayname"), true),
        (Crossing::ProfileField("avatar_url"), false),
        (Crossing::Calls, false),
    ];
    for (crossing, allowed) in cases {
        assert_eq!(
            policy.allows(server_name!("partner.example"), crossing),
            allowed,
            "{crossing:?}"
        );
        assert!(
            policy.allows(server_name!("a.regions.example"), crossing),
            "{crossing:?}"
        );
        assert!(
            policy.allows(server_name!("anyone.example"), crossing),
            "{crossing:?}"
        );
    }
    assert!(policy.is_region(server_name!("a.regions.example")));
    assert!(!policy.is_region(server_name!("partner.example")));

    // An alias that moves or goes takes its room's share with it.
    policy.alias_made(alias, secret);
    assert!(!policy.allows(server_name!("partner.example"), Crossing::Room(joint)));
    assert!(policy.allows(server_name!("partner.example"), Crossing::Room(secret)));
    policy.alias_gone(alias);
    assert!(!policy.allows(server_name!("partner.example"), Crossing::Room(secret)));
}
