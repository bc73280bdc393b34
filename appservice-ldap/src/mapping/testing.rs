//! What the tests of this folder share.
#![allow(clippy::unwrap_used, reason = "tests")]

use ruma::server_name;

use super::config::{MappingConfig, Removal, Role, RoomName};
use crate::mirror::{Dn, Group, ImmutableId, Person, Standing};

pub(super) fn group_dn(name: &str) -> Dn {
    Dn::parse(&format!("cn={name},ou=groups,dc=x")).unwrap()
}

/// A mapping of a group of this name, with nothing special about it.
pub(super) fn mapping(group: &str, space: Option<&str>, channels: &[&str]) -> MappingConfig {
    let room = |text: &str| RoomName::parse(text, server_name!("one.example")).unwrap();
    MappingConfig {
        group: group_dn(group),
        space: space.map(room),
        channels: channels.iter().map(|text| room(text)).collect(),
        role: Role::Member,
        create: None,
        login: false,
        administrators: false,
        remove: Removal::Mirrored,
        enforce: false,
    }
}

/// Somebody called `uid`, whose id is their name.
pub(super) fn person(uid: &str) -> Person {
    Person {
        id: ImmutableId::new(uid),
        dn: Dn::parse(&format!("uid={uid},ou=people,dc=x")).unwrap(),
        localpart: uid.to_owned(),
        display_name: None,
        mail: None,
        photo_digest: None,
        title: None,
        department: None,
        manager: None,
        phone: None,
        standing: Standing::Active,
    }
}

pub(super) fn group(name: &str, members: impl IntoIterator<Item = Dn>) -> Group {
    Group {
        id: None,
        dn: group_dn(name),
        name: name.to_owned(),
        members: members.into_iter().collect(),
        description: None,
    }
}
