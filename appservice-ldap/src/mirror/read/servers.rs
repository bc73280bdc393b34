//! The servers that one reading asks: the first, and those that it refers to.

use ldap3::SearchEntry;

use super::{ReadError, pages};
use crate::connection::{Connection, Fault, Query};
use crate::directory::Inner;
use crate::referral::{Away, Place, Trail};

/// Connections to all servers that were asked so far.
pub(super) struct Servers<'a> {
    inner: &'a Inner,
    home: Connection,
    away: Away<'a>,
}

/// The server that has an entry.
#[derive(Debug, Clone, Copy)]
pub(super) enum Holder {
    Home,
    Away(usize),
}

impl<'a> Servers<'a> {
    /// Connects to the first.
    pub(super) async fn connect(inner: &'a Inner) -> Result<Self, Fault> {
        let home = inner.endpoints.connect_as_service(&inner.account()?).await?;
        Ok(Self {
            inner,
            home,
            away: Away::new(inner),
        })
    }

    /// Hands over each entry of a search, of all servers that hold a part of it. Errors: any of them has not answered in
    /// full, or may not be asked.
    pub(super) async fn visit(
        &mut self,
        query: Query<'_>,
        mut entry: impl FnMut(SearchEntry, Holder),
    ) -> Result<(), ReadError> {
        let rules = &self.inner.referrals;
        let mut seen = 0;
        let at_home = |found| entry(found, Holder::Home);
        let references = pages::visit(&mut self.home, query, rules.policy, &mut seen, at_home).await?;
        let place = Place::from(query);
        let mut trail = Trail::begin(rules, self.home.url(), &place);
        trail.add(references, &place, 0)?;
        while let Some(errand) = trail.next() {
            let hops = errand.hops;
            let (number, stop) = self.away.reach(errand).await?;
            let query = Query {
                base: &stop.place.base,
                scope: stop.place.scope,
                filter: &stop.place.filter,
                ..query
            };
            let connection = self.away.at(number)?;
            let away = |found| entry(found, Holder::Away(number));
            let references = pages::visit(connection, query, rules.policy, &mut seen, away).await?;
            trail.add(references, &stop.place, hops)?;
        }
        Ok(())
    }

    /// See [`pages::complete`].
    pub(super) async fn complete(
        &mut self,
        holder: Holder,
        entry: &mut SearchEntry,
    ) -> Result<(), ReadError> {
        let connection = match holder {
            Holder::Home => &mut self.home,
            Holder::Away(number) => self.away.at(number)?,
        };
        pages::complete(connection, entry).await
    }
}
