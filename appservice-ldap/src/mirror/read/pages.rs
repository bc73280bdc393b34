//! A search that is read to its end, in pages (RFC 2696), and lists that come in ranges (MS-ADTS § 3.1.1.3.1.3.3).

use ldap3::SearchEntry;

use super::ReadError;
use crate::connection::{Connection, Fault, Page, Query, REFERENCES_MAX};
use crate::referral::{Reference, Referrals};

/// Active Directory gives 1,000 entries a page at most; fewer keep what is in memory small where entries have photos.
const PAGE_ENTRIES: i32 = 250;
/// Pages without an entry, one after the other: a server that goes on so never ends.
const EMPTY_PAGES_MAX: usize = 100;
/// Values of one list that comes in ranges.
const RANGED_VALUES_MAX: usize = 1_000_000;

/// Hands over each entry that one server has of a search, and counts them. Gives the references that are to be followed.
/// Errors: the search was refused, cut short, or does not end.
pub(super) async fn visit(
    connection: &mut Connection,
    query: Query<'_>,
    policy: Referrals,
    seen: &mut usize,
    mut entry: impl FnMut(SearchEntry),
) -> Result<Vec<Reference>, ReadError> {
    let (mut cookie, mut empty) = (Vec::new(), 0_usize);
    let mut is_first = true;
    let mut elsewhere = Vec::new();
    loop {
        let page = match connection.search_page(query, PAGE_ENTRIES, cookie).await {
            // Instead of an answer, not after a part of one.
            Err(fault) if policy == Referrals::Follow && is_first => match fault.referral() {
                Some(reference) => return Ok(vec![reference]),
                None => return Err(fault.into()),
            },
            page => page?,
        };
        is_first = false;
        let Page {
            entries,
            references,
            next,
        } = page;
        match (policy, references.first()) {
            (Referrals::Refuse, Some(to)) => {
                let (url, to) = (connection.url().to_owned(), to.text().to_owned());
                return Err(Fault::Referred { url, to }.into());
            }
            (Referrals::Refuse | Referrals::Ignore, _) => {}
            (Referrals::Follow, _) => elsewhere.extend(references),
        }
        *seen = seen.saturating_add(entries.len());
        empty = if entries.is_empty() { empty + 1 } else { 0 };
        if *seen > query.entries_max {
            return Err(ReadError::TooMany(query.entries_max));
        }
        if elsewhere.len() > REFERENCES_MAX {
            return Err(ReadError::Fault(format!(
                "the directory refers to more than {REFERENCES_MAX} other parts"
            )));
        }
        entries.into_iter().for_each(&mut entry);
        match next {
            None => return Ok(elsewhere),
            Some(_) if empty > EMPTY_PAGES_MAX => {
                return Err(ReadError::Fault(
                    "the directory sends pages without end".to_owned(),
                ));
            }
            Some(next) => cookie = next,
        }
    }
}

/// Whether the server gave only the first values of some list.
pub(super) fn is_cut(entry: &SearchEntry) -> bool {
    entry.attrs.keys().any(|name| Range::parse(name).is_some())
}

/// Fetches what is left of lists that the server gave the first values of: members of a group, groups of a person.
pub(super) async fn complete(connection: &mut Connection, entry: &mut SearchEntry) -> Result<(), ReadError> {
    while let Some(range) = entry.attrs.keys().find_map(|name| Range::parse(name)) {
        let mut values = entry.attrs.remove(&range.name).unwrap_or_default();
        let mut next = range.last.map(|last| last.saturating_add(1));
        while let Some(from) = next {
            let wanted = format!("{};range={from}-*", range.attribute);
            let query = Query {
                base: &entry.dn,
                scope: ldap3::Scope::Base,
                filter: "(objectClass=*)",
                attributes: &[wanted.as_str()],
                entries_max: 1,
            };
            let page = connection.search_page(query, PAGE_ENTRIES, Vec::new()).await?;
            let cut = || ReadError::Fault(format!("a list of {:?} was cut short", entry.dn));
            let part = page.entries.into_iter().next().ok_or_else(cut)?;
            let more = part
                .attrs
                .into_iter()
                .find_map(|(name, values)| Some((Range::parse(&name)?, values)));
            let (more, part) = more
                .filter(|(more, values)| more.first == from && !values.is_empty())
                .ok_or_else(cut)?;
            values.extend(part);
            if values.len() > RANGED_VALUES_MAX {
                return Err(ReadError::TooMany(RANGED_VALUES_MAX));
            }
            next = more.last.map(|last| last.saturating_add(1));
        }
        entry.attrs.entry(range.attribute).or_default().extend(values);
    }
    Ok(())
}

/// The name of a list's part: `member;range=0-1499`, or `member;range=1500-*` for the last one.
#[derive(Debug, PartialEq, Eq)]
struct Range {
    name: String,
    attribute: String,
    first: usize,
    last: Option<usize>,
}

impl Range {
    fn parse(name: &str) -> Option<Self> {
        let (attribute, option) = name.split_once(';')?;
        let bounds = option.to_ascii_lowercase();
        let (first, last) = bounds.strip_prefix("range=")?.split_once('-')?;
        Some(Self {
            name: name.to_owned(),
            attribute: attribute.to_owned(),
            first: first.parse().ok()?,
            last: match last {
                "*" => None,
                last => Some(last.parse().ok()?),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(name: &str) -> Option<(usize, Option<usize>)> {
        Range::parse(name).map(|range| (range.first, range.last))
    }

    #[test]
    fn ranges_say_whether_there_is_more() {
        assert_eq!(range("member;range=0-1499"), Some((0, Some(1499))));
        assert_eq!(range("member;Range=1500-*"), Some((1500, None)));
        for other in ["member", "member;binary", "member;range=", "member;range=a-b"] {
            assert_eq!(range(other), None, "{other}");
        }
    }
}
