//! When groups are carried over to rooms: after each change of the directory, and from time to time in any case.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use echorift_storage::Timestamp;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use super::mapper::{Approval, Changed, Mapper, MappingError, Outcome, Plan};
use crate::mirror::{Dn, ImmutableId, Snapshot};

/// How soon what failed is tried again; each time after twice as long, up to the interval.
const RETRY_FIRST: Duration = Duration::from_secs(5);

/// What groups are carried over from, and how often everything is looked at although the directory did not change: then
/// what failed is tried again, and what people changed is found.
pub struct GroupSyncParts {
    pub mapper: Mapper,
    pub snapshots: watch::Receiver<Option<Arc<Snapshot>>>,
    pub interval: Duration,
}

/// The runs of a [`Mapper`]. Cheap to clone.
#[derive(Clone)]
pub struct GroupSync(Arc<Inner>);

struct Inner {
    mapper: Mapper,
    snapshots: watch::Receiver<Option<Arc<Snapshot>>>,
    interval: Duration,
    /// Somebody with a group's membership has an account now, or somebody asks.
    wake: Notify,
    /// Taken for moments only.
    status: Mutex<GroupSyncStatus>,
}

/// What the last run came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupSyncStatus {
    /// `None` before the first run ended.
    pub ended: Option<Timestamp>,
    pub outcome: Outcome,
    /// Why the last run did nothing at all.
    pub failure: Option<String>,
}

impl GroupSync {
    pub fn new(parts: GroupSyncParts) -> Self {
        let GroupSyncParts {
            mapper,
            snapshots,
            interval,
        } = parts;
        Self(Arc::new(Inner {
            mapper,
            snapshots,
            interval,
            wake: Notify::new(),
            status: Mutex::default(),
        }))
    }

    /// Runs until `stopping` turns true.
    pub fn run(&self, mut stopping: watch::Receiver<bool>) {
        let sync = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                _ = stopping.wait_for(|stops| *stops) => {}
                () = sync.follow() => {}
            }
        });
    }

    async fn follow(&self) {
        let mut snapshots = self.0.snapshots.clone();
        let mut before: Option<Arc<Snapshot>> = None;
        let mut retry = RETRY_FIRST;
        snapshots.mark_changed();
        loop {
            let pause = match self.has_failed() {
                true => retry.min(self.0.interval),
                false => self.0.interval,
            };
            let changed = tokio::select! {
                changed = snapshots.changed() => match changed {
                    Ok(()) => None,
                    // Nobody reads the directory any more.
                    Err(_) => return,
                },
                () = self.0.wake.notified() => Some(Changed::Everything),
                () = tokio::time::sleep(pause) => Some(Changed::Everything),
            };
            let now = snapshots.borrow_and_update().clone();
            let Some(now) = now else { continue };
            let changed = changed.unwrap_or_else(|| difference(before.as_deref(), &now));
            before = Some(Arc::clone(&now));
            self.carry_over(&now, &changed, Approval::Missing).await;
            retry = match self.has_failed() {
                true => retry.saturating_mul(2).min(self.0.interval),
                false => RETRY_FIRST,
            };
        }
    }

    fn has_failed(&self) -> bool {
        let status = self.0.status.lock();
        status.failure.is_some() || !status.outcome.failures.is_empty()
    }

    /// Looks at everything once more, soon.
    pub fn sync_soon(&self) {
        self.0.wake.notify_one();
    }

    /// A run that may remove as many people as it wants; nothing happens before the directory was read.
    pub async fn sync_approved(&self) {
        let latest = self.0.snapshots.borrow().clone();
        if let Some(latest) = latest {
            self.carry_over(&latest, &Changed::Everything, Approval::Given)
                .await;
        }
    }

    /// What a run would do now, without doing it; `None` before the directory was read.
    pub async fn plan(&self) -> Result<Option<Plan>, MappingError> {
        let latest = self.0.snapshots.borrow().clone();
        match latest {
            Some(latest) => self.0.mapper.plan(&latest).await.map(Some),
            None => Ok(None),
        }
    }

    /// How the directory spells the name of a group; `None` if it was not read yet, or the group is gone.
    pub(super) fn group_name(&self, group: &Dn) -> Option<String> {
        let latest = self.0.snapshots.borrow();
        let group = latest.as_ref()?.groups.get(group)?;
        Some(group.name.clone())
    }

    pub fn status(&self) -> GroupSyncStatus {
        self.0.status.lock().clone()
    }

    async fn carry_over(&self, snapshot: &Snapshot, changed: &Changed, approval: Approval) {
        let outcome = self.0.mapper.on_snapshot(snapshot, changed, approval).await;
        let ended = Some(self.0.mapper.now());
        let status = match outcome {
            Ok(outcome) => {
                let (done, not_possible) = (outcome.done, outcome.not_possible);
                if done > 0 {
                    tracing::info!(done, not_possible, "the rooms are as the directory's groups say");
                }
                measure(&outcome, self.0.mapper.label());
                GroupSyncStatus {
                    ended,
                    outcome,
                    failure: None,
                }
            }
            Err(error) => {
                tracing::error!(%error, "the directory's groups could not be carried over; the next run tries again");
                GroupSyncStatus {
                    ended,
                    outcome: Outcome::default(),
                    failure: Some(error.to_string()),
                }
            }
        };
        *self.0.status.lock() = status;
    }
}

fn measure(outcome: &Outcome, domain: &str) {
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    metrics::counter!("echorift_directory_group_changes_total").increment(count(outcome.done));
    metrics::counter!("echorift_directory_group_failures_total").increment(count(outcome.failures.len()));
    let stops = u32::try_from(outcome.stops.len()).unwrap_or(u32::MAX);
    metrics::gauge!("echorift_directory_group_stops", "domain" => domain.to_owned()).set(f64::from(stops));
}

/// Whose entries differ.
fn difference(before: Option<&Snapshot>, now: &Snapshot) -> Changed {
    let Some(before) = before else {
        return Changed::Everything;
    };
    let come_or_changed = now
        .people
        .iter()
        .filter(|(id, person)| before.people.get(*id) != Some(*person));
    let gone = before.people.keys().filter(|id| !now.people.contains_key(*id));
    let people: BTreeSet<ImmutableId> = come_or_changed.map(|(id, _)| id).chain(gone).cloned().collect();
    Changed::People(people)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::testing::{group, person};

    #[test]
    fn whoever_came_went_or_changed_is_looked_at() {
        let before = Snapshot::new([person("anna"), person("ben"), person("cleo")], []);
        let mut ben = person("ben");
        ben.title = Some("Captain".to_owned());
        let now = Snapshot::new([person("anna"), ben, person("dora")], [group("staff", [])]);
        let names = ["ben", "cleo", "dora"].map(ImmutableId::new);
        assert_eq!(difference(Some(&before), &now), Changed::People(names.into()));
        assert_eq!(difference(None, &now), Changed::Everything);
    }
}
