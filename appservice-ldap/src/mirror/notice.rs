//! Being told of changes: a search that never ends (RFC 4533, `refreshAndPersist`), where the directory offers it.
//!
//! What it tells is which entries changed, and not more: the next run reads them as they are then. So the order of messages
//! does not matter, and neither does their number; whatever is not understood has everything read. Active Directory does not
//! tell, and is asked instead ([`super::poll`]).

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use ldap3::controls::{MakeCritical, RefreshMode, SyncInfo, SyncRequest, parse_syncinfo};
use ldap3::{LdapError, ResultEntry, Scope, SearchEntry};
use tokio::time::timeout;

use super::poll;
use super::told::Told;
use crate::connection::{Connection, Fault, Query};
use crate::directory::Directory;

/// The control of RFC 4533.
const SYNC_REQUEST_OID: &str = "1.3.6.1.4.1.4203.1.9.1.1";
/// A connection on which nothing came for so long may be dead without our knowing: it is made anew.
const SILENCE_MAX: Duration = Duration::from_secs(600);
/// How long after a failure the directory is tried again: less than anybody's interval.
const RETRY: Duration = Duration::from_secs(5);

/// How one connection ended.
enum End {
    /// The directory does not tell of changes.
    NotOffered,
    Over,
}

/// Tells of every change that the directory tells of. Returns if it never does.
pub(super) async fn follow(directory: &Directory, told: &Told, is_told: &(impl Fn(bool) + Sync)) {
    loop {
        let end = listen(directory, told, is_told).await;
        is_told(false);
        told.settle();
        match end {
            Ok(End::NotOffered) => {
                tracing::info!("the directory does not tell of changes by itself: it is read at intervals");
                return;
            }
            Ok(End::Over) => {}
            Err(error) => tracing::debug!(%error, "the directory stopped telling of changes"),
        }
        tokio::time::sleep(RETRY).await;
    }
}

async fn listen(directory: &Directory, told: &Told, is_told: &(impl Fn(bool) + Sync)) -> Result<End, Fault> {
    let inner = &directory.inner;
    let account = inner
        .service_account()
        .map_err(|refusal| Fault::NoServer(refusal.to_string()))?;
    let mut connection = inner.endpoints.connect_as_service(&account).await?;
    let root = Query {
        base: "",
        scope: Scope::Base,
        filter: "(objectClass=*)",
        attributes: &["supportedControl", poll::HIGHEST_CHANGE],
        entries_max: 1,
    };
    let root = connection.search(root).await?;
    let offers = |oid: &str| {
        root.iter()
            .any(|root| root.texts("supportedControl").any(|found| found == oid))
    };
    if !offers(SYNC_REQUEST_OID) {
        let counts = root
            .iter()
            .any(|root| root.number(poll::HIGHEST_CHANGE).is_some());
        if counts {
            poll::ask(directory, &mut connection, told, is_told).await?;
        }
        return Ok(if counts { End::Over } else { End::NotOffered });
    }
    let base = inner.config.mirror.watched_base(&inner.config.base_dn).to_owned();
    let url = connection.url().to_owned();
    let search = persist(&mut connection, &base, told, is_told);
    match AssertUnwindSafe(search).catch_unwind().await {
        Ok(Ok(())) => Ok(End::Over),
        Ok(Err(error)) => Err(broken(url, error.to_string())),
        // The LDAP library panics on some malformed answers.
        Err(_) => Err(broken(url, "a malformed answer".to_owned())),
    }
}

fn broken(url: String, cause: String) -> Fault {
    Fault::Broken {
        url,
        step: "telling of changes",
        cause,
    }
}

/// Reads what is there, of which only that it ended matters, and then what changes.
async fn persist(
    connection: &mut Connection,
    base: &str,
    told: &Told,
    is_told: &(impl Fn(bool) + Sync),
) -> Result<(), LdapError> {
    let url = connection.url().to_owned();
    let request = SyncRequest {
        mode: RefreshMode::RefreshAndPersist,
        cookie: None,
        reload_hint: false,
    };
    // Attributes are asked for by nobody, but a change of one must be seen: servers tell of the entry in any case.
    let mut stream = connection
        .ldap()
        .with_controls(vec![request.critical().into()])
        .streaming_search(base, Scope::Subtree, "(objectClass=*)", vec!["1.1"])
        .await?;
    let mut is_refreshed = false;
    while let Ok(next) = timeout(SILENCE_MAX, stream.next()).await {
        let Some(entry) = next? else {
            break;
        };
        if is_refreshed {
            take(entry, &url, told);
            continue;
        }
        if entry.is_intermediate() {
            is_refreshed = matches!(
                parse_syncinfo(entry),
                SyncInfo::RefreshDelete {
                    refresh_done: true,
                    ..
                } | SyncInfo::RefreshPresent {
                    refresh_done: true,
                    ..
                }
            );
            if is_refreshed {
                is_told(true);
                // What changed between the last reading and now was told to nobody.
                told.whole();
                told.settle();
            }
        }
    }
    Ok(())
}

/// A message after the first state: an entry that was added, changed or removed, or a mark to go on from, which is of no
/// use here.
fn take(message: ResultEntry, url: &str, told: &Told) {
    if message.is_intermediate() {
        if !matches!(parse_syncinfo(message), SyncInfo::NewCookie(_)) {
            told.whole();
        }
    } else if message.is_ref() {
        told.whole();
    } else {
        told.entries(url, [SearchEntry::construct(message).dn.as_str()]);
    }
}
