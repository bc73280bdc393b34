//! The server's side: takes in what is sent, until it is a whole, and has a run follow it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use echorift_accounts::AccountError;
use echorift_storage::Timestamp;
use parking_lot::Mutex;
use ruma::TransactionId;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::wire::{FedChanges, FedEntries, FedRun, FedState, FedTotals};
use crate::mirror::apply::{PhotoChange, put_photo};
use crate::mirror::job::{Mirror, MirrorError};
use crate::mirror::pace::Runs as _;
use crate::mirror::read::{GROUPS_MAX, PEOPLE_MAX, Reading, shortened};
use crate::mirror::records::{Changes, GroupRecord, PersonRecord, Records};
use crate::mirror::run::Told;
use crate::mirror::snapshot::ImmutableId;
use crate::mirror::status::{Heard, Outcome, Reach};

/// How long a question for the state waits at most until somebody wants everything read.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// Who has said nothing for so long is not there.
const SILENCE_MAX: Duration = Duration::from_secs(150);
/// Parts of one reading.
const PARTS_MAX: usize = 10_000;
/// Members, logins and groups told of, in all parts of one reading together.
const VALUES_MAX: usize = 20_000_000;
/// Reasons that the process gives for a failure are cut here.
const REASON_CHARS_MAX: usize = 1_000;
/// Photos that are waited for; others are asked for with the next reading.
const PHOTOS_MAX: usize = 5_000;

/// What the process has said and nobody has worked in yet, and what it is to do next. Nothing is awaited while it is held.
#[derive(Default)]
pub(in crate::mirror) struct Intake {
    state: Mutex<State>,
    /// Whether somebody wants everything read.
    wanted: watch::Sender<bool>,
    /// The number of the last reading that came to its end, with a run or without.
    ended: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    /// How many readings were begun.
    begun: u64,
    open: Option<OpenReading>,
    /// What the accounts are in step with.
    step: Option<Step>,
    /// The last whole reading, as long as no run has followed it.
    unfollowed: Option<Reading>,
    heard: Option<Timestamp>,
    photos: BTreeMap<ImmutableId, PhotoChange>,
}

struct OpenReading {
    id: String,
    number: u64,
    parts: BTreeMap<usize, Part>,
}

#[derive(Default)]
struct Part {
    people: Vec<PersonRecord>,
    groups: Vec<GroupRecord>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    reading_id: String,
    revision: u64,
}

