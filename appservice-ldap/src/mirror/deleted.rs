//! Whom Active Directory has deleted: what is left of an entry moves below `CN=Deleted Objects` (MS-ADTS § 3.1.1.1.5),
//! where searches look only with a control, and the service account only with a right that it does not have by itself.
//!
//! Without that right nothing is lost: the next reading of all entries finds who is missing.

use std::collections::BTreeSet;

use ldap3::Scope;

use super::snapshot::ImmutableId;
use super::told::Told;
use crate::check::CheckFinding;
use crate::connection::{Connection, Fault, Query};
use crate::directory::{Directory, Inner};
use crate::entry::Entry;
use crate::groups::RootDse;
use crate::identity;

/// Of more at once, all is read.
const PAGE_ENTRIES: i32 = 500;

/// Where what was deleted is looked for.
#[derive(Debug)]
pub(super) struct Deleted {
    /// `None` where there is no such place, or the service account may not see it.
    container: Option<String>,
}

impl Deleted {
    pub(super) async fn find(directory: &Directory, connection: &mut Connection) -> Result<Self, Fault> {
        Ok(Self {
            container: container(&directory.inner, connection).await?,
        })
    }

    /// Tells of who was deleted after this change, by the ids that people and groups had.
    pub(super) async fn tell_since(
        &mut self,
        directory: &Directory,
        connection: &mut Connection,
        last: i64,
        told: &Told,
    ) -> Result<(), Fault> {
        let Some(container) = &self.container else {
            return Ok(());
        };
        let config = &directory.inner.config;
        let filter = format!("(&(isDeleted=TRUE)(uSNChanged>={}))", last.saturating_add(1));
        let attributes = ids(&directory.inner);
        let page = match connection
            .search_deleted(below(container, &filter, &attributes), PAGE_ENTRIES)
            .await
        {
            Ok(page) => page,
            Err(Fault::Refused { result, .. }) => {
                tracing::info!(
                    %result,
                    domain = config.domain,
                    "the service account may not see what was deleted: the next sync of everything finds it"
                );
                self.container = None;
                return Ok(());
            }
            Err(fault) => return Err(fault),
        };
        if page.next.is_some() {
            told.whole();
        }
        let mut gone = BTreeSet::new();
        for entry in page.entries.into_iter().map(Entry::from) {
            for attribute in &attributes {
                let id = entry.bytes(attribute).filter(|id| !id.is_empty());
                gone.extend(id.map(|id| ImmutableId::new(identity::id_text(attribute, id))));
            }
        }
        if !gone.is_empty() {
            told.deleted(connection.url(), gone);
        }
        Ok(())
    }
}

impl Inner {
    /// Whether the service account sees what was deleted; `None` where that is nothing to see.
    pub(crate) async fn check_deleted(
        &self,
        connection: &mut Connection,
    ) -> Result<Option<CheckFinding>, Fault> {
        let Some(container) = container(self, connection)
            .await?
            .filter(|_| self.config.mirror.is_enabled)
        else {
            return Ok(None);
        };
        let url = connection.url().to_owned();
        let attributes = ids(self);
        let query = below(&container, "(&(isDeleted=TRUE)(lastKnownParent=*))", &attributes);
        let found = match connection.search_deleted(query, 1).await {
            Ok(page) => !page.entries.is_empty(),
            Err(Fault::Refused { .. }) => false,
            Err(fault) => return Err(fault),
        };
        Ok(Some(match found {
            true => CheckFinding::good(format!(
                "{url} shows what was deleted, which is worked in within seconds"
            )),
            false => CheckFinding::warning(
                format!(
                    "{url} shows nothing that was deleted: who is deleted is found by the next sync of everything"
                ),
                "let the service account list and read CN=Deleted Objects (docs/directory.md § Active Directory)",
            ),
        }))
    }
}

/// Of the domain in which people are. Errors: the server does not answer.
async fn container(inner: &Inner, connection: &mut Connection) -> Result<Option<String>, Fault> {
    let root = RootDse::read(connection).await?;
    let context = root.context_of(&inner.config.base_dn);
    let context = context.filter(|_| root.is_active_directory);
    Ok(context.map(|context| format!("CN=Deleted Objects,{context}")))
}

/// What people and groups are known by.
fn ids(inner: &Inner) -> Vec<&str> {
    let (people, groups) = (
        &inner.config.attribute_id,
        &inner.config.mirror.attribute_group_id,
    );
    let ids = BTreeSet::from([people.as_str(), groups.as_str()]);
    ids.into_iter()
        .filter(|attribute| !attribute.is_empty())
        .collect()
}

fn below<'a>(container: &'a str, filter: &'a str, attributes: &'a [&'a str]) -> Query<'a> {
    Query {
        base: container,
        scope: Scope::OneLevel,
        filter,
        attributes,
        entries_max: usize::try_from(PAGE_ENTRIES).unwrap_or_default(),
    }
}
