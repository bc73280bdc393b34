//! From a group's entry to the group.

use std::collections::BTreeSet;

use ldap3::SearchEntry;

use super::{DESCRIPTION_CHARS_MAX, GROUP_NAME_CHARS_MAX, shortened};
use crate::identity;
use crate::mirror::records::GroupRecord;
use crate::mirror::snapshot::{Dn, Group, ImmutableId};

/// What is asked of each group's entry.
pub(super) fn attributes(attribute_id: &str) -> Vec<&str> {
    let usual = ["cn", "description", "member", "uniqueMember", "memberUid"];
    let id = Some(attribute_id).filter(|name| !name.is_empty());
    usual.into_iter().chain(id).collect()
}

/// `None` for an entry whose name is no distinguished name.
pub(super) fn read(entry: &SearchEntry, attribute_id: &str) -> Option<GroupRecord> {
    let dn = Dn::parse(&entry.dn)?;
    let texts = |attribute| values(entry, attribute);
    let first = |attribute, chars_max| shortened(texts(attribute).min()?, chars_max);
    let mut members: BTreeSet<Dn> = texts("member")
        .chain(texts("uniqueMember"))
        .filter_map(|member| Dn::parse(member))
        .collect();
    members.remove(&dn);
    let name = first("cn", GROUP_NAME_CHARS_MAX).unwrap_or_else(|| first_value(&dn));
    Some(GroupRecord {
        logins: texts("memberUid").cloned().collect(),
        group: Group {
            id: id(entry, attribute_id),
            name,
            members,
            description: first("description", DESCRIPTION_CHARS_MAX),
            dn,
        },
    })
}

/// Every value that is text, in whatever spelling the server names the attribute.
fn values<'a>(entry: &'a SearchEntry, attribute: &'a str) -> impl Iterator<Item = &'a String> {
    let named = entry
        .attrs
        .iter()
        .filter(move |(name, _)| is_called(name, attribute));
    named.flat_map(|(_, values)| values)
}

/// A group of which only its members tell.
pub(in crate::mirror) fn known_by_name(dn: &Dn) -> Group {
    Group {
        id: None,
        name: first_value(dn),
        dn: dn.clone(),
        members: BTreeSet::new(),
        description: None,
    }
}

fn id(entry: &SearchEntry, attribute: &str) -> Option<ImmutableId> {
    let text = entry.attrs.iter().find(|(name, _)| is_called(name, attribute));
    let text = text
        .and_then(|(_, values)| values.iter().min())
        .map(String::as_bytes);
    let bytes = entry
        .bin_attrs
        .iter()
        .find(|(name, _)| is_called(name, attribute));
    let bytes = bytes
        .and_then(|(_, values)| values.iter().min())
        .map(Vec::as_slice);
    let id = text.or(bytes).filter(|id| !id.is_empty())?;
    Some(ImmutableId::new(identity::id_text(attribute, id)))
}

fn is_called(name: &str, attribute: &str) -> bool {
    name.split(';')
        .next()
        .is_some_and(|name| name.eq_ignore_ascii_case(attribute))
}

/// `staff` of `cn=staff,ou=groups`.
fn first_value(dn: &Dn) -> String {
    let first = dn.as_str().split(',').next().unwrap_or_default();
    first.split_once('=').map_or(first, |(_, value)| value).to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn all_ways_to_name_members_count_and_a_group_is_no_member_of_itself() {
        let attrs = [
            ("CN", vec!["staff"]),
            ("member", vec!["uid=Anna,dc=x", "cn=staff,dc=x", "nonsense"]),
            ("uniqueMember", vec!["uid=ben,dc=x"]),
            ("memberUid", vec!["carla", "nobody"]),
        ];
        let attrs: HashMap<String, Vec<String>> = attrs
            .into_iter()
            .map(|(name, values)| (name.to_owned(), values.into_iter().map(str::to_owned).collect()))
            .collect();
        let entry = SearchEntry {
            dn: "cn=staff,dc=x".to_owned(),
            attrs,
            bin_attrs: HashMap::new(),
        };
        let GroupRecord { group, logins } = read(&entry, "entryUUID").unwrap();
        let members: Vec<&str> = group.members.iter().map(Dn::as_str).collect();
        assert_eq!(members, ["uid=anna,dc=x", "uid=ben,dc=x"]);
        assert_eq!(logins, BTreeSet::from(["carla".to_owned(), "nobody".to_owned()]));
        assert_eq!((group.name.as_str(), group.id), ("staff", None));
    }
}
