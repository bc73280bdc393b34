//! `[[directory.mapping]]`: what the operator wants a group to mean here.

use std::fmt;

use ruma::{OwnedRoomAliasId, OwnedRoomId, RoomAliasId, RoomId, ServerName};

use crate::mirror::Dn;

/// The highest level that a mapping gives: whoever has it may change the power levels themselves.
pub const LEVEL_MAX: i64 = 100;
/// More mappings than this belong into groups of groups.
pub const MAPPINGS_MAX: usize = 2_000;
/// A mapping with more channels is a mistake.
pub const CHANNELS_MAX: usize = 100;

const MODERATOR: i64 = 50;
const ADMIN: i64 = 100;

/// What the directory's groups mean here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupsConfig {
    pub mappings: Vec<MappingConfig>,
    /// The name of the account as which the directory acts: nobody logs in to it.
    pub account: String,
    /// What people see of it.
    pub account_name: String,
    /// Most of those whom the directory brought into a room that one run may remove, in percent.
    pub removals_percent_max: u8,
}

impl Default for GroupsConfig {
    fn default() -> Self {
        Self {
            mappings: Vec::new(),
            account: "directory".to_owned(),
            account_name: "Directory".to_owned(),
            removals_percent_max: 25,
        }
    }
}

/// One `[[directory.mapping]]` table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingConfig {
    /// Whose members it is about, those of groups within it included.
    pub group: Dn,
    /// The space that they are to be in.
    pub space: Option<RoomName>,
    /// The channels that they are to be in; part of the space, if there is one.
    pub channels: Vec<RoomName>,
    pub role: Role,
    /// Makes the space and the channels where they are missing.
    pub create: Option<Creation>,
    /// Whether members may log in, beside those of `login_group`.
    pub login: bool,
    /// Whether they administer this server.
    pub administrators: bool,
    pub remove: Removal,
    /// Whether what people have changed by hand is changed back.
    pub enforce: bool,
}

/// How a room is named in the settings.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoomName {
    Alias(OwnedRoomAliasId),
    Id(OwnedRoomId),
}

impl RoomName {
    /// Reads `#name`, which is of this server, `#name:server` or a room ID.
    pub fn parse(text: &str, own: &ServerName) -> Option<Self> {
        if text.starts_with('!') {
            return RoomId::parse(text).ok().map(Self::Id);
        }
        let name = text.strip_prefix('#')?;
        if name.is_empty()
            || name.starts_with(':')
            || name.chars().any(|c| c.is_whitespace() || c.is_control())
        {
            return None;
        }
        let alias = match name.contains(':') {
            true => RoomAliasId::parse(text),
            false => RoomAliasId::parse(format!("{text}:{own}")),
        };
        alias.ok().map(Self::Alias)
    }

    /// The local part of an alias of this server, under which a missing room can be made.
    pub fn own_localpart(&self, own: &ServerName) -> Option<&str> {
        match self {
            Self::Alias(alias) if alias.server_name() == own => Some(alias.alias()),
            _ => None,
        }
    }
}

impl fmt::Display for RoomName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alias(alias) => formatter.write_str(alias.as_str()),
            Self::Id(id) => formatter.write_str(id.as_str()),
        }
    }
}

/// What members of the group are in the rooms of a mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// What everybody is; nothing is said of them in the power levels.
    Member,
    Level(i64),
}

impl Role {
    /// Reads `member`, `moderator`, `admin`, or a number from 1 to [`LEVEL_MAX`].
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "member" => Some(Self::Member),
            "moderator" => Some(Self::Level(MODERATOR)),
            "admin" => Some(Self::Level(ADMIN)),
            number => {
                let level = number.parse().ok();
                level
                    .filter(|level| (1..=LEVEL_MAX).contains(level))
                    .map(Self::Level)
            }
        }
    }

    pub(crate) fn level(self) -> Option<i64> {
        match self {
            Self::Member => None,
            Self::Level(level) => Some(level),
        }
    }
}

/// How missing rooms are made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Creation {
    /// Of the space, or without one of the only channel; other channels are called as their alias says.
    pub name: Option<String>,
    /// Of the same room as the name.
    pub topic: Option<String>,
    pub visibility: Visibility,
}

/// Who can find and enter a room that is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Visibility {
    /// Whoever is invited.
    #[default]
    Private,
    /// A channel: every member of the space. The space itself: whoever is invited.
    Space,
    /// Everybody on this server.
    Public,
}

impl Visibility {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "private" => Some(Self::Private),
            "space" => Some(Self::Space),
            "public" => Some(Self::Public),
            _ => None,
        }
    }
}

/// What becomes of those who leave the group. Of several mappings that name one room, the most careful counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Removal {
    /// They stay.
    Never,
    /// Those leave whom the directory brought in; people added by hand stay.
    #[default]
    Mirrored,
    /// Everybody of the directory leaves who is not in the group, however they came in.
    All,
}

impl Removal {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "never" => Some(Self::Never),
            "mirrored" => Some(Self::Mirrored),
            "all" => Some(Self::All),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use ruma::server_name;

    use super::*;

    #[test]
    fn rooms_are_named_by_alias_or_id_and_short_aliases_are_ours() {
        let own = server_name!("one.example");
        let parse = |text| RoomName::parse(text, own).map(|name| name.to_string());
        assert_eq!(parse("#staff").as_deref(), Some("#staff:one.example"));
        assert_eq!(parse("#staff:two.example").as_deref(), Some("#staff:two.example"));
        assert_eq!(parse("!abc:two.example").as_deref(), Some("!abc:two.example"));
        for text in ["staff", "#", "#:one.example", "#a b", "", "@staff:one.example"] {
            assert_eq!(parse(text), None, "{text}");
        }
        let name = RoomName::parse("#staff:two.example", own).unwrap();
        assert_eq!(name.own_localpart(own), None);
    }

    #[test]
    fn roles_are_names_or_levels() {
        assert_eq!(Role::parse("member").unwrap().level(), None);
        assert_eq!(Role::parse("moderator").unwrap().level(), Some(50));
        assert_eq!(Role::parse("75").unwrap().level(), Some(75));
        for text in ["owner", "0", "101", "-1", ""] {
            assert_eq!(Role::parse(text), None, "{text}");
        }
    }
}
