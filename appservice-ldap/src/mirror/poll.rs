//! Asking Active Directory for changes: it does not tell of them (RFC 4533), but counts them (MS-ADTS § 3.1.1.1.9).
//!
//! Each server numbers the changes that it sees, its own and those of others, and says of each entry in which it was last
//! changed (`uSNChanged`). The numbers are the server's alone, so that all is asked of one; after any break, all is read.

use std::time::Duration;

use ldap3::{Scope, SearchEntry};

use super::deleted::Deleted;
use super::told::Told;
use crate::connection::{Connection, Fault, Query};
use crate::directory::Directory;

/// The number of the last change, among what a server says of itself.
pub(super) const HIGHEST_CHANGE: &str = "highestCommittedUSN";
/// The server's place in the tree, which says whether it is still the same one behind a name that several share.
const SERVICE: &str = "dsServiceName";
/// An ordinary run of changes; of more, all is read.
const PAGE_ENTRIES: i32 = 500;
const PAUSE: Duration = Duration::from_secs(5);
/// What holds other entries: if one is renamed, they all are, and are not counted as changed.
const FOLDERS: &str = "(|(objectClass=organizationalUnit)(objectClass=container))";

/// Where a server's counting stands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Count {
    service: String,
    highest: i64,
}

/// Asks every few seconds, on this connection, until it ends.
pub(super) async fn ask(
    directory: &Directory,
    connection: &mut Connection,
    told: &Told,
    is_told: &(impl Fn(bool) + Sync),
) -> Result<(), Fault> {
    let mut poll = Poll::begin(directory, connection).await?;
    is_told(true);
    // What changed between the last reading and now was asked by nobody.
    told.whole();
    told.settle();
    loop {
        tokio::time::sleep(PAUSE).await;
        poll.look(directory, connection, told).await?;
    }
}

/// How far the server has been asked.
#[derive(Debug)]
struct Poll {
    last: Count,
    deleted: Deleted,
}

impl Poll {
    async fn begin(directory: &Directory, connection: &mut Connection) -> Result<Self, Fault> {
        Ok(Self {
            last: count(connection).await?,
            deleted: Deleted::find(directory, connection).await?,
        })
    }

    /// Tells of what has changed since this was called last.
    async fn look(
        &mut self,
        directory: &Directory,
        connection: &mut Connection,
        told: &Told,
    ) -> Result<(), Fault> {
        let (now, last) = (count(connection).await?, &self.last);
        if now.service != last.service || now.highest < last.highest {
            // Another server, or one that was restored from a copy: its numbers mean nothing here.
            told.whole();
        } else if now.highest > last.highest {
            changed_since(directory, connection, last.highest, told).await?;
            let deleted = &mut self.deleted;
            deleted
                .tell_since(directory, connection, last.highest, told)
                .await?;
        }
        self.last = now;
        Ok(())
    }
}

async fn count(connection: &mut Connection) -> Result<Count, Fault> {
    let root = Query {
        base: "",
        scope: Scope::Base,
        filter: "(objectClass=*)",
        attributes: &[HIGHEST_CHANGE, SERVICE],
        entries_max: 1,
    };
    let root = connection.search(root).await?.pop().unwrap_or_default();
    let highest = root.number(HIGHEST_CHANGE);
    Ok(Count {
        service: root.text(SERVICE).unwrap_or_default().to_owned(),
        highest: highest.ok_or_else(|| Fault::NoServer(format!("{HIGHEST_CHANGE} is missing")))?,
    })
}

