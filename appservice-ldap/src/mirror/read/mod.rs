//! Reading the whole directory: either all of it, or nothing.
//!
//! One connection to one server reads people and then groups, page by page. Whatever is cut short, refused or not
//! plausible is an error, for a part of the directory read as the whole would make everybody else a leaver.

mod group;
mod pages;
mod person;

use std::collections::BTreeMap;

use super::settings::MirrorConfig;
use super::snapshot::{Dn, Group, Snapshot};
use crate::connection::{Connection, Fault};
use crate::directory::Directory;

/// Larger companies have more than one server.
const PEOPLE_MAX: usize = 200_000;
const GROUPS_MAX: usize = 50_000;

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("the directory cannot be read: {0}")]
    Fault(String),
    #[error(
        "the directory shows nobody: nothing below base_dn matches, or the service account may not read it"
    )]
    Empty,
    #[error("the directory shows more than {0} entries of one kind")]
    TooMany(usize),
    #[error("two people have the same {attribute}, {id:?}: it is no immutable id")]
    DuplicateId { attribute: String, id: String },
    #[error("login_group {0:?} does not exist, or may not be read")]
    NoLoginGroup(String),
}

impl From<Fault> for ReadError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault.to_string())
    }
}

/// A snapshot and what could not be taken into it.
#[derive(Debug, Default)]
pub struct Reading {
    pub snapshot: Snapshot,
    /// Entries without a usable id or name, by how they are called.
    pub unusable: Vec<String>,
}

/// What a reading is looked for with.
struct Wanted<'a> {
    base: &'a str,
    filter: &'a str,
    attributes: &'a [&'a str],
    entries_max: usize,
}

impl Directory {
    /// Reads everybody and every group. Errors: whatever keeps it from being complete.
    pub async fn read(&self) -> Result<Reading, ReadError> {
        let config = &self.inner.config;
        let account = self
            .inner
            .service_account()
            .map_err(|refusal| ReadError::Fault(refusal.to_string()))?;
        let (mut connection, bound) = self.inner.endpoints.connect(&account).await?;
        if bound.rc != 0 {
            return Err(ReadError::Fault(format!(
                "the bind of the service account was refused: {bound}"
            )));
        }
        let mut people = BTreeMap::new();
        // How `memberUid` names people, and what their own entries say of their groups.
        let mut logins: BTreeMap<String, Dn> = BTreeMap::new();
        let mut told: Vec<(Dn, Dn)> = Vec::new();
        let mut unusable = Vec::new();
        let now = self.now();
        let attributes = person::attributes(config);
        let filter = match config.mirror.filter.as_str() {
            "" => self.inner.user_filter.for_anyone(),
            filter => filter,
        };
        let wanted = Wanted {
            base: &config.base_dn,
            filter,
            attributes: &attributes,
            entries_max: PEOPLE_MAX,
        };
        let mut duplicate = None;
        pages::visit(&mut connection, &wanted, |found| {
            let dn = found.dn.clone();
            let Some(read) = person::read(found, config, now) else {
                unusable.push(dn);
                return;
            };
            told.extend(
                read.groups
                    .into_iter()
                    .map(|group| (group, read.person.dn.clone())),
            );
            logins.extend(read.login.map(|login| (login, read.person.dn.clone())));
            let id = read.person.id.clone();
            if people.insert(id.clone(), read.person).is_some() {
                duplicate = Some(id);
            }
        })
        .await?;
        if let Some(id) = duplicate {
            return Err(ReadError::DuplicateId {
                attribute: config.attribute_id.clone(),
                id: id.to_string(),
            });
        }
        if people.is_empty() {
            return Err(ReadError::Empty);
        }
        let mut groups = read_groups(&mut connection, &config.mirror, &config.base_dn, &logins).await?;
        add_told(&mut groups, told);
        self.check_login_group(&groups)?;
        Ok(Reading {
            snapshot: Snapshot::new(people.into_values(), groups.into_values()),
            unusable,
        })
    }

    fn check_login_group(&self, groups: &BTreeMap<Dn, Group>) -> Result<(), ReadError> {
        let login_group = &self.inner.config.login_group;
        let is_there = Dn::parse(login_group).is_none_or(|dn| groups.contains_key(&dn));
        if is_there {
            Ok(())
        } else {
            Err(ReadError::NoLoginGroup(login_group.clone()))
        }
    }
}

async fn read_groups(
    connection: &mut Connection,
    config: &MirrorConfig,
    base_dn: &str,
    logins: &BTreeMap<String, Dn>,
) -> Result<BTreeMap<Dn, Group>, ReadError> {
    let base = config.group_base(base_dn);
    let attributes = group::attributes(&config.attribute_group_id);
    let wanted = Wanted {
        base,
        filter: &config.group_filter,
        attributes: &attributes,
        entries_max: GROUPS_MAX,
    };
    let mut found = Vec::new();
    pages::visit(connection, &wanted, |entry| found.push(entry)).await?;
    let mut groups = BTreeMap::new();
    for mut entry in found {
        pages::complete_members(connection, &mut entry).await?;
        let Some(group) = group::read(&entry, &config.attribute_group_id, logins) else {
            continue;
        };
        groups.insert(group.dn.clone(), group);
    }
    Ok(groups)
}

/// Adds what people's entries say of their groups (`memberOf`): groups outside of the part that is read are known by
/// it alone.
fn add_told(groups: &mut BTreeMap<Dn, Group>, told: Vec<(Dn, Dn)>) {
    for (group, member) in told {
        let group = groups
            .entry(group)
            .or_insert_with_key(|dn| group::known_by_name(dn));
        group.members.insert(member);
    }
}
