//! What the directory told of and nobody has read yet.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use tokio::sync::{Notify, watch};

use super::snapshot::{Dn, ImmutableId};

/// Entries that are remembered one by one; of more than these, all are read.
const NAMES_MAX: usize = 200;

/// What has changed since the last run began.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Changed {
    /// The server that told: another one may not know yet.
    pub url: String,
    /// The entries, by the names that they have now, or had before they were removed.
    pub names: BTreeSet<Dn>,
    /// People to be looked at once more, though nothing is told of them.
    pub people: BTreeSet<ImmutableId>,
    /// People and groups that were deleted, and are told of by their ids.
    pub gone: BTreeSet<ImmutableId>,
    /// Something else has changed as well, which only a reading of all entries shows.
    pub is_whole: bool,
}

impl Changed {
    /// Whether no entry is to be read.
    pub fn reads_nothing(&self) -> bool {
        self.names.is_empty() && self.gone.is_empty()
    }

    fn told_by(&mut self, url: &str) {
        if self.url != url {
            // What another server told of, this one may not know yet.
            self.is_whole |= !self.url.is_empty();
            url.clone_into(&mut self.url);
        }
    }
}

/// Between who listens and who reads.
#[derive(Debug)]
pub(super) struct Told {
    /// Nothing is awaited while it is held.
    changed: Mutex<Changed>,
    wake: Notify,
    /// Whether it was found out if the directory tells of changes.
    is_settled: watch::Sender<bool>,
}

impl Default for Told {
    fn default() -> Self {
        Self {
            changed: Mutex::default(),
            wake: Notify::new(),
            is_settled: watch::Sender::new(false),
        }
    }
}

impl Told {
    /// The server at `url` told of these entries. A name that is none is a reason to read all.
    pub fn entries<'a>(&self, url: &str, names: impl IntoIterator<Item = &'a str>) {
        let mut changed = self.lock();
        for name in names {
            match Dn::parse(name) {
                Some(dn) if changed.names.len() < NAMES_MAX => drop(changed.names.insert(dn)),
                _ => changed.is_whole = true,
            }
        }
        changed.told_by(url);
        drop(changed);
        self.wake.notify_one();
    }

    /// The server at `url` has deleted these.
    pub fn deleted(&self, url: &str, ids: impl IntoIterator<Item = ImmutableId>) {
        let mut changed = self.lock();
        changed.gone.extend(ids);
        if changed.gone.len() > NAMES_MAX {
            changed.gone.clear();
            changed.is_whole = true;
        }
        changed.told_by(url);
        drop(changed);
        self.wake.notify_one();
    }

    /// These people are to be looked at once more.
    pub fn people(&self, people: impl IntoIterator<Item = ImmutableId>) {
        let mut changed = self.lock();
        changed.people.extend(people);
        if !changed.people.is_empty() {
            drop(changed);
            self.wake.notify_one();
        }
    }

    /// All is to be read.
    pub fn whole(&self) {
        self.lock().is_whole = true;
        self.wake.notify_one();
    }

    /// From now on changes are told, or it is known that they are not.
    pub fn settle(&self) {
        self.is_settled.send_replace(true);
    }

    /// Waits until [`Told::settle`] was called once.
    pub async fn settled(&self) {
        let mut is_settled = self.is_settled.subscribe();
        // The sender lives as long as this does.
        let _ = is_settled.wait_for(|is_settled| *is_settled).await;
    }

    /// Waits until something was told since this returned last.
    pub async fn changed(&self) {
        self.wake.notified().await;
    }

    /// Whether only a reading of all entries helps.
    pub fn is_whole(&self) -> bool {
        self.lock().is_whole
    }

    /// Entries and people, leaving the word that all is to be read.
    pub fn take_entries(&self) -> Changed {
        let mut changed = self.lock();
        Changed {
            url: std::mem::take(&mut changed.url),
            names: std::mem::take(&mut changed.names),
            people: std::mem::take(&mut changed.people),
            gone: std::mem::take(&mut changed.gone),
            is_whole: changed.is_whole,
        }
    }

    /// Forgets all: what was told so far is about to be read.
    pub fn clear(&self) {
        *self.lock() = Changed::default();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Changed> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_one_server_are_gathered_and_anything_else_means_all() {
        let told = Told::default();
        told.entries("ldap://one", ["uid=a,dc=x", "UID=A, dc=x"]);
        assert!(!told.is_whole());
        assert_eq!(told.take_entries().names.len(), 1);
        told.entries("ldap://one", ["nonsense"]);
        assert!(told.is_whole());
        told.clear();
        told.entries("ldap://one", ["uid=a,dc=x"]);
        told.entries("ldap://two", ["uid=b,dc=x"]);
        assert!(told.is_whole());
        told.clear();
        let names: Vec<String> = (0..=NAMES_MAX).map(|n| format!("uid={n},dc=x")).collect();
        told.entries("ldap://one", names.iter().map(String::as_str));
        assert!(told.is_whole() && told.take_entries().names.len() == NAMES_MAX);
    }
}
