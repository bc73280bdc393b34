//! What the process and the server say to each other, as JSON.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::identity;
use crate::mirror::read::{DESCRIPTION_CHARS_MAX, GROUP_NAME_CHARS_MAX, TEXT_CHARS_MAX, shortened};
use crate::mirror::records::{GroupRecord, PersonRecord};
use crate::mirror::snapshot::{Dn, Group, ImmutableId, Person, Standing};

/// Ids, logins and names of entries are no longer than this, in bytes.
const NAME_BYTES_MAX: usize = 4_096;
/// Hexadecimal digits of a SHA-256.
const DIGEST_DIGITS: usize = 64;

/// A person as the directory has them. What is absent the directory does not say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FedPerson {
    /// What never changes about them (`attribute_id`).
    pub id: String,
    /// The distinguished name.
    pub dn: String,
    /// Of their user ID; empty for who has no usable name.
    pub localpart: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
    /// Of the photo, in hexadecimal. The server asks for photos that it does not know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub photo_sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// Their distinguished name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manager: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    pub standing: Standing,
    /// What groups call them in `member_logins`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    /// The distinguished names of the groups that their own entry tells of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub member_of: Vec<String>,
}

/// A group as the directory has it. Several parts of a reading may hold one group: its members are then theirs together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FedGroup {
    pub dn: String,
    /// What never changes about it (`attribute_group_id`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// People and groups, by their distinguished names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
    /// People, by their logins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub member_logins: Vec<String>,
}

/// A part of a reading.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FedEntries {
    #[serde(default)]
    pub people: Vec<FedPerson>,
    #[serde(default)]
    pub groups: Vec<FedGroup>,
}

/// What a reading consists of, so that none is taken for whole that is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FedTotals {
    /// The parts are numbered from 0.
    pub parts: usize,
    pub people: usize,
    pub groups: usize,
    /// Entries without a usable id or name, by what they are called.
    #[serde(default)]
    pub unusable: Vec<String>,
}

/// Entries that changed after a reading, as they are now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FedChanges {
    /// The reading, and the revision of it, that they follow.
    pub reading_id: String,
    pub revision: u64,
    #[serde(flatten)]
    pub entries: FedEntries,
    /// The ids of people whom the directory does not have any more.
    #[serde(default)]
    pub gone: Vec<String>,
}

/// Where the server stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FedState {
    /// What changes have to follow. Absent where a whole reading has to come first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reading_id: Option<String>,
    pub revision: u64,
    /// Whether somebody wants everything read now.
    pub wants_reading: bool,
}

/// How a run over what was sent has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FedRun {
    /// `done`, `failed` (nothing was changed), or `stopped` (it would lock so many people that an administrator has to
    /// approve).
    pub outcome: String,
    /// Why it failed, or was stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub state: FedState,
    /// The ids of people whose photos are to be sent.
    pub photos: Vec<String>,
}

impl From<&PersonRecord> for FedPerson {
    fn from(record: &PersonRecord) -> Self {
        let person = &*record.person;
        Self {
            id: person.id.to_string(),
            dn: person.dn.to_string(),
            localpart: person.localpart.clone(),
            display_name: person.display_name.clone(),
            mail: person.mail.clone(),
            photo_sha256: person.photo_digest.clone(),
            title: person.title.clone(),
            department: person.department.clone(),
            manager: person.manager.as_ref().map(ToString::to_string),
            phone: person.phone.clone(),
            standing: person.standing,
            login: record.login.clone(),
            member_of: record.told.iter().map(ToString::to_string).collect(),
        }
    }
}

impl TryFrom<FedPerson> for PersonRecord {
    type Error = String;

    fn try_from(fed: FedPerson) -> Result<Self, String> {
        let text = |text: Option<String>| text.and_then(|text| shortened(&text, TEXT_CHARS_MAX));
        let photo_digest = match fed.photo_sha256 {
            Some(digest) if !is_digest(&digest) => {
                return Err(format!("{digest:?} is no SHA-256 in hexadecimal"));
            }
            digest => digest,
        };
        let told: Result<_, String> = fed.member_of.iter().map(|name| dn(name)).collect();
        Ok(Self {
            person: Arc::new(Person {
                id: id(&fed.id)?,
                dn: dn(&fed.dn)?,
                localpart: bounded(fed.localpart)?,
                display_name: fed.display_name.as_deref().and_then(identity::display_name),
                mail: fed.mail.as_deref().and_then(identity::mail),
                photo_digest,
                title: text(fed.title),
                department: text(fed.department),
                manager: fed.manager.as_deref().map(dn).transpose()?,
                phone: text(fed.phone),
                standing: fed.standing,
            }),
            login: fed.login.map(bounded).transpose()?,
            told: told?,
        })
    }
}

