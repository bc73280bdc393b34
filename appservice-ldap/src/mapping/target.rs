//! The rooms that mappings name, each once, with all that is wished of it.

use std::collections::BTreeMap;

use ruma::ServerName;

use super::config::{Creation, MappingConfig, Removal, RoomName, Visibility};
use crate::mirror::Dn;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RoomKind {
    Space,
    Channel,
}

/// A room that at least one mapping names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub name: RoomName,
    pub kind: RoomKind,
    /// The spaces that it is to be part of; a channel that is made belongs to the first.
    pub within: Vec<RoomName>,
    /// How it is made where it is missing: its name is filled in.
    pub create: Option<Blueprint>,
    /// The groups whose members are to be in it, with the level that each gives.
    pub groups: BTreeMap<Dn, Option<i64>>,
    pub remove: Removal,
    pub enforce: bool,
}

/// A room that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blueprint {
    /// The local part of its alias.
    pub localpart: String,
    pub name: String,
    pub topic: Option<String>,
    pub visibility: Visibility,
}

/// The rooms of these mappings: spaces first, because channels may be for their members only, each kind in the order of
/// the settings.
pub(crate) fn targets(mappings: &[MappingConfig], own: &ServerName) -> Vec<Target> {
    let mut targets: Vec<Target> = Vec::new();
    let mut places: BTreeMap<RoomName, usize> = BTreeMap::new();
    let named = |kind: RoomKind| mappings.iter().flat_map(move |mapping| rooms_of(mapping, kind));
    for (mapping, kind, name) in named(RoomKind::Space).chain(named(RoomKind::Channel)) {
        let place = *places.entry(name.clone()).or_insert_with(|| {
            targets.push(Target {
                name: name.clone(),
                kind,
                within: Vec::new(),
                create: None,
                groups: BTreeMap::new(),
                remove: mapping.remove,
                enforce: false,
            });
            targets.len() - 1
        });
        if let Some(target) = targets.get_mut(place) {
            target.join(mapping, kind, own);
        }
    }
    targets
}

fn rooms_of(
    mapping: &MappingConfig,
    kind: RoomKind,
) -> impl Iterator<Item = (&MappingConfig, RoomKind, &RoomName)> {
    let spaces = mapping.space.iter().filter(move |_| kind == RoomKind::Space);
    let channels = mapping.channels.iter().filter(move |_| kind == RoomKind::Channel);
    spaces.chain(channels).map(move |name| (mapping, kind, name))
}

impl Target {
    /// Takes over what one more mapping says of the room.
    fn join(&mut self, mapping: &MappingConfig, kind: RoomKind, own: &ServerName) {
        let level = self.groups.entry(mapping.group.clone()).or_default();
        *level = (*level).max(mapping.role.level());
        self.remove = self.remove.min(mapping.remove);
        self.enforce |= mapping.enforce;
        if kind == RoomKind::Channel
            && let Some(space) = &mapping.space
            && !self.within.contains(space)
        {
            self.within.push(space.clone());
        }
        if self.create.is_none()
            && let Some(creation) = &mapping.create
            && let Some(localpart) = self.name.own_localpart(own)
        {
            let is_named =
                kind == RoomKind::Space || (mapping.space.is_none() && mapping.channels.len() == 1);
            self.create = Some(blueprint(localpart, creation, is_named));
        }
    }
}

/// The name and topic of a mapping are those of one room only.
fn blueprint(localpart: &str, creation: &Creation, is_named: bool) -> Blueprint {
    let name = creation.name.clone().filter(|_| is_named);
    Blueprint {
        localpart: localpart.to_owned(),
        name: name.unwrap_or_else(|| localpart.to_owned()),
        topic: creation.topic.clone().filter(|_| is_named),
        visibility: creation.visibility,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use ruma::server_name;

    use super::*;
    use crate::mapping::testing::mapping;

    #[test]
    fn a_room_that_two_mappings_name_is_planned_once_and_carefully() {
        let own = server_name!("one.example");
        let mappings = [
            MappingConfig {
                remove: Removal::All,
                ..mapping("staff", Some("#company"), &["#general"])
            },
            MappingConfig {
                role: super::super::config::Role::Level(50),
                enforce: true,
                ..mapping("leads", None, &["#general"])
            },
        ];
        let targets = targets(&mappings, own);
        assert_eq!(
            targets.iter().map(|target| target.kind).collect::<Vec<_>>(),
            [RoomKind::Space, RoomKind::Channel]
        );
        let general = &targets[1];
        assert_eq!(
            general.groups.values().copied().collect::<Vec<_>>(),
            [Some(50), None]
        );
        assert_eq!((general.remove, general.enforce), (Removal::Mirrored, true));
        assert_eq!(general.within, [targets[0].name.clone()]);
    }

    #[test]
    fn the_name_of_a_mapping_is_that_of_its_space_or_only_channel() {
        let own = server_name!("one.example");
        let creation = Creation {
            name: Some("The company".to_owned()),
            topic: Some("All of us".to_owned()),
            visibility: Visibility::Space,
        };
        let names = |space, channels: &[&str]| {
            let mapping = MappingConfig {
                create: Some(creation.clone()),
                ..mapping("staff", space, channels)
            };
            let made = targets(&[mapping], own)
                .into_iter()
                .filter_map(|target| target.create);
            made.map(|made| (made.name, made.topic.is_some()))
                .collect::<Vec<_>>()
        };
        let text = |name: &str, has_topic| (name.to_owned(), has_topic);
        assert_eq!(
            names(Some("#co"), &["#a"]),
            [text("The company", true), text("a", false)]
        );
        assert_eq!(names(None, &["#a"]), [text("The company", true)]);
        assert_eq!(names(None, &["#a", "#b"]), [text("a", false), text("b", false)]);
        assert_eq!(names(None, &["#a:elsewhere.example"]), []);
    }
}