/// Why what was sent is not taken in.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    #[error("no reading with this id has begun, or a later one has: begin a new one")]
    NoReading,
    #[error("an entry cannot be used: {0}")]
    BadEntry(String),
    #[error("the reading is not complete: {0}")]
    Incomplete(String),
    #[error("the directory is larger than this server takes: {0}")]
    TooLarge(&'static str),
    #[error("these changes do not follow what this server knows: send a whole reading")]
    OutOfStep,
    #[error("this photo was not asked for, or is another one by now")]
    NoPhoto,
    #[error("the photo could not be noted: {0}")]
    Accounts(#[from] AccountError),
}

impl Intake {
    /// What was heard of the process.
    pub fn heard(&self, now: Timestamp) -> Heard {
        let last = self.state.lock().heard;
        let silence_max = i64::try_from(SILENCE_MAX.as_millis()).unwrap_or(i64::MAX);
        Heard {
            last,
            is_connected: last.is_some_and(|last| now.0.saturating_sub(last.0) < silence_max),
        }
    }

    /// Wants everything read, soon. The number is that of the last reading that may have begun before.
    pub fn ask(&self) -> u64 {
        self.wanted.send_replace(true);
        self.state.lock().begun
    }

    /// As [`Intake::ask`], and waits until a reading that began later has come to its end.
    pub async fn ask_and_wait(&self, wait: Duration) {
        let before = self.ask();
        let mut ended = self.ended.subscribe();
        // The sender lives as long as this does; who waits in vain sees it at the status.
        let _ = timeout(wait, ended.wait_for(|number| *number > before)).await;
    }

    /// The last whole reading, if no run has followed it.
    pub fn unfollowed(&self) -> Option<Reading> {
        self.state.lock().unfollowed.clone()
    }

    /// The process is to send this photo.
    pub fn want_photo(&self, change: PhotoChange) {
        let photos = &mut self.state.lock().photos;
        if photos.len() < PHOTOS_MAX {
            photos.insert(change.id.clone(), change);
        }
    }

    /// Passes on that somebody wants the directory read, and complains while nobody reads it.
    pub async fn attend(&self, mirror: &Mirror) {
        let directory = &mirror.directory().inner;
        loop {
            tokio::select! {
                () = directory.look_again.notified() => drop(self.ask()),
                () = sleep(directory.config.mirror.interval.max(SILENCE_MAX)) => {
                    if !self.heard(mirror.now()).is_connected {
                        tracing::warn!(
                            domain = directory.config.domain,
                            "nothing is heard of the process that reads the directory: accounts do not follow it"
                        );
                    }
                }
            }
        }
    }
}

impl Part {
    fn values(&self) -> usize {
        let people = self.people.iter().map(|person| person.told.len());
        let groups = self
            .groups
            .iter()
            .map(|group| group.group.members.len() + group.logins.len());
        people.chain(groups).sum()
    }
}

impl OpenReading {
    fn put(&mut self, number: usize, part: Part) -> Result<(), FeedError> {
        if number >= PARTS_MAX {
            return Err(FeedError::TooLarge("it comes in too many parts"));
        }
        self.parts.insert(number, part);
        let sum = |count: fn(&Part) -> usize| self.parts.values().map(count).sum::<usize>();
        if sum(|part| part.people.len()) > PEOPLE_MAX {
            return Err(FeedError::TooLarge("it has too many people"));
        }
        if sum(Part::values) > VALUES_MAX || sum(|part| part.groups.len()) > GROUPS_MAX + PARTS_MAX {
            return Err(FeedError::TooLarge(
                "it has too many groups, or members of groups",
            ));
        }
        Ok(())
    }

    /// All of it, if nothing is missing.
    fn complete(self, totals: FedTotals) -> Result<Reading, FeedError> {
        let wrong = |what: &str, wanted: usize, found: usize| {
            FeedError::Incomplete(format!("{wanted} {what} were announced, {found} have come"))
        };
        let is_gapless = self.parts.keys().copied().eq(0..totals.parts);
        if !is_gapless {
            return Err(wrong("parts", totals.parts, self.parts.len()));
        }
        let (mut people, mut groups) = (BTreeMap::new(), BTreeMap::new());
        for part in self.parts.into_values() {
            for record in part.people {
                let id = record.person.id.clone();
                if people.insert(id, record).is_some() {
                    return Err(FeedError::BadEntry("two people have the same id".to_owned()));
                }
            }
            for record in part.groups {
                add_group(&mut groups, record);
            }
        }
        if people.len() != totals.people {
            return Err(wrong("people", totals.people, people.len()));
        }
        if groups.len() != totals.groups {
            return Err(wrong("groups", totals.groups, groups.len()));
        }
        let records = Records::new(people.into_values(), groups.into_values());
        Ok(Reading {
            snapshot: records.snapshot(),
            unusable: totals.unusable,
            records,
        })
    }
}

/// A group may come in several parts, which have its members together.
fn add_group(groups: &mut BTreeMap<crate::mirror::Dn, GroupRecord>, record: GroupRecord) {
    match groups.get_mut(&record.group.dn) {
        Some(known) => {
            known.group.members.extend(record.group.members);
            known.logins.extend(record.logins);
        }
        None => drop(groups.insert(record.group.dn.clone(), record)),
    }
}

fn read_part(entries: FedEntries) -> Result<Part, FeedError> {
    let people: Result<_, String> = entries.people.into_iter().map(TryInto::try_into).collect();
    let groups: Result<_, String> = entries.groups.into_iter().map(TryInto::try_into).collect();
    Ok(Part {
        people: people.map_err(FeedError::BadEntry)?,
        groups: groups.map_err(FeedError::BadEntry)?,
    })
}

/// What the process that reads the directory may say to this server.
#[derive(Clone, Copy)]
pub struct Feed<'a> {
    mirror: &'a Mirror,
    intake: &'a Intake,
}

