//! Asking Active Directory for changes: it does not tell of them (RFC 4533), but counts them (MS-ADTS § 3.1.1.1.9).
//!
//! Each server numbers the changes that it sees, its own and those of others, and says of each entry in which it was last
//! changed (`uSNChanged`). The numbers are the server's alone, so that all is asked of one; after any break, all is read.

use std::time::Duration;

use ldap3::{Scope, SearchEntry};

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
    let mut last = count(connection).await?;
    is_told(true);
    // What changed between the last reading and now was asked by nobody.
    told.whole();
    told.settle();
    loop {
        tokio::time::sleep(PAUSE).await;
        let now = count(connection).await?;
        if now.service != last.service || now.highest < last.highest {
            // Another server, or one that was restored from a copy: its numbers mean nothing here.
            told.whole();
        } else if now.highest > last.highest {
            changed_since(directory, connection, last.highest, told).await?;
        }
        last = now;
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
