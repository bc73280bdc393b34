//! The other servers of one search, asked as the service account.

use std::collections::HashSet;

use ldap3::SearchEntry;

use super::trail::{Errand, Stop, Trail};
use crate::connection::{Connection, Fault, Query};
use crate::directory::Inner;
use crate::endpoints::{accepted, attempt};
use crate::entry::Entry;
use crate::url::DirectoryUrl;

/// Connections to servers that others referred to: one to each, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Away<'a> {
    inner: &'a Inner,
    connections: Vec<(DirectoryUrl, Connection)>,
}

/// An entry of another server.
#[derive(Debug)]
pub(crate) struct Found {
    pub entry: SearchEntry,
    pub held_by: DirectoryUrl,
}

impl From<Found> for Entry {
    fn from(found: Found) -> Self {
        let mut entry = Self::from(found.entry);
        entry.held_by = Some(found.held_by);
        entry
    }
}

impl<'a> Away<'a> {
    pub(crate) fn new(inner: &'a Inner) -> Self {
        Self {
            inner,
            connections: Vec::new(),
        }
    }

    /// Connects to one of the servers that an errand leads to: which of the connections it is, and what is asked there.
    pub(crate) async fn reach(&mut self, errand: Errand) -> Result<(usize, Stop), Fault> {
        let mut problems = Vec::new();
        for stop in errand.stops {
            match self.connect(&stop.server).await {
                Ok(number) => return Ok((number, stop)),
                Err(fault) => problems.push(fault.to_string()),
            }
        }
        Err(Fault::NoServer(problems.join("; ")))
    }

    /// The number of the connection to this server, which the settings allow.
    pub(crate) async fn connect(&mut self, server: &DirectoryUrl) -> Result<usize, Fault> {
        let known = |(url, _): &(DirectoryUrl, Connection)| url.endpoint() == server.endpoint();
        if let Some(number) = self.connections.iter().position(known) {
            return Ok(number);
        }
        let account = self.inner.account()?;
        let dialling = self.inner.referrals.dialling(server);
        let connection = accepted(attempt(server, &dialling, &account).await?)?;
        self.connections.push((server.clone(), connection));
        Ok(self.connections.len() - 1)
    }

    /// A connection by its number.
    pub(crate) fn at(&mut self, number: usize) -> Result<&mut Connection, Fault> {
        let found = self.connections.get_mut(number);
        found
            .map(|(_, connection)| connection)
            .ok_or_else(|| Fault::NoServer("a connection that was never made".to_owned()))
    }

    /// All connections.
    pub(crate) fn all(&mut self) -> impl Iterator<Item = &mut Connection> {
        self.connections.iter_mut().map(|(_, connection)| connection)
    }

    /// What the servers of a trail answer, up to a number of entries in all. An entry that two of them have counts once.
    pub(crate) async fn search(
        &mut self,
        mut trail: Trail<'_>,
        attributes: &[&str],
        entries_max: usize,
    ) -> Result<Vec<Found>, Fault> {
        let mut found: Vec<Found> = Vec::new();
        let mut names = HashSet::new();
        while let Some(errand) = trail.next() {
            let hops = errand.hops;
            let (number, Stop { server, place }) = self.reach(errand).await?;
            let query = Query {
                base: &place.base,
                scope: place.scope,
                filter: &place.filter,
                attributes,
                entries_max,
            };
            let page = i32::try_from(entries_max).unwrap_or(i32::MAX);
            let references = match self.at(number)?.search_page(query, page, Vec::new()).await {
                Ok(page) => {
                    for entry in page.entries {
                        if names.insert(entry.dn.to_lowercase()) {
                            let held_by = server.clone();
                            found.push(Found { entry, held_by });
                        }
                    }
                    page.references
                }
                Err(fault) => match fault.referral() {
                    Some(reference) => vec![reference],
                    // What the reference leads to is not there, or not to be seen.
                    None if fault.is_missing_entry() => Vec::new(),
                    None => return Err(fault),
                },
            };
            if found.len() >= entries_max {
                return Ok(found);
            }
            trail.add(references, &place, hops)?;
        }
        Ok(found)
    }
}
