//! `[[directory.mapping]]`: what groups of the directory mean in servers, channels and roles.

use echorift_appservice_ldap::mapping::{
    CHANNELS_MAX, Creation, GroupsConfig, MAPPINGS_MAX, MappingConfig, Removal, Role, RoomName, Visibility,
};
use echorift_appservice_ldap::mirror::Dn;
use ruma::ServerName;

use super::table::Table;

const ROOM_FIX: &str = "Write an alias such as \"#engineering\" or \"#team:example.org\", or a room ID.";

/// Reads the keys of `[directory]` that are about groups.
pub(super) fn read(table: &mut Table<'_, '_>, own: &ServerName) -> GroupsConfig {
    let usual = GroupsConfig::default();
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._=-/+".contains(c);
    let parse_name = |text: &str| {
        let is_name = !text.is_empty() && !text.starts_with('_') && text.chars().all(is_letter);
        is_name.then(|| text.to_owned())
    };
    let fix = "Write a name of a-z, 0-9 and ._=-/+ that nobody has, for example \"directory\".";
    let account = table.parsed("account", &usual.account, parse_name, fix);
    let usual_percent = format!("{}%", usual.removals_percent_max);
    let parse_percent = |text: &str| {
        let percent: u8 = text.strip_suffix('%')?.trim().parse().ok()?;
        (percent <= 100).then_some(percent)
    };
    let fix = "Write a percentage from 0% to 100%.";
    let percent = table.parsed("safety_max_removed", &usual_percent, parse_percent, fix);
    let mappings = table.tables("mapping", |table| read_mapping(table, own));
    let mappings: Vec<_> = mappings.unwrap_or_default().into_iter().flatten().collect();
    if mappings.len() > MAPPINGS_MAX {
        let problem = format!("has more than {MAPPINGS_MAX} entries");
        table.refuse_hidden("mapping", &problem, "Map groups that hold other groups.");
    }
    GroupsConfig {
        mappings,
        account: account.unwrap_or(usual.account),
        account_name: table.text("account_name", &usual.account_name),
        removals_percent_max: percent.unwrap_or(usual.removals_percent_max),
    }
}

/// `None` if what it is about cannot be understood; that is a fault already.
fn read_mapping(table: &mut Table<'_, '_>, own: &ServerName) -> Option<MappingConfig> {
    let fix = "Write the group's distinguished name, such as \"cn=sales,ou=groups,dc=example,dc=org\".";
    let group = table.parsed("group", "", Dn::parse, fix);
    let parse_room = |text: &str| match text {
        "" => Some(None),
        text => RoomName::parse(text, own).map(Some),
    };
    let space = table.parsed("space", "", parse_room, ROOM_FIX).flatten();
    let channels = read_channels(table, own);
    let role = table.parsed(
        "role",
        "member",
        Role::parse,
        "Write member, moderator, admin, or a level from 1 to 100.",
    );
    let create = read_creation(table, space.is_some());
    let fix = "Write mirrored, all or never.";
    let remove = table.parsed("remove", "mirrored", Removal::parse, fix);
    let mapping = MappingConfig {
        group: group?,
        space,
        channels,
        role: role?,
        create,
        login: table.flag("login", false),
        administrators: table.flag("administrators", false),
        remove: remove?,
        enforce: table.flag("enforce", false),
    };
    let has_rooms = mapping.space.is_some() || !mapping.channels.is_empty();
    if !has_rooms && !mapping.administrators && !mapping.login {
        table.refuse(
            "group",
            "is mapped to nothing",
            "Set space, channel, login or administrators beside it.",
        );
    }
    Some(mapping)
}