impl From<&GroupRecord> for FedGroup {
    fn from(record: &GroupRecord) -> Self {
        let group = &record.group;
        Self {
            dn: group.dn.to_string(),
            id: group.id.as_ref().map(ToString::to_string),
            name: group.name.clone(),
            description: group.description.clone(),
            members: group.members.iter().map(ToString::to_string).collect(),
            member_logins: record.logins.iter().cloned().collect(),
        }
    }
}

impl TryFrom<FedGroup> for GroupRecord {
    type Error = String;

    fn try_from(fed: FedGroup) -> Result<Self, String> {
        let members: Result<BTreeSet<Dn>, String> = fed.members.iter().map(|name| dn(name)).collect();
        let logins: Result<BTreeSet<String>, String> = fed.member_logins.into_iter().map(bounded).collect();
        let dn = dn(&fed.dn)?;
        let description = fed.description;
        Ok(Self {
            group: Group {
                id: fed.id.as_deref().map(id).transpose()?,
                name: shortened(&fed.name, GROUP_NAME_CHARS_MAX).unwrap_or_else(|| dn.short_name()),
                description: description.and_then(|text| shortened(&text, DESCRIPTION_CHARS_MAX)),
                members: members?,
                dn,
            },
            logins: logins?,
        })
    }
}

fn dn(text: &str) -> Result<Dn, String> {
    let name = Dn::parse(text).filter(|_| text.len() <= NAME_BYTES_MAX);
    name.ok_or_else(|| format!("{text:?} is no distinguished name"))
}

fn id(text: &str) -> Result<ImmutableId, String> {
    if text.is_empty() {
        return Err("an id is empty".to_owned());
    }
    bounded(text.to_owned()).map(ImmutableId::new)
}

fn bounded(text: String) -> Result<String, String> {
    if text.len() > NAME_BYTES_MAX || text.chars().any(char::is_control) {
        return Err(format!(
            "a name is longer than {NAME_BYTES_MAX} bytes, or has control characters"
        ));
    }
    Ok(text)
}

fn is_digest(text: &str) -> bool {
    text.len() == DIGEST_DIGITS
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::mirror::snapshot::tests::{group, group_dn, person};

    #[test]
    fn entries_arrive_as_they_were_read() {
        let mut anna = person("anna");
        anna.manager = Some(person("ben").dn);
        anna.photo_digest = Some("0a".repeat(32));
        anna.standing = Standing::Locked;
        let anna = PersonRecord {
            person: Arc::new(anna),
            login: Some("Anna".to_owned()),
            told: vec![group_dn("staff")],
        };
        let sent = serde_json::to_string(&FedPerson::from(&anna)).unwrap();
        let arrived: FedPerson = serde_json::from_str(&sent).unwrap();
        assert_eq!(PersonRecord::try_from(arrived), Ok(anna));

        let staff = GroupRecord {
            group: group("staff", [person("ben").dn, group_dn("leads")]),
            logins: BTreeSet::from(["cleo".to_owned()]),
        };
        let sent = serde_json::to_string(&FedGroup::from(&staff)).unwrap();
        let arrived: FedGroup = serde_json::from_str(&sent).unwrap();
        assert_eq!(GroupRecord::try_from(arrived), Ok(staff));
    }

    #[test]
    fn what_no_directory_would_say_is_refused() {
        let good = FedPerson::from(&PersonRecord {
            person: Arc::new(person("anna")),
            login: None,
            told: Vec::new(),
        });
        let bad = [
            FedPerson {
                id: String::new(),
                ..good.clone()
            },
            FedPerson {
                dn: "anna".to_owned(),
                ..good.clone()
            },
            FedPerson {
                localpart: "an\u{7}na".to_owned(),
                ..good.clone()
            },
            FedPerson {
                photo_sha256: Some("nonsense".to_owned()),
                ..good.clone()
            },
            FedPerson {
                member_of: vec!["staff".to_owned()],
                ..good.clone()
            },
            FedPerson {
                login: Some("x".repeat(NAME_BYTES_MAX + 1)),
                ..good
            },
        ];
        for person in bad {
            assert!(PersonRecord::try_from(person.clone()).is_err(), "{person:?}");
        }
    }
}
