//! From a person's entry to the person.

use std::sync::Arc;

use echorift_storage::Timestamp;
use ldap3::SearchEntry;

use super::{TEXT_CHARS_MAX, shortened};
use crate::account_state::{STATE_ATTRIBUTES, state_refusal};
use crate::config::DirectoryConfig;
use crate::entry::Entry;
use crate::identity;
use crate::mirror::records::PersonRecord;
use crate::mirror::snapshot::{Dn, ImmutableId, Person, Standing};
use crate::photo;
use crate::refusal::LoginRefusal;

/// What is asked of each person's entry.
pub(super) fn attributes(config: &DirectoryConfig) -> Vec<&str> {
    let mirror = &config.mirror;
    let named = [
        &config.attribute_uid,
        &config.attribute_name,
        &config.attribute_mail,
        &config.attribute_id,
        &mirror.attribute_title,
        &mirror.attribute_department,
        &mirror.attribute_manager,
        &mirror.attribute_phone,
        &mirror.attribute_photo,
    ];
    let named = named
        .into_iter()
        .map(String::as_str)
        .filter(|name| !name.is_empty());
    named.chain(["memberOf"]).chain(STATE_ATTRIBUTES).collect()
}

/// `None` for an entry without a usable id or distinguished name. One without a usable name keeps an empty localpart:
/// the account that it may have is not to be taken for a leaver's.
pub(super) fn read(found: SearchEntry, config: &DirectoryConfig, now: Timestamp) -> Option<PersonRecord> {
    let mirror = &config.mirror;
    let photo_digest = photo::of(&found, &mirror.attribute_photo).map(photo::digest);
    let entry = Entry::from(found);
    let id = entry.bytes(&config.attribute_id).filter(|id| !id.is_empty())?;
    let dn = Dn::parse(&entry.dn)?;
    let uid = entry.text(&config.attribute_uid);
    let text = |attribute: &str| {
        entry
            .text(attribute)
            .and_then(|text| shortened(text, TEXT_CHARS_MAX))
    };
    let manager = entry.text(&mirror.attribute_manager).and_then(Dn::parse);
    Some(PersonRecord {
        person: Arc::new(Person {
            id: ImmutableId::new(identity::id_text(&config.attribute_id, id)),
            localpart: uid
                .and_then(|uid| identity::localpart_in(uid, config))
                .unwrap_or_default(),
            display_name: entry
                .text(&config.attribute_name)
                .and_then(identity::display_name),
            mail: entry.text(&config.attribute_mail).and_then(identity::mail),
            photo_digest,
            title: text(&mirror.attribute_title),
            department: text(&mirror.attribute_department),
            manager: manager.filter(|manager| *manager != dn),
            phone: text(&mirror.attribute_phone),
            standing: standing(&entry, now),
            dn,
        }),
        login: uid.map(str::to_owned),
        told: entry.texts("memberOf").filter_map(Dn::parse).collect(),
    })
}

fn standing(entry: &Entry, now: Timestamp) -> Standing {
    match state_refusal(entry, now) {
        None => Standing::Active,
        Some(LoginRefusal::Locked) => Standing::Locked,
        Some(LoginRefusal::Expired) => Standing::Expired,
        Some(_) => Standing::Disabled,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::collections::HashMap;

    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn found<const N: usize>(dn: &str, attributes: [(&str, &[u8]); N]) -> SearchEntry {
        let (mut attrs, mut bin_attrs) = (HashMap::new(), HashMap::new());
        for (name, value) in attributes {
            match String::from_utf8(value.to_vec()) {
                Ok(text) => drop(attrs.insert(name.to_owned(), vec![text])),
                Err(_) => drop(bin_attrs.insert(name.to_owned(), vec![value.to_vec()])),
            }
        }
        SearchEntry {
            dn: dn.to_owned(),
            attrs,
            bin_attrs,
        }
    }

    #[test]
    fn an_entry_of_active_directory_is_read() {
        let config = DirectoryConfig {
            attribute_uid: "sAMAccountName".to_owned(),
            attribute_id: "objectGUID".to_owned(),
            ..DirectoryConfig::default()
        };
        let guid: Vec<u8> = (240..=255).collect();
        let entry = found(
            "CN=Wanda Fenster,OU=Staff,DC=x",
            [
                ("sAMAccountName", b"WFenster".as_slice()),
                ("objectGUID", &guid),
                ("cn", b"Wanda Fenster"),
                ("title", b"Glazier\n"),
                ("manager", b"CN=Boss,DC=x"),
                ("memberOf", b"CN=All,DC=x"),
                ("userAccountControl", b"514"),
            ],
        );
        let read = read(entry, &config, NOW).unwrap();
        assert_eq!(read.person.localpart, "wfenster");
        assert_eq!(read.person.id.as_str(), "f3f2f1f0-f5f4-f7f6-f8f9-fafbfcfdfeff");
        assert_eq!(read.person.title.as_deref(), Some("Glazier"));
        assert_eq!(read.person.manager, Dn::parse("cn=boss,dc=x"));
        assert_eq!(read.person.standing, Standing::Disabled);
        assert_eq!(read.told, [Dn::parse("cn=all,dc=x").unwrap()]);
    }

    #[test]
    fn who_has_no_usable_name_is_still_there() {
        let config = DirectoryConfig::default();
        let nameless = found("uid=a,dc=x", [("entryUUID", b"1".as_slice()), ("uid", b"a\x07")]);
        assert_eq!(read(nameless, &config, NOW).unwrap().person.localpart, "");
        let without_id = found("uid=a,dc=x", [("uid", b"a".as_slice())]);
        assert!(read(without_id, &config, NOW).is_none());
    }
}