/// One alias or several.
fn read_channels(table: &mut Table<'_, '_>, own: &ServerName) -> Vec<RoomName> {
    let names = table.text_or_list("channel");
    let mut channels = Vec::with_capacity(names.len());
    for name in &names {
        match RoomName::parse(name, own) {
            Some(channel) if !channels.contains(&channel) => channels.push(channel),
            Some(_) => {}
            None => table.refuse("channel", &format!("names no room by {name:?}"), ROOM_FIX),
        }
    }
    if channels.len() > CHANNELS_MAX {
        let problem = format!("names more than {CHANNELS_MAX} channels");
        table.refuse_hidden("channel", &problem, "Spread them over several mappings.");
    }
    channels
}

fn read_creation(table: &mut Table<'_, '_>, has_space: bool) -> Option<Creation> {
    let creates = table.flag("create", false);
    let text = |text: String| Some(text).filter(|text| !text.is_empty());
    let (name, topic) = (text(table.text("name", "")), text(table.text("topic", "")));
    let fix = "Write private, space or public.";
    let visibility = table.parsed("visibility", "private", Visibility::parse, fix)?;
    if visibility == Visibility::Space && !has_space {
        table.refuse(
            "visibility",
            "is for members of the space, and there is none",
            "Set space beside it, or write private or public.",
        );
    }
    creates.then_some(Creation {
        name,
        topic,
        visibility,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use crate::config::Config;

    fn refused(mapping: &str) -> Vec<(String, String)> {
        let directory = "[directory]\nsync = true\nurls = [\"ldaps://a\"]\nbase_dn = \"dc=a\"\n";
        match Config::parse(&format!("{directory}[[directory.mapping]]\n{mapping}")) {
            Ok(_) => Vec::new(),
            Err(faults) => faults.0.into_iter().map(|fault| (fault.key, fault.fix)).collect(),
        }
    }

    #[test]
    fn a_mapping_reads_one_channel_or_several() {
        let group = "group = \"cn=sales,dc=a\"\n";
        for channel in ["\"#sales\"", "[\"#sales\", \"!abc:x.example\"]"] {
            assert_eq!(refused(&format!("{group}channel = {channel}")), []);
        }
    }

    #[test]
    fn every_fault_of_a_mapping_names_its_key_and_what_to_write() {
        let faults = refused(
            "group = \"sales\"\nspace = \"company\"\nchannel = [\"#ok\", \"broken\"]\nrole = \"owner\"\n\
             remove = \"always\"\nvisibility = \"secret\"\nchanel = \"#x\"",
        );
        let keys: Vec<&str> = faults
            .iter()
            .filter_map(|(key, _)| key.rsplit('.').next())
            .collect();
        assert_eq!(
            keys,
            [
                "group",
                "space",
                "channel",
                "role",
                "visibility",
                "remove",
                "chanel"
            ]
        );
        assert!(
            faults
                .iter()
                .all(|(key, fix)| key.starts_with("directory.mapping.") && !fix.is_empty()),
            "{faults:?}"
        );
    }

    #[test]
    fn two_ways_of_naming_administrators_are_a_fault() {
        let text = "[directory]\nsync = true\nurls = [\"ldaps://a\"]\nbase_dn = \"dc=a\"\nadmin_group = \"cn=it\"\n\
                    [[directory.mapping]]\ngroup = \"cn=it\"\nadministrators = true";
        let faults = Config::parse(text).unwrap_err();
        assert_eq!(
            faults
                .0
                .iter()
                .map(|fault| fault.key.as_str())
                .collect::<Vec<_>>(),
            ["directory.admin_group"]
        );
    }

    #[test]
    fn a_mapping_to_nothing_and_a_space_that_is_not_there_are_faults() {
        let keys = |text| refused(text).into_iter().map(|(key, _)| key).collect::<Vec<_>>();
        assert_eq!(keys("group = \"cn=a\""), ["directory.mapping.group"]);
        assert_eq!(
            keys("group = \"cn=a\"\nchannel = \"#a\"\ncreate = true\nvisibility = \"space\""),
            ["directory.mapping.visibility"]
        );
    }
}
