//! The settings of mirroring, as plain values, and the faults that can be seen without asking the directory.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::config::{ConfigFault, fault};
use crate::dn;

/// Profile fields that a directory can own, by their names in the profile.
pub const DIRECTORY_FIELDS: [&str; 6] = [
    field::DISPLAY_NAME,
    field::AVATAR_URL,
    field::TITLE,
    field::DEPARTMENT,
    field::MANAGER,
    field::PHONE,
];

/// The names of profile fields that the directory's attributes become (CS API § Profiles).
pub(crate) mod field {
    pub(crate) const DISPLAY_NAME: &str = "displayname";
    pub(crate) const AVATAR_URL: &str = "avatar_url";
    pub(crate) const TITLE: &str = "org.echorift.title";
    pub(crate) const DEPARTMENT: &str = "org.echorift.department";
    /// A user id.
    pub(crate) const MANAGER: &str = "org.echorift.manager";
    pub(crate) const PHONE: &str = "org.echorift.phone";
}

/// How people are mirrored: part of the `[directory]` table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorConfig {
    pub is_enabled: bool,
    /// Whether the directory is read by a process of its own, which feeds this server (`sync_from = "feed"`).
    pub is_fed: bool,
    /// How often the whole directory is read, whatever it tells by itself.
    pub interval: Duration,
    /// Finds everybody who is to be mirrored; empty: everybody whom `user_filter` could find.
    pub filter: String,
    /// Where groups are searched; empty: beside the people.
    pub group_base_dn: String,
    pub group_filter: String,
    /// Whether accounts are made before their owners first log in.
    pub creates_ahead: bool,
    /// Fields of the profile that follow the directory, and that people cannot change ([`DIRECTORY_FIELDS`]).
    pub owned_fields: BTreeSet<String>,
    /// Attributes that become profile fields; empty: none does.
    pub attribute_title: String,
    pub attribute_department: String,
    pub attribute_manager: String,
    pub attribute_phone: String,
    pub attribute_photo: String,
    /// Attribute of a group that never changes.
    pub attribute_group_id: String,
    /// The part of people, in percent, that one sync may lock at most.
    pub locked_percent_max: u32,
}

impl Default for MirrorConfig {
    fn default() -> Self {
        let owned = DIRECTORY_FIELDS
            .into_iter()
            .filter(|name| *name != field::AVATAR_URL);
        Self {
            is_enabled: false,
            is_fed: false,
            interval: Duration::from_secs(300),
            filter: String::new(),
            group_base_dn: String::new(),
            group_filter:
                "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup)\
                           (objectClass=group))"
                    .to_owned(),
            creates_ahead: true,
            owned_fields: owned.map(str::to_owned).collect(),
            attribute_title: "title".to_owned(),
            attribute_department: "departmentNumber".to_owned(),
            attribute_manager: "manager".to_owned(),
            attribute_phone: "telephoneNumber".to_owned(),
            attribute_photo: "jpegPhoto".to_owned(),
            attribute_group_id: "entryUUID".to_owned(),
            locked_percent_max: 10,
        }
    }
}

