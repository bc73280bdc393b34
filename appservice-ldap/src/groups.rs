//! Membership in a group, also through groups in groups.
//!
//! Active Directory follows the chain itself. Elsewhere the walk goes upward, from the person to the groups
//! that name them, to the groups that name those: so its cost follows the person's groups and not the size of
//! the wanted one.

use std::collections::{BTreeSet, HashSet};

use ldap3::{Scope, ldap_escape};

use crate::connection::{Connection, Fault, Query};
use crate::directory::Inner;
use crate::dn;
use crate::entry::Entry;
use crate::referral::{Away, Place, Trail};

/// Deeper nesting is taken for a mistake.
const DEPTH_MAX: usize = 10;
/// Groups visited for one login. A person in more does not reach a group that stands behind them.
const GROUPS_MAX: usize = 1_000;
/// Names in one filter: some servers refuse filters of more than a few hundred terms.
const NAMES_PER_FILTER: usize = 25;

/// `LDAP_MATCHING_RULE_IN_CHAIN` (MS-ADTS § 3.1.1.3.4.4.3).
const IN_CHAIN: &str = "1.2.840.113556.1.4.1941";
/// `LDAP_CAP_ACTIVE_DIRECTORY_OID` in the root's `supportedCapabilities` (MS-ADTS § 3.1.1.3.4.3.1).
const ACTIVE_DIRECTORY: &str = "1.2.840.113556.1.4.800";

/// Who is looked for in groups.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Person<'a> {
    pub entry: &'a Entry,
    /// How `memberUid` (RFC 2307) names them.
    pub uid: &'a str,
}

/// Where groups are looked for: at the server that is asked first, at the one that holds the person if another one referred
/// to it, and at those that hold the groups of the settings. So who is on the first server needs no other one.
pub(crate) struct Servers<'a> {
    home: &'a mut Connection,
    inner: &'a Inner,
    away: Away<'a>,
}

impl<'a> Servers<'a> {
    pub(crate) fn new(home: &'a mut Connection, inner: &'a Inner) -> Self {
        Self {
            home,
            inner,
            away: Away::new(inner),
        }
    }

    /// Searches in one entry, whichever server holds it.
    async fn search_entry(&mut self, query: Query<'_>) -> Result<Vec<Entry>, Fault> {
        let fault = match self.home.search(query).await {
            Err(fault) => fault,
            answer => return answer,
        };
        let reference = fault.referral().filter(|_| self.inner.referrals.follows());
        let Some(reference) = reference else {
            return Err(fault);
        };
        let place = Place::from(query);
        let mut trail = Trail::begin(&self.inner.referrals, self.home.url(), &place);
        trail.add(vec![reference], &place, 0)?;
        let found = self
            .away
            .search(trail, query.attributes, query.entries_max)
            .await?;
        Ok(found.into_iter().map(Entry::from).collect())
    }

    fn all(&mut self) -> impl Iterator<Item = &mut Connection> {
        std::iter::once(&mut *self.home).chain(self.away.all())
    }
}

/// For each wanted group, whether the person is a member. A group that does not exist has no members, which is
/// logged; an empty name is no group. Errors: the directory failed to answer; that never reads "not a member".
pub(crate) async fn memberships(
    servers: &mut Servers<'_>,
    person: Person<'_>,
    wanted: &[&str],
    is_nested: bool,
) -> Result<Vec<bool>, Fault> {
    if let Some(server) = &person.entry.held_by {
        servers.away.connect(server).await?;
    }
    let mut is_member = vec![false; wanted.len()];
    let mut farther = Vec::new();
    for (group, is_member) in wanted
        .iter()
        .zip(&mut is_member)
        .filter(|(group, _)| !group.is_empty())
    {
        match is_direct_member(servers, person, group).await? {
            Some(true) => *is_member = true,
            Some(false) => farther.push(*group),
            None => tracing::warn!(
                group,
                "a group of the settings does not exist, or may not be read"
            ),
        }
    }
    if is_nested && !farther.is_empty() {
        let reached = nested_memberships(servers, person, &farther).await?;
        for (group, is_member) in wanted.iter().zip(&mut is_member) {
            *is_member |= reached.contains(group);
        }
    }
    Ok(is_member)
}

