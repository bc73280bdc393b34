//! The references of one search: which have been followed, and how many more may be.

use std::collections::{HashSet, VecDeque};

use ldap3::Scope;

use super::Reference;
use super::address::{Rules, scope_number};
use crate::connection::{Fault, Query};
use crate::dn;
use crate::url::DirectoryUrl;

/// From the first server to the last.
const HOPS_MAX: usize = 5;
/// In all of one search: a forest with more domains has a global catalog.
const REFERENCES_MAX: usize = 50;

/// What is asked somewhere.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Place {
    pub base: String,
    pub scope: Scope,
    pub filter: String,
}

impl From<Query<'_>> for Place {
    fn from(query: Query<'_>) -> Self {
        Self {
            base: query.base.to_owned(),
            scope: query.scope,
            filter: query.filter.to_owned(),
        }
    }
}

/// One server to go on at, and what to ask there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stop {
    pub server: DirectoryUrl,
    pub place: Place,
}

/// A reference to follow: any of the servers will do.
#[derive(Debug)]
pub(crate) struct Errand {
    pub stops: Vec<Stop>,
    /// How many references led here.
    pub hops: usize,
}

/// Server, base in normal form, scope, filter.
type Seen = (String, String, u8, String);

/// Where one search has been and has still to go.
#[derive(Debug)]
pub(crate) struct Trail<'a> {
    rules: &'a Rules,
    seen: HashSet<Seen>,
    waiting: VecDeque<Errand>,
    followed: usize,
}

impl<'a> Trail<'a> {
    /// `home` is the address of the server that was asked first.
    pub(crate) fn begin(rules: &'a Rules, home: &str, place: &Place) -> Self {
        let home = DirectoryUrl::parse(home, false).map_or_else(|_| home.to_owned(), |url| url.endpoint());
        Self {
            rules,
            seen: HashSet::from([seen(home, place)]),
            waiting: VecDeque::new(),
            followed: 0,
        }
    }

    /// Takes up what an answer to this question refers to, after so many hops. What was asked before is asked no more.
    /// Errors: a reference that cannot be followed, or one too many.
    pub(crate) fn add(&mut self, references: Vec<Reference>, from: &Place, hops: usize) -> Result<(), Fault> {
        for reference in references {
            let refused = |problem: String| Fault::NotFollowed {
                to: reference.text().to_owned(),
                problem,
            };
            let stops = self.rules.stops(&reference, from).map_err(refused)?;
            let places: Vec<Seen> = stops
                .iter()
                .map(|stop| seen(stop.server.endpoint(), &stop.place))
                .collect();
            if places.iter().any(|place| self.seen.contains(place)) {
                continue;
            }
            if hops >= HOPS_MAX {
                return Err(refused(format!("it is {HOPS_MAX} servers away from the first")));
            }
            if self.followed >= REFERENCES_MAX {
                return Err(refused(format!(
                    "the search has met {REFERENCES_MAX} others before"
                )));
            }
            self.followed += 1;
            self.seen.extend(places);
            self.waiting.push_back(Errand {
                stops,
                hops: hops + 1,
            });
        }
        Ok(())
    }

    pub(crate) fn next(&mut self) -> Option<Errand> {
        self.waiting.pop_front()
    }
}

fn seen(server: String, place: &Place) -> Seen {
    let base = dn::normalise(&place.base).unwrap_or_else(|| place.base.to_lowercase());
    (server, base, scope_number(place.scope), place.filter.clone())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::referral::address::tests::{people, rules};

    fn to(addresses: &[&str]) -> Vec<Reference> {
        vec![Reference(
            addresses.iter().map(|text| (*text).to_owned()).collect(),
        )]
    }

    #[test]
    fn nothing_is_asked_twice() {
        let rules = rules("ldap://a", false, &["a", "b", "c"]);
        let mut trail = Trail::begin(&rules, "ldap://A:389", &people());
        trail
            .add(to(&["ldap://a/OU=People,DC=x??sub"]), &people(), 0)
            .unwrap();
        assert!(trail.next().is_none());
        trail
            .add(to(&["ldap://b/dc=y", "ldap://c/dc=y"]), &people(), 0)
            .unwrap();
        let errand = trail.next().unwrap();
        assert_eq!((errand.stops.len(), errand.hops), (2, 1));
        // The second of two servers with the same content, referred to by itself.
        trail.add(to(&["ldap://c:389/dc=y"]), &people(), 1).unwrap();
        assert!(trail.next().is_none());
        trail.add(to(&["ldap://c/dc=z"]), &people(), 1).unwrap();
        assert_eq!(trail.next().unwrap().hops, 2);
    }

    #[test]
    fn servers_that_are_not_listed_are_left_out_or_refused() {
        let rules = rules("ldap://a", false, &["b"]);
        let mut trail = Trail::begin(&rules, "ldap://a", &people());
        trail
            .add(to(&["ldap://evil/dc=y", "ldap://b/dc=y"]), &people(), 0)
            .unwrap();
        assert_eq!(trail.next().unwrap().stops.len(), 1);
        let refusal = trail.add(to(&["ldap://evil/dc=y"]), &people(), 0).unwrap_err();
        assert!(refusal.to_string().contains("referral_hosts"), "{refusal}");
    }

    #[test]
    fn a_trail_has_an_end() {
        let rules = rules("ldap://a", false, &["b"]);
        let mut trail = Trail::begin(&rules, "ldap://a", &people());
        assert!(trail.add(to(&["ldap://b/dc=y"]), &people(), HOPS_MAX).is_err());
        for number in 0..REFERENCES_MAX {
            let address = format!("ldap://b/dc=y{number}");
            trail.add(to(&[&address]), &people(), 0).unwrap();
        }
        assert!(trail.add(to(&["ldap://b/dc=z"]), &people(), 0).is_err());
    }
}