impl MirrorConfig {
    /// The attributes that are named at all, by their keys.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let named = [
            ("attribute_title", &self.attribute_title),
            ("attribute_department", &self.attribute_department),
            ("attribute_manager", &self.attribute_manager),
            ("attribute_phone", &self.attribute_phone),
            ("attribute_photo", &self.attribute_photo),
            ("attribute_group_id", &self.attribute_group_id),
        ];
        named.into_iter().filter(|(_, name)| !name.is_empty())
    }

    /// Where groups are looked for. Without a setting, that is where people's part of the tree stands: beside
    /// `ou=people`.
    pub(crate) fn group_base<'a>(&'a self, base_dn: &'a str) -> &'a str {
        if !self.group_base_dn.is_empty() {
            return &self.group_base_dn;
        }
        let is_unit = base_dn
            .get(..3)
            .is_some_and(|start| start.eq_ignore_ascii_case("ou=") || start.eq_ignore_ascii_case("cn="));
        match dn::parent(base_dn) {
            Some(parent) if is_unit => parent,
            _ => base_dn,
        }
    }

    /// The part of the tree whose changes matter: the one of groups if people are within it, else that of people.
    pub(crate) fn watched_base<'a>(&'a self, base_dn: &'a str) -> &'a str {
        let groups = self.group_base(base_dn);
        let holds_people = dn::normalise(base_dn)
            .zip(dn::normalise(groups))
            .is_some_and(|(people, groups)| dn::is_within(&people, &groups));
        if holds_people { groups } else { base_dn }
    }

    /// Adds every fault of the settings; none where nothing is mirrored.
    pub(crate) fn validate(&self, is_direct_bind: bool, faults: &mut Vec<ConfigFault>) {
        if !self.is_enabled {
            return;
        }
        if is_direct_bind {
            faults.push(fault(
                "sync",
                "true",
                "with {username} in bind_dn nobody may look through the directory",
                "name a service account in bind_dn, or set sync = false",
            ));
        }
        if self.interval < Duration::from_secs(1) {
            faults.push(fault(
                "sync_interval",
                &format!("{:?}", self.interval),
                "this is shorter than a sync takes",
                "write a time such as 5m",
            ));
        }
        for (key, filter) in [
            ("sync_filter", &self.filter),
            ("group_filter", &self.group_filter),
        ] {
            let may_be_empty = key == "sync_filter";
            let is_filter = (filter.is_empty() && may_be_empty) || ldap3::parse_filter(filter).is_ok();
            if !is_filter {
                faults.push(fault(
                    key,
                    filter,
                    "this is no LDAP filter (RFC 4515)",
                    "write a filter such as (objectClass=person)",
                ));
            }
        }
        if !self.group_base_dn.is_empty() && dn::normalise(&self.group_base_dn).is_none() {
            faults.push(fault(
                "group_base_dn",
                &self.group_base_dn,
                "this is no distinguished name",
                "write a distinguished name such as ou=groups,dc=example,dc=org",
            ));
        }
        for name in &self.owned_fields {
            if !DIRECTORY_FIELDS.contains(&name.as_str()) {
                let fix = format!("use {}", DIRECTORY_FIELDS.join(", "));
                faults.push(fault(
                    "owned_fields",
                    name,
                    "no attribute becomes this field",
                    &fix,
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_looked_for_beside_the_people() {
        let config = MirrorConfig::default();
        assert_eq!(config.group_base("ou=people,dc=x"), "dc=x");
        assert_eq!(config.group_base("OU=Staff,OU=All,dc=x"), "OU=All,dc=x");
        assert_eq!(config.group_base("dc=example,dc=org"), "dc=example,dc=org");
    }

    #[test]
    fn the_part_that_is_watched_holds_the_people() {
        let of = |group_base: &str| MirrorConfig {
            group_base_dn: group_base.to_owned(),
            ..MirrorConfig::default()
        };
        assert_eq!(of("").watched_base("ou=people,dc=x"), "dc=x");
        assert_eq!(of("DC=X").watched_base("ou=people,dc=x"), "DC=X");
        assert_eq!(
            of("ou=groups,dc=y").watched_base("ou=people,dc=x"),
            "ou=people,dc=x"
        );
    }

    #[test]
    fn faults_are_named_where_people_are_mirrored() {
        let config = MirrorConfig {
            interval: Duration::ZERO,
            filter: "(uid=".to_owned(),
            group_base_dn: "groups".to_owned(),
            owned_fields: BTreeSet::from(["m.tz".to_owned()]),
            ..MirrorConfig::default()
        };
        let faults = |config: &MirrorConfig| {
            let mut faults = Vec::new();
            config.validate(true, &mut faults);
            faults.into_iter().map(|fault| fault.key).collect::<Vec<_>>()
        };
        assert_eq!(faults(&config), [""; 0]);
        let on = MirrorConfig {
            is_enabled: true,
            ..config
        };
        assert_eq!(
            faults(&on),
            [
                "sync",
                "sync_interval",
                "sync_filter",
                "group_base_dn",
                "owned_fields"
            ]
        );
    }
}