/// Those of the groups that the person belongs to through others.
async fn nested_memberships<'a>(
    servers: &mut Servers<'_>,
    person: Person<'_>,
    groups: &[&'a str],
) -> Result<HashSet<&'a str>, Fault> {
    let root = RootDse::read(servers.home).await?;
    let mut reached = HashSet::new();
    // A server follows chains in its own part of the tree.
    if !root.is_active_directory || servers.away.all().next().is_some() {
        let ancestors = climb(servers, person, groups).await?;
        reached.extend(
            groups
                .iter()
                .filter(|group| dn::normalise(group).is_some_and(|g| ancestors.contains(&g))),
        );
        return Ok(reached);
    }
    for group in groups {
        if is_member_in_chain(servers.home, person.entry, group).await? {
            reached.insert(*group);
        }
    }
    Ok(reached)
}

/// Whether the group itself names the person; `None` if there is no such group.
async fn is_direct_member(
    servers: &mut Servers<'_>,
    person: Person<'_>,
    group: &str,
) -> Result<Option<bool>, Fault> {
    let wanted = dn::normalise(group);
    if person
        .entry
        .texts("memberOf")
        .any(|of| dn::normalise(of) == wanted)
    {
        return Ok(Some(true));
    }
    let filter = format!(
        "(|{}{})",
        names_filter([person.entry.dn.as_str()]),
        uid_filter(person.uid)
    );
    let query = Query {
        base: group,
        scope: Scope::Base,
        filter: &filter,
        attributes: &["1.1"],
        entries_max: 1,
    };
    match servers.search_entry(query).await {
        Ok(entries) => Ok(Some(!entries.is_empty())),
        Err(fault) if fault.is_missing_entry() => Ok(None),
        Err(fault) => Err(fault),
    }
}

async fn is_member_in_chain(connection: &mut Connection, entry: &Entry, group: &str) -> Result<bool, Fault> {
    let filter = chain_filter(group);
    let query = Query {
        base: &entry.dn,
        scope: Scope::Base,
        filter: &filter,
        attributes: &["1.1"],
        entries_max: 1,
    };
    Ok(!connection.search(query).await?.is_empty())
}

fn chain_filter(group: &str) -> String {
    format!("(memberOf:{IN_CHAIN}:={})", ldap_escape(group))
}

/// Walks from the person upward until every target is reached or nothing is left, and gives the names of all
/// groups on the way in normal form. Each group is visited once, so that groups that contain each other end the
/// walk like any others.
async fn climb(
    servers: &mut Servers<'_>,
    person: Person<'_>,
    targets: &[&str],
) -> Result<HashSet<String>, Fault> {
    let mut places = Vec::new();
    for connection in servers.all() {
        let root = RootDse::read(connection).await?;
        let mut bases = BTreeSet::new();
        for group in targets {
            bases.extend(readable_base(connection, &root, group).await?);
        }
        places.push(bases);
    }
    let targets: Vec<String> = targets.iter().filter_map(|group| dn::normalise(group)).collect();
    let mut visited: HashSet<String> = HashSet::new();
    let mut names = vec![person.entry.dn.clone()];
    let mut extra_filter = uid_filter(person.uid);
    // Servers that keep `memberOf` tell of groups that the service account may not search.
    let mut told: Vec<String> = person.entry.texts("memberOf").map(str::to_owned).collect();
    for _ in 0..DEPTH_MAX {
        let mut above = std::mem::take(&mut told);
        for (connection, bases) in servers.all().zip(&places) {
            for base in bases {
                for parent in groups_naming(connection, base, &names, &extra_filter).await? {
                    told.extend(parent.texts("memberOf").map(str::to_owned));
                    above.push(parent.dn);
                }
            }
        }
        extra_filter.clear();
        names = above
            .into_iter()
            .filter(|name| dn::normalise(name).is_some_and(|normal| visited.insert(normal)))
            .collect();
        let is_done = names.is_empty() && told.is_empty();
        if is_done || targets.iter().all(|target| visited.contains(target)) {
            return Ok(visited);
        }
        if visited.len() >= GROUPS_MAX {
            tracing::warn!(
                ?targets,
                "a person is in {GROUPS_MAX} groups or more: the rest was not looked at"
            );
            return Ok(visited);
        }
    }
    tracing::warn!(
        ?targets,
        "groups are nested more than {DEPTH_MAX} deep: the rest was not looked at"
    );
    Ok(visited)
}

