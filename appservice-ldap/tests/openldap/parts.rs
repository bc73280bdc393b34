//! Answers in parts: Active Directory gives the first 1,500 values of an attribute, and the others when asked.

use std::sync::{Arc, OnceLock};

use echorift_appservice_ldap::mirror::{Dn, Reading};
use echorift_appservice_ldap::{DirectoryConfig, Referrals};

use crate::scripted::{Answer, Search, serve};
use crate::slapd::directory;

const GROUP: &str = "cn=all,ou=groups,dc=x";
/// More than two parts hold.
const MEMBERS: usize = 3_100;
const PART: usize = 1_500;

fn entry<const N: usize>(dn: &str, attributes: [(&str, Vec<String>); N]) -> Answer {
    let attributes = attributes
        .into_iter()
        .map(|(name, values)| (name.to_owned(), values));
    Answer::Entry(dn.to_owned(), attributes.collect())
}

fn one(value: &str) -> Vec<String> {
    vec![value.to_owned()]
}

fn member(number: usize) -> String {
    format!("uid=p{number},ou=people,dc=x")
}

/// The values from here on, as many as one part holds.
fn part(attribute: &str, from: usize, value: impl Fn(usize) -> String) -> (String, Vec<String>) {
    let end = MEMBERS.min(from + PART);
    let last = if end == MEMBERS {
        "*".to_owned()
    } else {
        (end - 1).to_string()
    };
    (
        format!("{attribute};range={from}-{last}"),
        (from..end).map(value).collect(),
    )
}

/// A person in many groups and a group of many people; `later` says what the parts after the first are.
fn company(search: &Search, later: impl Fn(usize) -> Vec<Answer>) -> Vec<Answer> {
    let asked = search.attributes.iter().find_map(|name| {
        let (attribute, range) = name.split_once(";range=")?;
        Some((attribute, range.split_once('-')?.0.parse::<usize>().unwrap()))
    });
    match asked {
        Some(("member", from)) => later(from),
        Some((attribute, from)) => {
            let (name, values) = part(attribute, from, |number| format!("cn=g{number},ou=groups,dc=x"));
            vec![entry(&search.base, [(name.as_str(), values)])]
        }
        None if search.wants("member") => {
            let (name, values) = part("member", 0, member);
            vec![entry(GROUP, [("cn", one("all")), (name.as_str(), values)])]
        }
        None => {
            let (name, values) = part("memberOf", 0, |number| format!("cn=g{number},ou=groups,dc=x"));
            let person = [
                ("uid", one("p7")),
                ("entryUUID", one("7")),
                ("cn", one("Seven")),
                (name.as_str(), values),
            ];
            vec![entry(&member(7), person)]
        }
    }
}

async fn read(script: impl Fn(Search) -> Vec<Answer> + Send + Sync + 'static) -> Result<Reading, String> {
    let config = DirectoryConfig {
        urls: vec![serve(script).await],
        base_dn: "ou=people,dc=x".to_owned(),
        ..DirectoryConfig::default()
    };
    directory(config).read().await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn long_lists_of_members_and_groups_are_read_to_their_end() {
    let whole = |from| {
        let (name, values) = part("member", from, member);
        vec![entry(GROUP, [(name.as_str(), values)])]
    };
    let reading = read(move |search| company(&search, whole)).await.unwrap();
    let groups = &reading.snapshot.groups;
    assert_eq!(groups[&Dn::parse(GROUP).unwrap()].members.len(), MEMBERS);
    // Of each of the groups that the person tells of, it is a member.
    assert_eq!(groups.len(), 1 + MEMBERS);
    let last = Dn::parse(&format!("cn=g{},ou=groups,dc=x", MEMBERS - 1)).unwrap();
    assert_eq!(reading.snapshot.people_of(&last).len(), 1);
}

#[tokio::test]
async fn a_list_that_is_cut_short_is_no_snapshot() {
    type Later = fn(usize) -> Vec<Answer>;
    let cases: [Later; 4] = [
        |_| Vec::new(),
        |_| vec![entry(GROUP, [])],
        |from| {
            vec![entry(
                GROUP,
                [(format!("member;range={from}-*").as_str(), Vec::new())],
            )]
        },
        // The same part over and over.
        |_| {
            let (name, values) = part("member", 0, member);
            vec![entry(GROUP, [(name.as_str(), values)])]
        },
    ];
    for later in cases {
        let refusal = read(move |search| company(&search, later)).await.unwrap_err();
        assert!(refusal.contains("cut short"), "{refusal}");
    }
}

#[tokio::test]
async fn a_part_of_the_tree_that_another_server_holds_is_no_leaver() {
    let refer = |to: &'static str| {
        read(move |search| {
            let mut found = match search.wants("member") {
                true => Vec::new(),
                false => vec![entry(&member(7), [("uid", one("p7")), ("entryUUID", one("7"))])],
            };
            found.push(Answer::Reference(to));
            found
        })
    };
    let refusal = refer("ldap://eu.x/ou=people,dc=eu,dc=x??sub").await.unwrap_err();
    assert!(refusal.contains("refers to \"ldap://eu.x/"), "{refusal}");
    // Every domain of Windows refers to its names of hosts.
    let reading = refer("ldap://DomainDnsZones.x/DC=DomainDnsZones,DC=x")
        .await
        .unwrap();
    assert_eq!(reading.snapshot.people.len(), 1);
}

#[tokio::test]
async fn more_references_than_are_remembered_are_no_snapshot() {
    let read = async |references: usize| {
        let own = Arc::new(OnceLock::<&'static str>::new());
        let to = Arc::clone(&own);
        let url = serve(move |search| {
            let mut found = match search.wants("member") {
                true => return Vec::new(),
                false => vec![entry(&member(7), [("uid", one("p7")), ("entryUUID", one("7"))])],
            };
            // Where it was asked already, so that none of them leads further.
            found.extend((0..references).map(|_| Answer::Reference(to.get().unwrap())));
            found
        })
        .await;
        let address: &'static str = format!("{url}/ou=people,dc=x??sub").leak();
        own.set(address).unwrap();
        let config = DirectoryConfig {
            urls: vec![url],
            base_dn: "ou=people,dc=x".to_owned(),
            referrals: Referrals::Follow,
            referral_hosts: vec!["127.0.0.1".to_owned()],
            ..DirectoryConfig::default()
        };
        directory(config).read().await
    };
    assert_eq!(read(100).await.unwrap().snapshot.people.len(), 1);
    let refusal = read(150).await.unwrap_err().to_string();
    assert!(refusal.contains("100 other parts"), "{refusal}");
}
