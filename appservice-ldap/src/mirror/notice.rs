//! Being told of changes: a search that never ends (RFC 4533, `refreshAndPersist`), where the directory offers it.
//!
//! What it tells is not worked into a snapshot: it says that something is different, and the next run finds out what.
//! So a message that is lost or not understood costs time, and nothing else.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use ldap3::controls::{MakeCritical, RefreshMode, SyncInfo, SyncRequest, parse_syncinfo};
use ldap3::{LdapError, Scope};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::connection::{Fault, Query};
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

/// Wakes whenever the directory tells of a change. Returns if it never does so by itself.
pub(super) async fn follow(directory: &Directory, told: &(impl Fn(bool) + Sync), wake: &Notify) {
    let mut was_told = false;
    loop {
        let end = listen(directory, told, wake, &mut was_told).await;
        told(false);
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

async fn listen(
    directory: &Directory,
    told: &(impl Fn(bool) + Sync),
    wake: &Notify,
    was_told: &mut bool,
) -> Result<End, Fault> {
    let inner = &directory.inner;
    let account = inner
        .service_account()
        .map_err(|refusal| Fault::NoServer(refusal.to_string()))?;
    let (mut connection, bound) = inner.endpoints.connect(&account).await?;
    if bound.rc != 0 {
        return Err(Fault::NoServer(bound.to_string()));
    }
    let root = Query {
        base: "",
        scope: Scope::Base,
        filter: "(objectClass=*)",
        attributes: &["supportedControl"],
        entries_max: 1,
    };
    let root = connection.search(root).await?;
    let offers = |oid: &str| {
        root.iter()
            .any(|root| root.texts("supportedControl").any(|found| found == oid))
    };
    if !offers(SYNC_REQUEST_OID) {
        return Ok(End::NotOffered);
    }
    let base = inner.config.mirror.watched_base(&inner.config.base_dn).to_owned();
    let url = connection.url().to_owned();
    let search = persist(connection.ldap(), &base, told, wake, was_told);
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
    ldap: &mut ldap3::Ldap,
    base: &str,
    told: &(impl Fn(bool) + Sync),
    wake: &Notify,
    was_told: &mut bool,
) -> Result<(), LdapError> {
    let request = SyncRequest {
        mode: RefreshMode::RefreshAndPersist,
        cookie: None,
        reload_hint: false,
    };
    // Attributes are asked for by nobody, but a change of one must be seen: servers tell of the entry in any case.
    let mut stream = ldap
        .with_controls(vec![request.critical().into()])
        .streaming_search(base, Scope::Subtree, "(objectClass=*)", vec!["1.1"])
        .await?;
    let mut is_refreshed = false;
    while let Ok(next) = timeout(SILENCE_MAX, stream.next()).await {
        let Some(entry) = next? else {
            break;
        };
        if is_refreshed {
            let is_cookie =
                entry.is_intermediate() && matches!(parse_syncinfo(entry), SyncInfo::NewCookie(_));
            if !is_cookie {
                wake.notify_one();
            }
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
                told(true);
                // What changed between the last run and now was told to nobody.
                if std::mem::replace(was_told, true) {
                    wake.notify_one();
                }
            }
        }
    }
    Ok(())
}
