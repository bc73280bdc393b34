//! A search that is read to its end, in pages (RFC 2696), and lists that come in ranges (MS-ADTS § 3.1.1.3.1.3.3).

use ldap3::SearchEntry;

use super::{ReadError, Wanted};
use crate::connection::{Connection, Page, Query};

/// Active Directory gives 1,000 entries a page at most; fewer keep what is in memory small where entries have photos.
const PAGE_ENTRIES: i32 = 250;
/// Pages without an entry, one after the other: a server that goes on so never ends.
const EMPTY_PAGES_MAX: usize = 100;
/// Values of one list that comes in ranges.
const RANGED_VALUES_MAX: usize = 1_000_000;

/// Hands over each entry of a search. Errors: the search was refused, cut short, or does not end.
pub(super) async fn visit(
    connection: &mut Connection,
    wanted: &Wanted<'_>,
    mut entry: impl FnMut(SearchEntry),
) -> Result<(), ReadError> {
    let query = Query {
        base: wanted.base,
        scope: ldap3::Scope::Subtree,
        filter: wanted.filter,
        attributes: wanted.attributes,
        entries_max: wanted.entries_max,
    };
    let (mut cookie, mut seen, mut empty) = (Vec::new(), 0_usize, 0_usize);
    loop {
        let Page { entries, next } = connection.search_page(query, PAGE_ENTRIES, cookie).await?;
        seen = seen.saturating_add(entries.len());
        empty = if entries.is_empty() { empty + 1 } else { 0 };
        if seen > wanted.entries_max {
            return Err(ReadError::TooMany(wanted.entries_max));
        }
        entries.into_iter().for_each(&mut entry);
        match next {
            None => return Ok(()),
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