/// The groups below `base` that name one of these members, or match the extra filter.
async fn groups_naming(
    connection: &mut Connection,
    base: &str,
    members: &[String],
    extra_filter: &str,
) -> Result<Vec<Entry>, Fault> {
    let mut groups = Vec::new();
    for members in members.chunks(NAMES_PER_FILTER) {
        let filter = format!(
            "(|{}{extra_filter})",
            names_filter(members.iter().map(String::as_str))
        );
        let query = Query {
            base,
            scope: Scope::Subtree,
            filter: &filter,
            attributes: &["memberOf"],
            entries_max: GROUPS_MAX,
        };
        groups.extend(connection.search(query).await?);
    }
    Ok(groups)
}

/// Where to look for the groups between a person and this one: its part of the tree, or where that may not be
/// read, the folder that it stands in. `None` if neither may be.
async fn readable_base(
    connection: &mut Connection,
    root: &RootDse,
    group: &str,
) -> Result<Option<String>, Fault> {
    let context = root.context_of(group);
    for base in context.into_iter().chain(dn::parent(group).map(str::to_owned)) {
        let filter = "(objectClass=*)";
        let query = Query {
            base: &base,
            scope: Scope::Base,
            filter,
            attributes: &["1.1"],
            entries_max: 1,
        };
        match connection.search(query).await {
            Ok(found) if !found.is_empty() => return Ok(Some(base)),
            Err(fault) if fault.is_of_connection() => return Err(fault),
            Ok(_) | Err(_) => {}
        }
    }
    Ok(None)
}

/// Matches the groups that name one of these: `groupOfNames` and `groupOfUniqueNames`.
fn names_filter<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names
        .into_iter()
        .map(|name| {
            let name = ldap_escape(name);
            format!("(member={name})(uniqueMember={name})")
        })
        .collect()
}

/// Matches the `posixGroup`s that name this login.
fn uid_filter(uid: &str) -> String {
    format!("(memberUid={})", ldap_escape(uid))
}

/// What a server says about itself.
#[derive(Debug, Default)]
pub(crate) struct RootDse {
    pub is_active_directory: bool,
    /// In normal form.
    naming_contexts: Vec<String>,
}

impl RootDse {
    /// A server that says nothing gives an empty answer.
    pub(crate) async fn read(connection: &mut Connection) -> Result<Self, Fault> {
        let query = Query {
            base: "",
            scope: Scope::Base,
            filter: "(objectClass=*)",
            attributes: &["supportedCapabilities", "namingContexts"],
            entries_max: 1,
        };
        let entries = match connection.search(query).await {
            Err(fault) if fault.is_of_connection() => return Err(fault),
            answer => answer.unwrap_or_default(),
        };
        Ok(entries.first().map_or_else(Self::default, |entry| Self {
            is_active_directory: entry
                .texts("supportedCapabilities")
                .any(|oid| oid == ACTIVE_DIRECTORY),
            naming_contexts: entry.texts("namingContexts").filter_map(dn::normalise).collect(),
        }))
    }

    /// The part of the tree that holds this group.
    pub(crate) fn context_of(&self, group: &str) -> Option<String> {
        let group = dn::normalise(group)?;
        let above = self
            .naming_contexts
            .iter()
            .filter(|context| dn::is_within(&group, context));
        above.max_by_key(|context| context.len()).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_in_filters() {
        assert_eq!(
            chain_filter("cn=a*,dc=x"),
            format!("(memberOf:{IN_CHAIN}:=cn=a\\2a,dc=x)")
        );
        assert_eq!(
            names_filter(["cn=(a),dc=x"]),
            "(member=cn=\\28a\\29,dc=x)(uniqueMember=cn=\\28a\\29,dc=x)"
        );
        assert!(ldap3::parse_filter(chain_filter("cn=a*,dc=x")).is_ok());
    }

    #[test]
    fn the_nearest_naming_context_is_searched() {
        let root = RootDse {
            is_active_directory: false,
            naming_contexts: vec!["dc=x".to_owned(), "dc=eu,dc=x".to_owned()],
        };
        assert_eq!(root.context_of("cn=a,dc=eu,dc=x").as_deref(), Some("dc=eu,dc=x"));
        assert_eq!(root.context_of("cn=a,dc=us,dc=x").as_deref(), Some("dc=x"));
        assert_eq!(root.context_of("cn=a,dc=y"), None);
    }
}
