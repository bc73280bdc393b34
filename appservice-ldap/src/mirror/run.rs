//! One run: of everything, or of what was told.

use std::collections::BTreeSet;
use std::sync::Arc;

use echorift_accounts::Locking;

use super::apply::apply;
use super::concern::{Stand, concerned, looked_at};
use super::job::{Mirror, MirrorError};
use super::pace::Runs as _;
use super::plan::{About, Change, Plan, Policy, plan};
use super::read::{Reading, Unclear};
use super::records::{Changes, Records};
use super::snapshot::{Dn, ImmutableId, Snapshot};
use super::status::{Outcome, RunCounts};
use super::told::Changed;

/// Lines about single people in the log of one run; the administration API shows all of them.
const TROUBLES_LOGGED_MAX: usize = 20;

/// What the accounts were last brought into step with. There is none after a run that did not come to its end.
#[derive(Debug)]
pub(super) struct Base {
    records: Records,
    snapshot: Arc<Snapshot>,
    /// `None` where everybody may.
    may_log_in: Option<BTreeSet<ImmutableId>>,
    /// What the last whole reading found to be amiss.
    troubles: usize,
}

/// How a run of what was told ended.
pub(super) enum Told {
    /// Nothing of it concerns people or groups.
    Nothing,
    Ran(Outcome, RunCounts),
    /// Only a reading of all entries tells.
    Whole,
}

impl Base {
    /// What it was brought into step with, as if it had been read so.
    pub fn reading(&self) -> Reading {
        Reading {
            snapshot: Snapshot::clone(&self.snapshot),
            records: self.records.clone(),
            unusable: Vec::new(),
        }
    }
}

impl Mirror {
    /// What a run would do now, without doing it.
    pub async fn plan(&self) -> Result<Plan, MirrorError> {
        Ok(self.look().await?.0)
    }

    /// Reads the directory and the accounts, and compares them.
    async fn look(&self) -> Result<(Plan, Reading), MirrorError> {
        let reading = match self.intake() {
            None => self.parts().directory.read().await?,
            Some(intake) => {
                let followed = self.lock_base().await.as_ref().map(Base::reading);
                let told = intake.unfollowed().or(followed);
                told.ok_or(MirrorError::NotFed)?
            }
        };
        Ok((self.compare(&reading).await?, reading))
    }

    async fn compare(&self, reading: &Reading) -> Result<Plan, MirrorError> {
        let parts = self.parts();
        let accounts = parts.accounts.mirrored_people(self.provider()).await?;
        let may_log_in = self.may_log_in(&reading.snapshot);
        let policy = self.policy(may_log_in.as_ref());
        let plan = plan(&reading.snapshot, &accounts, policy, About::Everybody);
        let taken = parts.accounts.taken_names(&plan.new_names()).await?;
        Ok(plan.without_taken(&taken))
    }

    fn policy<'a>(&'a self, may_log_in: Option<&'a BTreeSet<ImmutableId>>) -> Policy<'a> {
        let parts = self.parts();
        Policy {
            config: &parts.directory.inner.config.mirror,
            server_name: parts.accounts.server_name(),
            may_log_in,
        }
    }

    fn may_log_in(&self, snapshot: &Snapshot) -> Option<BTreeSet<ImmutableId>> {
        let config = &self.parts().directory.inner.config;
        let groups = config.login_groups();
        let people = groups.iter().filter_map(|group| {
            let group = Dn::parse(group)?;
            Some(match config.nested_groups {
                true => snapshot.people_of(&group),
                false => snapshot.direct_people_of(&group),
            })
        });
        (!groups.is_empty()).then(|| people.flatten().collect())
    }

    /// Reads everything, and brings the accounts into step with it. The base is the one to go on from.
    pub(super) async fn run_whole(
        &self,
        base: &mut Option<Base>,
    ) -> Result<(Outcome, RunCounts), MirrorError> {
        *base = None;
        self.told().clear();
        let reading = self.parts().directory.read().await?;
        self.follow(reading, base).await
    }

    /// Brings the accounts into step with what was read.
    pub(super) async fn follow(
        &self,
        reading: Reading,
        base: &mut Option<Base>,
    ) -> Result<(Outcome, RunCounts), MirrorError> {
        *base = None;
        let plan = self.compare(&reading).await?;
        for dn in reading.unusable.iter().take(TROUBLES_LOGGED_MAX) {
            tracing::warn!(dn, "an entry of the directory has no usable id or name");
        }
        let troubles = plan.troubles.len() + reading.unusable.len();
        let may_log_in = self.may_log_in(&reading.snapshot);
        let now = Base {
            snapshot: Arc::new(reading.snapshot),
            records: reading.records,
            may_log_in,
            troubles,
        };
        self.carry_out(plan, now, base).await
    }

    /// Reads what was told, and brings the accounts of all whom that concerns into step with it.
    pub(super) async fn run_told(
        &self,
        changed: &Changed,
        base: &mut Option<Base>,
    ) -> Result<Told, MirrorError> {
        let Some(before) = base.take() else {
            return Ok(Told::Whole);
        };
        let read = match changed.reads_nothing() {
            true => Ok(Changes::default()),
            false => {
                let (records, snapshot) = (&before.records, &before.snapshot);
                let directory = &self.parts().directory;
                directory.read_changed(changed, records, snapshot).await
            }
        };
        let changes = match read {
            Ok(changes) => changes,
            Err(Unclear::Whole(reason)) => {
                tracing::debug!(reason, "what the directory tells takes a reading of all of it");
                // What comes next can still be worked in, until that reading.
                *base = Some(before);
                return Ok(Told::Whole);
            }
            Err(Unclear::Read(error)) => return Err(error.into()),
        };
        self.work_in(changes, &changed.people, before, base).await
    }