impl Mirror {
    /// `None` where this server reads the directory itself.
    pub fn feed(&self) -> Option<Feed<'_>> {
        let intake = self.intake()?;
        Some(Feed { mirror: self, intake })
    }
}

impl Feed<'_> {
    fn hear(&self) -> &Intake {
        self.intake.state.lock().heard = Some(self.mirror.now());
        self.intake
    }

    /// Where this server stands; waits until somebody wants everything read, but no longer than this. `is_told`: whether
    /// the directory tells the process of changes.
    pub async fn state(&self, wait: Duration, is_told: bool) -> FedState {
        self.mirror.set_told(is_told);
        let mut wanted = self.hear().wanted.subscribe();
        // Not in time is an answer, too.
        let _ = timeout(wait.min(WAIT_MAX), wanted.wait_for(|wanted| *wanted)).await;
        self.hear().state()
    }

    /// Begins a reading, in the place of one that was not completed. The directory is to be read after this.
    pub fn begin(&self) -> String {
        let intake = self.hear();
        intake.wanted.send_replace(false);
        let mut state = intake.state.lock();
        state.begun += 1;
        let id = TransactionId::new().to_string();
        state.open = Some(OpenReading {
            id: id.clone(),
            number: state.begun,
            parts: BTreeMap::new(),
        });
        id
    }

    /// Takes a part, once or again.
    pub fn put(&self, reading_id: &str, number: usize, entries: FedEntries) -> Result<(), FeedError> {
        let intake = self.hear();
        let part = read_part(entries)?;
        let mut state = intake.state.lock();
        let open = state.open.as_mut().filter(|open| open.id == reading_id);
        let put = open.ok_or(FeedError::NoReading)?.put(number, part);
        if put.is_err() {
            state.open = None;
        }
        put
    }

    /// The reading is whole: a run follows it.
    pub async fn complete(&self, reading_id: &str, totals: FedTotals) -> Result<FedRun, FeedError> {
        let intake = self.hear();
        let open = intake.state.lock().open.take_if(|open| open.id == reading_id);
        let open = open.ok_or(FeedError::NoReading)?;
        let (id, number) = (open.id.clone(), open.number);
        let reading = open.complete(totals)?;
        Ok(self.follow(id, number, reading).await)
    }

    async fn follow(&self, reading_id: String, number: u64, reading: Reading) -> FedRun {
        let (mirror, intake) = (self.mirror, self.intake);
        let mut base = mirror.lock_base().await;
        intake.state.lock().step = None;
        let begun = mirror.begin();
        let ended = match mirror.directory().check_reading(&reading.snapshot) {
            Ok(()) => {
                intake.take(&reading);
                mirror.follow(reading, &mut base).await
            }
            Err(error) => Err(error.into()),
        };
        let outcome = mirror.noted(begun, Reach::Whole, ended);
        if base.is_some() {
            intake.followed(Step {
                reading_id,
                revision: 0,
            });
            self.look_at_new(&mut base).await;
        }
        intake.ended.send_replace(number);
        intake.ran(&outcome)
    }

    /// The directory could not be read, for this reason.
    pub fn fail(&self, reading_id: &str, reason: &str) -> Result<(), FeedError> {
        let intake = self.hear();
        let open = intake.state.lock().open.take_if(|open| open.id == reading_id);
        let open = open.ok_or(FeedError::NoReading)?;
        let reason = shortened(reason, REASON_CHARS_MAX).unwrap_or_default();
        let (mirror, failure) = (self.mirror, MirrorError::Fed(reason));
        mirror.noted(mirror.now(), Reach::Whole, Err(failure));
        intake.ended.send_replace(open.number);
        Ok(())
    }

    /// Changes after a reading, or after other changes: a run works them in.
    ///
    /// Error: `OutOfStep` unless they follow what was worked in last.
    pub async fn changes(&self, changes: FedChanges) -> Result<FedRun, FeedError> {
        let follows = Step {
            reading_id: changes.reading_id,
            revision: changes.revision,
        };
        let part = read_part(changes.entries)?;
        let gone = changes
            .gone
            .into_iter()
            .map(ImmutableId::new)
            .map(|id| (id, None));
        let come = part.people.into_iter();
        let come = come.map(|record| (record.person.id.clone(), Some(record)));
        let mut groups = BTreeMap::new();
        for record in part.groups {
            add_group(&mut groups, record);
        }
        let changes = Changes {
            people: gone.chain(come).collect(),
            groups,
        };
        self.work_in(follows, changes).await
    }

    async fn work_in(&self, follows: Step, changes: Changes) -> Result<FedRun, FeedError> {
        let (mirror, intake) = (self.mirror, self.hear());
        let mut base = mirror.lock_base().await;
        let is_next = intake.state.lock().step.as_ref() == Some(&follows);
        let Some(before) = base.take_if(|_| is_next) else {
            return Err(FeedError::OutOfStep);
        };
        let step = Step {
            revision: follows.revision + 1,
            ..follows
        };
        let begun = mirror.begin();
        let outcome = match mirror.work_in(changes, &BTreeSet::new(), before, &mut base).await {
            Ok(Told::Ran(outcome, counts)) => mirror.noted(begun, Reach::Told, Ok((outcome, counts))),
            Ok(Told::Nothing | Told::Whole) => {
                mirror.idle();
                Outcome::Done
            }
            Err(error) => mirror.noted(begun, Reach::Told, Err(error)),
        };
        intake.state.lock().step = base.is_some().then_some(step);
        self.look_at_new(&mut base).await;
        Ok(intake.ran(&outcome))
    }

    /// Accounts that were made just now may have photos to be asked for.
    async fn look_at_new(&self, base: &mut Option<crate::mirror::run::Base>) {
        let people = self.mirror.told().take_entries().people;
        if people.is_empty() {
            return;
        }
        let Some(before) = base.take() else { return };
        let looked = self
            .mirror
            .work_in(Changes::default(), &people, before, base)
            .await;
        if let Err(error) = looked {
            tracing::warn!(%error, "photos of new accounts are asked for at the next sync");
        }
        if base.is_none() {
            self.intake.state.lock().step = None;
        }
    }

    /// A photo that this server has asked for.
    pub async fn photo(&self, id: &str, photo: Vec<u8>) -> Result<(), FeedError> {
        let intake = self.hear();
        let change = intake.state.lock().photos.remove(&ImmutableId::new(id));
        let change = change.ok_or(FeedError::NoPhoto)?;
        match put_photo(self.mirror.parts(), change, Some(photo)).await? {
            true => Ok(()),
            false => Err(FeedError::NoPhoto),
        }
    }
}

impl Intake {
    /// Keeps what was read, in case that no run follows it.
    fn take(&self, reading: &Reading) {
        let mut state = self.state.lock();
        state.unfollowed = Some(reading.clone());
        state.photos.clear();
    }

    /// A run has followed what this step is about.
    fn followed(&self, step: Step) {
        let mut state = self.state.lock();
        (state.step, state.unfollowed) = (Some(step), None);
    }

    fn state(&self) -> FedState {
        let state = self.state.lock();
        FedState {
            reading_id: state.step.as_ref().map(|step| step.reading_id.clone()),
            revision: state.step.as_ref().map_or(0, |step| step.revision),
            wants_reading: *self.wanted.borrow(),
        }
    }

    fn ran(&self, outcome: &Outcome) -> FedRun {
        let photos = self.state.lock().photos.keys().map(ToString::to_string).collect();
        let reason = match outcome {
            Outcome::Done => None,
            Outcome::Failed(reason) => Some(reason.clone()),
            Outcome::Stopped { locks, locks_max } => Some(format!(
                "it would lock {locks} people, and may lock {locks_max} without an administrator's approval"
            )),
        };
        FedRun {
            outcome: outcome.as_str().to_owned(),
            reason,
            state: self.state(),
            photos,
        }
    }
}
