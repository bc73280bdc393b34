use dashmap::DashMap;
use echorift_storage::{Database, StorageError};

use crate::store::{self, accounts::Account};

/// What each request must know of an account at once, and what must not wait for a token to expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Mark {
    pub(crate) is_admin: bool,
    pub(crate) is_locked: bool,
    pub(crate) is_suspended: bool,
    pub(crate) is_guest: bool,
}

impl Mark {
    pub(crate) fn from_account(account: &Account) -> Self {
        Self {
            is_admin: account.is_admin,
            is_locked: account.is_locked,
            is_suspended: account.is_suspended,
            is_guest: account.is_guest,
        }
    }
}

/// The accounts with a mark, by user number; few, so all of them are in memory. Guests do not outlive their session
/// by long.
pub(crate) struct Marks(DashMap<i64, Mark>);

impl Marks {
    pub(crate) async fn load(database: &Database) -> Result<Self, StorageError> {
        let marked = store::accounts::marked(database).await?;
        Ok(Self(
            marked
                .iter()
                .map(|account| (account.number.0, Mark::from_account(account)))
                .collect(),
        ))
    }

    pub(crate) fn of(&self, user: i64) -> Mark {
        self.0.get(&user).map(|mark| *mark).unwrap_or_default()
    }

    /// Called after the commit of the change.
    pub(crate) fn set(&self, user: i64, mark: Mark) {
        if mark == Mark::default() {
            self.0.remove(&user);
        } else {
            self.0.insert(user, mark);
        }
    }

    pub(crate) fn change(&self, user: i64, change: impl FnOnce(&mut Mark)) {
        let mut mark = self.of(user);
        change(&mut mark);
        self.set(user, mark);
    }
}
