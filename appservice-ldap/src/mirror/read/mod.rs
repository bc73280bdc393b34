//! Reading the whole directory: either all of it, or nothing.
//!
//! One connection to one server reads people and then groups, page by page, and others where it refers to them and that is
//! to be followed (`servers`). Whatever is cut short, refused or not plausible is an error, for a part of the directory read
//! as the whole would make everybody else a leaver.
//!
//! Where the directory tells what has changed, `changed` reads that alone, and whatever follows from it.

mod changed;
mod group;
mod pages;
mod person;
mod servers;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;

use ldap3::{Scope, SearchEntry};

pub(super) use self::changed::Unclear;
pub(super) use self::group::known_by_name;
use self::servers::Servers;
use super::records::{GroupRecord, PersonRecord, Records};
use super::settings::MirrorConfig;
use super::snapshot::{Dn, Snapshot};
use crate::connection::{Fault, Query};
use crate::directory::Directory;

/// Larger companies have more than one server.
pub(super) const PEOPLE_MAX: usize = 200_000;
pub(super) const GROUPS_MAX: usize = 50_000;
/// Titles, departments and telephone numbers are cut here.
pub(super) const TEXT_CHARS_MAX: usize = 256;
/// Names and descriptions of groups become names and topics of rooms.
pub(super) const GROUP_NAME_CHARS_MAX: usize = 255;
pub(super) const DESCRIPTION_CHARS_MAX: usize = 1_000;

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
    #[error("login_group {0:?}, or a mapped group that may log in, does not exist, or may not be read")]
    NoLoginGroup(String),
}

impl From<Fault> for ReadError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault.to_string())
    }
}

/// A snapshot and what could not be taken into it.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    pub snapshot: Snapshot,
    /// Entries without a usable id or name, by how they are called.
    pub unusable: Vec<String>,
    /// What the snapshot is made of.
    pub(super) records: Records,
}

impl Directory {
    /// Reads everybody and every group. Errors: whatever keeps it from being complete.
    pub async fn read(&self) -> Result<Reading, ReadError> {
        let config = &self.inner.config;
        let mut servers = Servers::connect(&self.inner).await?;
        let now = self.now();
        let attributes = person::attributes(config);
        let everybody = Query {
            base: &config.base_dn,
            scope: Scope::Subtree,
            filter: self.people_filter(),
            attributes: &attributes,
            entries_max: PEOPLE_MAX,
        };
        let mut found = Vec::new();
        let mut unusable = Vec::new();
        let mut ranged = Vec::new();
        let take = |entry: SearchEntry, holder| {
            if pages::is_cut(&entry) {
                ranged.push((entry, holder));
                return;
            }
            let dn = entry.dn.clone();
            match person::read(entry, config, now) {
                Some(read) => found.push(read),
                None => unusable.push(dn),
            }
        };
        servers.visit(everybody, take).await?;
        for (mut entry, holder) in ranged {
            servers.complete(holder, &mut entry).await?;
            let dn = entry.dn.clone();
            match person::read(entry, config, now) {
                Some(read) => found.push(read),
                None => unusable.push(dn),
            }
        }
        let mut people: BTreeMap<_, PersonRecord> = BTreeMap::new();
        for read in found {
            match people.entry(read.person.id.clone()) {
                Slot::Vacant(free) => drop(free.insert(read)),
                // Two servers may have the same entry.
                Slot::Occupied(known) if known.get().person.dn == read.person.dn => {}
                Slot::Occupied(known) => {
                    return Err(ReadError::DuplicateId {
                        attribute: config.attribute_id.clone(),
                        id: known.key().to_string(),
                    });
                }
            }
        }
        let groups = read_groups(&mut servers, &config.mirror, &config.base_dn).await?;
        let records = Records::new(people.into_values(), groups);
        let snapshot = records.snapshot();
        self.check_reading(&snapshot)?;
        Ok(Reading {
            snapshot,
            unusable,
            records,
        })
    }

    /// Finds everybody who is to be mirrored.
    pub(super) fn people_filter(&self) -> &str {
        match self.inner.config.mirror.filter.as_str() {
            "" => self.inner.user_filter.for_anyone(),
            filter => filter,
        }
    }

    /// Whether this can be the whole of the directory.
    pub(super) fn check_reading(&self, snapshot: &Snapshot) -> Result<(), ReadError> {
        if snapshot.people.is_empty() {
            return Err(ReadError::Empty);
        }
        let login_groups = self.inner.config.login_groups();
        let is_missing = |group: &&str| Dn::parse(group).is_some_and(|dn| !snapshot.groups.contains_key(&dn));
        match login_groups.into_iter().find(is_missing) {
            Some(group) => Err(ReadError::NoLoginGroup(group.to_owned())),
            None => Ok(()),
        }
    }
}

async fn read_groups(
    servers: &mut Servers<'_>,
    config: &MirrorConfig,
    base_dn: &str,
) -> Result<Vec<GroupRecord>, ReadError> {
    let attributes = group::attributes(&config.attribute_group_id);
    let all = Query {
        base: config.group_base(base_dn),
        scope: Scope::Subtree,
        filter: &config.group_filter,
        attributes: &attributes,
        entries_max: GROUPS_MAX,
    };
    let mut found = Vec::new();
    servers
        .visit(all, |entry, holder| found.push((entry, holder)))
        .await?;
    let mut groups = Vec::with_capacity(found.len());
    for (mut entry, holder) in found {
        servers.complete(holder, &mut entry).await?;
        groups.extend(group::read(&entry, &config.attribute_group_id));
    }
    Ok(groups)
}

/// The text without control characters, cut; `None` if nothing is left.
pub(super) fn shortened(text: &str, chars_max: usize) -> Option<String> {
    let kept = text.chars().filter(|c| !c.is_control());
    let text: String = kept.take(chars_max).collect();
    (!text.trim().is_empty()).then_some(text)
}
