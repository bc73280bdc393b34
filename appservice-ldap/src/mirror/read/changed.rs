//! Reading what the directory told of, instead of all: the entries themselves, as they are now, and what else may have
//! changed with them without a word.
//!
//! Nobody is told of a change that the directory makes by itself: a group's entry changes, and `memberOf` of the people in
//! it; a person is renamed or deleted, and the groups that name them. So people who came into a group or went out of it
//! are read again, and so are the groups of who was renamed or has gone. Whatever else there may be is [`Unclear`].

use std::collections::{BTreeMap, BTreeSet};

use ldap3::{Scope, SearchEntry};

use super::{ReadError, group, pages, person};
use crate::connection::{Connection, Query};
use crate::directory::Directory;
use crate::identity::id_filter_value;
use crate::mirror::records::{Changes, GroupRecord, PersonRecord, Records};
use crate::mirror::snapshot::{Dn, ImmutableId, Snapshot};
use crate::mirror::told::Changed;
use crate::referral::Referrals;

/// Entries that are read one by one: for more, a reading of all is cheaper.
const READS_MAX: usize = 400;
/// One entry is who was looked for, two are a mistake.
const ENTRIES_MAX: i32 = 2;
/// What holds other entries: if one is renamed, they all are.
const FOLDERS: &[&str] = &[
    "organizationalunit",
    "organization",
    "container",
    "domain",
    "domaindns",
    "builtindomain",
    "country",
    "locality",
    "dcobject",
];

/// Why only a reading of all entries tells what has changed.
#[derive(Debug, thiserror::Error)]
pub(in crate::mirror) enum Unclear {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("{0}")]
    Whole(&'static str),
}

impl From<crate::connection::Fault> for Unclear {
    fn from(fault: crate::connection::Fault) -> Self {
        Self::Read(fault.into())
    }
}

impl Directory {
    /// The entries that were told of as they are now, and those who changed with them. Asks the server that told: another
    /// one may not know yet.
    pub(in crate::mirror) async fn read_changed(
        &self,
        changed: &Changed,
        records: &Records,
        snapshot: &Snapshot,
    ) -> Result<Changes, Unclear> {
        let account = self
            .inner
            .service_account()
            .map_err(|refusal| ReadError::Fault(refusal.to_string()))?;
        // Being bound is written down by some directories, and told of.
        let own = Dn::parse(&account.name);
        let mut reader = Reader {
            directory: self,
            connection: self.inner.endpoints.connect_to(&changed.url, &account).await?,
            records,
            snapshot,
            seen: BTreeSet::new(),
            missing: known_gone(changed, records)?,
            people: BTreeMap::new(),
            groups: BTreeMap::new(),
            reads: 0,
        };
        let is_known = |dn: &Dn| snapshot.person_at(dn).is_some() || records.group(dn).is_some();
        let mut next: BTreeSet<Dn> = changed
            .names
            .iter()
            .filter(|dn| Some(*dn) != own.as_ref() || is_known(dn))
            .cloned()
            .collect();
        while !next.is_empty() || !reader.missing.is_empty() {
            for dn in next {
                reader.look(dn).await?;
            }
            reader.find_missing().await?;
            next = reader.followers();
        }
        Ok(reader.changes())
    }
}

/// Those of the deleted who are known, to be looked for: a deleted entry may have come back.
fn known_gone(changed: &Changed, records: &Records) -> Result<BTreeSet<ImmutableId>, Unclear> {
    let is_gone = |record: &GroupRecord| {
        let id = record.group.id.as_ref();
        id.is_some_and(|id| changed.gone.contains(id))
    };
    if !changed.gone.is_empty() && records.groups().any(is_gone) {
        return Err(Unclear::Whole("a group was removed"));
    }
    let known = changed.gone.iter().filter(|id| records.person(id).is_some());
    Ok(known.cloned().collect())
}

struct Reader<'a> {
    directory: &'a Directory,
    connection: Connection,
    records: &'a Records,
    snapshot: &'a Snapshot,
    /// Names that were looked at.
    seen: BTreeSet<Dn>,
    /// Who is not where they were.
    missing: BTreeSet<ImmutableId>,
    people: BTreeMap<ImmutableId, Option<PersonRecord>>,
    groups: BTreeMap<Dn, GroupRecord>,
    reads: usize,
}