    /// Works entries that changed into what was read before, and brings the accounts of all whom that concerns into step
    /// with it; of these people, too.
    pub(super) async fn work_in(
        &self,
        changes: Changes,
        people: &BTreeSet<ImmutableId>,
        before: Base,
        base: &mut Option<Base>,
    ) -> Result<Told, MirrorError> {
        let merged = before.records.merge(&before.snapshot, changes);
        if !merged.has_changed && people.is_empty() {
            *base = Some(before);
            return Ok(Told::Nothing);
        }
        let may_log_in = self.may_log_in(&merged.snapshot);
        self.parts().directory.check_reading(&merged.snapshot)?;
        let stand = |snapshot, may_log_in| Stand { snapshot, may_log_in };
        let concerned = concerned(
            stand(&before.snapshot, before.may_log_in.as_ref()),
            stand(&merged.snapshot, may_log_in.as_ref()),
            &merged.people.union(people).cloned().collect(),
        );
        let plan = self
            .plan_about(&merged.snapshot, may_log_in.as_ref(), &concerned)
            .await?;
        let now = Base {
            records: merged.records,
            snapshot: Arc::new(merged.snapshot),
            may_log_in,
            troubles: before.troubles,
        };
        let (outcome, counts) = self.carry_out(plan, now, base).await?;
        Ok(Told::Ran(outcome, counts))
    }

    async fn plan_about(
        &self,
        snapshot: &Snapshot,
        may_log_in: Option<&BTreeSet<ImmutableId>>,
        people: &BTreeSet<ImmutableId>,
    ) -> Result<Plan, MirrorError> {
        let accounts = &self.parts().accounts;
        let ids = looked_at(snapshot, people);
        let ids: Vec<&str> = ids.into_iter().map(ImmutableId::as_str).collect();
        let names = people.iter().filter_map(|id| snapshot.people.get(id));
        let names: Vec<&str> = names.map(|person| person.localpart.as_str()).collect();
        let theirs = accounts.mirrored_among(self.provider(), &ids, &names).await?;
        let active = accounts.count_mirrored(self.provider()).await?;
        let plan = plan(snapshot, &theirs, self.policy(may_log_in), About::People(people));
        let taken = accounts.taken_names(&plan.new_names()).await?;
        Ok(Plan {
            active,
            ..plan.without_taken(&taken)
        })
    }

    /// Carries a plan out, unless it would lock more people than is plausible, and gives the base to go on from.
    async fn carry_out(
        &self,
        plan: Plan,
        now: Base,
        base: &mut Option<Base>,
    ) -> Result<(Outcome, RunCounts), MirrorError> {
        let parts = self.parts();
        let found = RunCounts {
            people: now.snapshot.people.len(),
            groups: now.snapshot.groups.len(),
            troubles: now.troubles,
            ..RunCounts::default()
        };
        for trouble in plan.troubles.iter().take(TROUBLES_LOGGED_MAX) {
            tracing::warn!(who = trouble.who, "no account is made: {}", trouble.what);
        }
        let (locks, locks_max) = (plan.locks(), self.locks_max(&plan).await?);
        let is_approved = self.take_approval();
        if locks > locks_max && !is_approved {
            tracing::error!(
                locks,
                locks_max,
                active = plan.active,
                "the directory has lost so many people that nothing is changed before an administrator approves"
            );
            return Ok((Outcome::Stopped { locks, locks_max }, found));
        }
        let locking = match is_approved {
            true => Locking::Uncounted,
            false => Locking::Counted,
        };
        if is_approved {
            // An administrator has looked.
            parts.accounts.forget_locks_by(self.provider()).await?;
        }
        let changes = plan.changes.len();
        let new_with_photo: Vec<ImmutableId> = new_with_photo(&plan, &now.snapshot).collect();
        let done = apply(plan, parts, self.intake(), locking).await?;
        if changes > 0 {
            let RunCounts {
                created,
                updated,
                locked,
                unlocked,
                ..
            } = done;
            tracing::info!(
                created,
                updated,
                locked,
                unlocked,
                "the accounts are as the directory says"
            );
        }
        // Photos are taken over where there is an account.
        self.told().people(new_with_photo);
        self.publish(&now.snapshot);
        *base = Some(now);
        Ok((
            Outcome::Done,
            RunCounts {
                people: found.people,
                groups: found.groups,
                troubles: found.troubles,
                ..done
            },
        ))
    }
}

/// Whose accounts are made, of those with a photo.
fn new_with_photo<'a>(plan: &'a Plan, snapshot: &'a Snapshot) -> impl Iterator<Item = ImmutableId> + 'a {
    let people = plan.changes.iter().filter_map(|change| match change {
        Change::Create { external_id, .. } => snapshot.people.get(&ImmutableId::new(external_id.as_str())),
        _ => None,
    });
    people
        .filter(|person| person.photo_digest.is_some())
        .map(|person| person.id.clone())
}
