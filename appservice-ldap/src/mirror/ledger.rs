//! Whom the directory has locked lately: many small runs together may lock no more people than one large one.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use echorift_storage::{Timestamp, UserNumber};

use super::plan::{Change, Plan};

/// Holds no more people than the safety stop lets through within an interval: who was locked by an administrator's word is
/// not in it.
#[derive(Debug, Default)]
pub(super) struct Ledger(Mutex<BTreeMap<UserNumber, Timestamp>>);

impl Ledger {
    /// How many were locked within this time, and are still.
    pub fn count(&self, now: Timestamp, within: Duration) -> usize {
        let mut locked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let within = i64::try_from(within.as_millis()).unwrap_or(i64::MAX);
        locked.retain(|_, at| now.0.saturating_sub(at.0) < within);
        locked.len()
    }

    /// Notes what a plan that was carried out did.
    pub fn note(&self, plan: &Plan, now: Timestamp) {
        let mut locked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for change in &plan.changes {
            match change {
                Change::Lock { user, .. } => drop(locked.insert(*user, now)),
                Change::Unlock { user, .. } => drop(locked.remove(user)),
                Change::Create { .. } | Change::Update { .. } | Change::Photo { .. } => {}
            }
        }
    }

    /// Begins anew: an administrator has looked.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mirror::plan::Leaving;

    const MINUTE: i64 = 60_000;

    fn locks(users: impl IntoIterator<Item = i64>) -> Plan {
        let changes = users.into_iter().map(|number| Change::Lock {
            user: UserNumber(number),
            localpart: number.to_string(),
            why: Leaving::Missing,
        });
        Plan {
            changes: changes.collect(),
            ..Plan::default()
        }
    }

    #[test]
    fn a_drip_is_counted_for_an_interval_and_who_returns_is_not() {
        let (ledger, interval) = (Ledger::default(), Duration::from_secs(300));
        ledger.note(&locks([1, 2]), Timestamp(0));
        ledger.note(&locks([3]), Timestamp(4 * MINUTE));
        assert_eq!(ledger.count(Timestamp(4 * MINUTE), interval), 3);
        let back = Plan {
            changes: vec![Change::Unlock {
                user: UserNumber(3),
                localpart: "3".to_owned(),
            }],
            ..Plan::default()
        };
        ledger.note(&back, Timestamp(4 * MINUTE));
        assert_eq!(ledger.count(Timestamp(4 * MINUTE), interval), 2);
        assert_eq!(ledger.count(Timestamp(5 * MINUTE), interval), 0);
        ledger.note(&locks([4]), Timestamp(5 * MINUTE));
        ledger.clear();
        assert_eq!(ledger.count(Timestamp(5 * MINUTE), interval), 0);
    }
}