/// Tells of the people, groups and folders that were changed after this number.
async fn changed_since(
    directory: &Directory,
    connection: &mut Connection,
    last: i64,
    told: &Told,
) -> Result<(), Fault> {
    let config = &directory.inner.config;
    let groups = config.mirror.group_base(&config.base_dn);
    let is_changed = format!("(uSNChanged>={})", last.saturating_add(1));
    for (base, filter) in [
        (config.base_dn.as_str(), directory.people_filter()),
        (groups, config.mirror.group_filter.as_str()),
        (config.mirror.watched_base(&config.base_dn), FOLDERS),
    ] {
        let filter = format!("(&{is_changed}{filter})");
        let query = Query {
            base,
            scope: Scope::Subtree,
            filter: &filter,
            attributes: &["1.1"],
            entries_max: usize::try_from(PAGE_ENTRIES).unwrap_or_default(),
        };
        let page = connection.search_page(query, PAGE_ENTRIES, Vec::new()).await?;
        if page.next.is_some() {
            told.whole();
        }
        if !page.entries.is_empty() {
            let names = page.entries.iter().map(|entry: &SearchEntry| entry.dn.as_str());
            told.entries(connection.url(), names);
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "../../tests/openldap/scripted.rs"]
#[expect(dead_code, reason = "other tests need more of it")]
mod scripted;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::collections::BTreeSet;
    use std::sync::{Arc, Mutex};

    use echorift_storage::Clock;

    use super::scripted::{Answer, Search, serve};
    use super::*;
    use crate::DirectoryConfig;
    use crate::mirror::snapshot::{Dn, ImmutableId};

    /// What the server answers.
    #[derive(Debug, Clone, Default)]
    struct Server {
        service: &'static str,
        highest: i64,
        changed: &'static str,
        deleted: &'static str,
    }

    fn entry(dn: &str, attributes: &[(&str, &str)]) -> Answer {
        let attributes = attributes
            .iter()
            .map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()]));
        Answer::Entry(dn.to_owned(), attributes.collect())
    }

    fn answer(server: &Server, search: &Search) -> Vec<Answer> {
        let highest = server.highest.to_string();
        match search.base.as_str() {
            "" => vec![entry(
                "",
                &[
                    (SERVICE, server.service),
                    (HIGHEST_CHANGE, &highest),
                    ("supportedCapabilities", "1.2.840.113556.1.4.800"),
                    ("namingContexts", "DC=x"),
                ],
            )],
            "CN=Deleted Objects,dc=x" if !server.deleted.is_empty() => {
                let name = format!("CN=Anna\\0ADEL:7,{}", search.base);
                vec![entry(&name, &[("entryUUID", server.deleted)])]
            }
            "OU=People,DC=x" if !server.changed.is_empty() => vec![entry(server.changed, &[])],
            _ => Vec::new(),
        }
    }

    #[tokio::test]
    async fn changes_are_told_of_by_name_or_id_and_a_change_of_the_server_has_all_read() {
        let server = Arc::new(Mutex::new(Server {
            service: "CN=DC1",
            highest: 100,
            ..Server::default()
        }));
        let said = Arc::clone(&server);
        let url = serve(move |search| answer(&said.lock().unwrap(), &search)).await;
        let config = DirectoryConfig {
            urls: vec![url],
            base_dn: "OU=People,DC=x".to_owned(),
            ..DirectoryConfig::default()
        };
        let directory = Directory::new(config, Clock::system()).unwrap();
        let account = directory.inner.account().unwrap();
        let mut connection = directory
            .inner
            .endpoints
            .connect_as_service(&account)
            .await
            .unwrap();
        let mut poll = Poll::begin(&directory, &mut connection).await.unwrap();
        let mut told_after = async |change: fn(&mut Server)| {
            change(&mut server.lock().unwrap());
            let told = Told::default();
            poll.look(&directory, &mut connection, &told).await.unwrap();
            told.take_entries()
        };
        let none = told_after(|_| {}).await;
        assert!(none.reads_nothing() && !none.is_whole);

        let changed = told_after(|server| {
            server.highest += 1;
            server.changed = "CN=Ben,OU=People,DC=x";
            server.deleted = "7";
        })
        .await;
        let ben = Dn::parse("CN=Ben,OU=People,DC=x").unwrap();
        assert_eq!(changed.names, BTreeSet::from([ben]));
        assert_eq!(changed.gone, BTreeSet::from([ImmutableId::new("7")]));
        assert!(!changed.is_whole);

        // Another server behind the same name, though its number is higher.
        let other = told_after(|server| {
            server.service = "CN=DC2";
            server.highest = 5_000;
        })
        .await;
        assert!(other.is_whole && other.reads_nothing());
        // The same one, restored from a copy.
        let restored = told_after(|server| server.highest = 200).await;
        assert!(restored.is_whole && restored.reads_nothing());
        // From there on, changes are counted again.
        let changed = told_after(|server| server.highest += 1).await;
        assert!(!changed.is_whole && !changed.reads_nothing());
    }
}