impl Reader<'_> {
    /// Reads what has this name now.
    async fn look(&mut self, dn: Dn) -> Result<(), Unclear> {
        if !self.seen.insert(dn.clone()) {
            return Ok(());
        }
        let known = self.snapshot.person_at(&dn).map(|person| person.id.clone());
        let person = self.person_at(&dn).await?;
        let is_person = person.is_some();
        if known.is_some() && known != person.as_ref().map(|read| read.person.id.clone()) {
            self.missing.extend(known.clone());
        }
        if let Some(read) = person {
            self.take_person(read)?;
        }
        match (self.group_at(&dn).await?, self.records.group(&dn)) {
            (None, None) if is_person || known.is_some() => {}
            (None, None) => self.look_for_folder(&dn).await?,
            (None, Some(_)) => return Err(Unclear::Whole("a group was removed or renamed")),
            (Some(read), None) => {
                let id = read.group.id.as_ref();
                let is_other = |record: &GroupRecord| record.group.id.as_ref() == id;
                if id.is_none() || self.records.groups().any(is_other) {
                    return Err(Unclear::Whole("a group may have been renamed"));
                }
                self.groups.insert(dn, read);
            }
            (Some(read), Some(_)) => {
                self.groups.insert(dn, read);
            }
        }
        Ok(())
    }

    fn take_person(&mut self, read: PersonRecord) -> Result<(), Unclear> {
        let id = read.person.id.clone();
        let before = self.people.get(&id).and_then(Option::as_ref);
        if before.is_some_and(|before| before.person.dn != read.person.dn) {
            // Or they were renamed between the two questions.
            return Err(Unclear::Whole("two people have the same immutable id"));
        }
        self.people.insert(id, Some(read));
        Ok(())
    }

    /// Who is not where they were may be elsewhere by now, which is told later: nobody is out because of a new name.
    async fn find_missing(&mut self) -> Result<(), Unclear> {
        for id in std::mem::take(&mut self.missing) {
            if self.people.contains_key(&id) {
                continue;
            }
            let attribute = &self.directory.inner.config.attribute_id;
            let filter = format!(
                "(&{}({attribute}={}))",
                self.directory.people_filter(),
                id_filter_value(attribute, id.as_str())
            );
            let base = self.directory.inner.config.base_dn.clone();
            let mut found = self.people_in(&base, Scope::Subtree, &filter).await?;
            match (found.pop(), found.is_empty()) {
                (None, _) => drop(self.people.insert(id, None)),
                (Some(read), true) if read.person.id == id => {
                    self.seen.insert(read.person.dn.clone());
                    self.take_person(read)?;
                }
                _ => return Err(Unclear::Whole("two people have the same immutable id")),
            }
        }
        Ok(())
    }

    /// The names of what may have changed with what was read so far.
    fn followers(&self) -> BTreeSet<Dn> {
        let mut names = BTreeSet::new();
        if self.records.tells_groups() {
            let nobody = BTreeSet::new();
            for (dn, now) in &self.groups {
                let before = self
                    .records
                    .group(dn)
                    .map_or(&nobody, |record| &record.group.members);
                for member in now.group.members.symmetric_difference(before) {
                    names.extend(self.snapshot.person_at(member).map(|person| person.dn.clone()));
                    // Some directories have people tell of groups above their own, too.
                    let within = self.snapshot.people_of(member);
                    let within = within.iter().filter_map(|id| self.snapshot.people.get(id));
                    names.extend(within.map(|person| person.dn.clone()));
                }
            }
        }
        let mut moved = BTreeSet::new();
        for (id, now) in &self.people {
            let before = self.records.person(id).map(|record| &record.person.dn);
            let now = now.as_ref().map(|record| &record.person.dn);
            if before != now {
                moved.extend(before.into_iter().chain(now));
            }
        }
        let names_moved = |dn: &&Dn| moved.contains(dn);
        if !moved.is_empty() {
            let groups = self.records.groups().map(|record| &record.group);
            names.extend(
                groups
                    .filter(|group| group.members.iter().any(|member| names_moved(&member)))
                    .map(|group| group.dn.clone()),
            );
            // Renamed while two entries were asked for, somebody would be there twice.
            names.extend(moved.into_iter().cloned());
        }
        names.retain(|dn| !self.seen.contains(dn));
        names
    }

    fn changes(self) -> Changes {
        Changes {
            people: self.people,
            groups: self.groups,
        }
    }

    async fn person_at(&mut self, dn: &Dn) -> Result<Option<PersonRecord>, Unclear> {
        let filter = self.directory.people_filter();
        if !is_within(dn, &self.directory.inner.config.base_dn) {
            return Ok(None);
        }
        Ok(self.people_in(dn.as_str(), Scope::Base, filter).await?.pop())
    }

    async fn people_in(
        &mut self,
        base: &str,
        scope: Scope,
        filter: &str,
    ) -> Result<Vec<PersonRecord>, Unclear> {
        let config = &self.directory.inner.config;
        let attributes = person::attributes(config);
        let entries = self.entries(base, scope, filter, &attributes).await?;
        let mut people = Vec::with_capacity(entries.len());
        for mut entry in entries {
            pages::complete(&mut self.connection, &mut entry).await?;
            let read = person::read(entry, config, self.directory.now());
            people.push(read.ok_or(Unclear::Whole("a person has no usable id"))?);
        }
        Ok(people)
    }

    async fn group_at(&mut self, dn: &Dn) -> Result<Option<GroupRecord>, Unclear> {
        let config = &self.directory.inner.config;
        if !is_within(dn, config.mirror.group_base(&config.base_dn)) {
            return Ok(None);
        }
        let attributes = group::attributes(&config.mirror.attribute_group_id);
        let filter = &config.mirror.group_filter;
        let found = self
            .entries(dn.as_str(), Scope::Base, filter, &attributes)
            .await?;
        let Some(mut entry) = found.into_iter().next() else {
            return Ok(None);
        };
        pages::complete(&mut self.connection, &mut entry).await?;
        Ok(group::read(&entry, &config.mirror.attribute_group_id))
    }

    /// An entry that is neither a person nor a group concerns nobody, unless others stand below it.
    async fn look_for_folder(&mut self, dn: &Dn) -> Result<(), Unclear> {
        let found = self
            .entries(dn.as_str(), Scope::Base, "(objectClass=*)", &["objectClass"])
            .await?;
        let is_folder = |class: &String| FOLDERS.contains(&class.to_ascii_lowercase().as_str());
        let mut classes = found.iter().flat_map(|entry| entry.attrs.values().flatten());
        if classes.any(is_folder) {
            return Err(Unclear::Whole("a folder of entries was changed"));
        }
        Ok(())
    }

    /// What is found there; nothing if there is no such entry.
    async fn entries(
        &mut self,
        base: &str,
        scope: Scope,
        filter: &str,
        attributes: &[&str],
    ) -> Result<Vec<SearchEntry>, Unclear> {
        self.reads += 1;
        if self.reads > READS_MAX {
            return Err(Unclear::Whole("many entries were changed"));
        }
        let query = Query {
            base,
            scope,
            filter,
            attributes,
            entries_max: 2,
        };
        match self.connection.search_page(query, ENTRIES_MAX, Vec::new()).await {
            Ok(page) if page.entries.is_empty() && !page.references.is_empty() => {
                match self.directory.inner.referrals.policy {
                    Referrals::Ignore => Ok(page.entries),
                    Referrals::Refuse | Referrals::Follow => {
                        Err(Unclear::Whole("another server may have an entry"))
                    }
                }
            }
            Ok(page) => Ok(page.entries),
            Err(fault) if fault.referral().is_some() => Err(Unclear::Whole("another server has an entry")),
            Err(fault) if fault.is_missing_entry() && scope == Scope::Base => Ok(Vec::new()),
            Err(fault) => Err(fault.into()),
        }
    }
}

fn is_within(dn: &Dn, base: &str) -> bool {
    Dn::parse(base).is_none_or(|base| dn.is_within(&base))
}
