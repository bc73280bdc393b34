//! What a directory says of its people, written into their accounts in few, large steps.
//!
//! Who decides is the directory's own crate: it compares what it has read with [`Accounts::mirrored_people`], and has
//! the differences made here.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
    time::Duration,
};

use echorift_storage::{Timestamp, UserNumber};
use ruma::{OwnedUserId, UserId};
use serde_json::Value;

use crate::{
    AccountError, Accounts, StandingAnswer,
    profile::{AVATAR_URL, DISPLAY_NAME, PROFILE_BYTES_MAX},
    store::{
        mirroring::{self, NewPerson, WrittenField},
        sessions::Revoked,
    },
    username::judge_localpart,
};

/// Accounts that one transaction changes at most: others wait for the writer meanwhile.
const PEOPLE_PER_STEP: usize = 250;
/// How long a refresh waits for the directory: clients refresh in the middle of what they are doing.
const STANDING_WAIT: Duration = Duration::from_secs(2);

/// An account of a directory as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct MirroredPerson {
    pub user: UserNumber,
    pub localpart: String,
    /// What the directory knows the person by; `None` if nobody ever said.
    pub external_id: Option<String>,
    pub mail: Option<String>,
    pub lock: Option<LockOwner>,
    pub is_deactivated: bool,
    /// Of the directory's photo that was taken over last.
    pub photo_digest: Option<String>,
    /// The whole profile.
    pub fields: BTreeMap<String, Value>,
}

/// Who has locked an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockOwner {
    Directory,
    Administrator,
}

/// Whether the lock of an account counts among those that a safety stop is to keep few.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locking {
    /// By a sync.
    Counted,
    /// By the person's own entry, or by an administrator's word.
    Uncounted,
}

/// A person of a directory who has no account yet.
#[derive(Debug, Clone, PartialEq)]
pub struct PersonToCreate {
    pub external_id: String,
    pub localpart: String,
    pub mail: Option<String>,
    pub fields: BTreeMap<String, Value>,
}

/// What has changed about a person who has an account.
#[derive(Debug, Clone, PartialEq)]
pub struct PersonToUpdate {
    pub user: UserNumber,
    pub localpart: String,
    /// The address, if it is another one now.
    pub mail: Option<Option<String>>,
    /// Fields of the profile to write, or with `None` to remove.
    pub fields: BTreeMap<String, Option<Value>>,
    /// The digest of the photo that `avatar_url` among the fields was made of.
    pub photo_digest: Option<Option<String>>,
}

impl Accounts {
    /// The accounts that `provider` owns, in two queries.
    pub async fn mirrored_people(&self, provider: &str) -> Result<Vec<MirroredPerson>, AccountError> {
        Ok(mirroring::people(&self.0.database, provider).await?)
    }

    /// Those of the accounts that `provider` owns which belong to one of these people, or have one of these names.
    pub async fn mirrored_among(
        &self,
        provider: &str,
        external_ids: &[&str],
        localparts: &[&str],
    ) -> Result<Vec<MirroredPerson>, AccountError> {
        Ok(mirroring::people_among(&self.0.database, provider, external_ids, localparts).await?)
    }

    /// How many accounts that `provider` owns are neither locked nor deactivated.
    pub async fn count_mirrored(&self, provider: &str) -> Result<usize, AccountError> {
        Ok(mirroring::count_active(&self.0.database, provider).await?)
    }

    /// How many accounts `provider` has locked since then by locks that count, of those that are locked still.
    pub async fn count_locked_by(&self, provider: &str, since: Timestamp) -> Result<usize, AccountError> {
        Ok(mirroring::count_locked(&self.0.database, provider, since).await?)
    }

    /// Begins to count anew.
    pub async fn forget_locks_by(&self, provider: &'static str) -> Result<(), AccountError> {
        let step = self
            .0
            .database
            .writer()
            .transact(move |tx| Box::pin(async move { mirroring::forget_locks(tx, provider).await }));
        Ok(step.await?)
    }

    /// Those of the names that some account has, deactivated ones included.
    pub async fn taken_names(&self, localparts: &[&str]) -> Result<HashSet<String>, AccountError> {
        if localparts.is_empty() {
            return Ok(HashSet::new());
        }
        Ok(mirroring::taken(&self.0.database, localparts).await?)
    }

    /// Names the fields of the profile that people of `provider` cannot change themselves.
    pub fn reserve_profile_fields(&self, provider: &'static str, fields: BTreeSet<String>) {
        self.0.reserved_fields.write().insert(provider, Arc::new(fields));
    }

    /// The fields that this account's owner cannot change; `None` for accounts of nobody's directory.
    pub(crate) async fn reserved_fields(
        &self,
        user: UserNumber,
    ) -> Result<Option<Arc<BTreeSet<String>>>, AccountError> {
        if self.0.reserved_fields.read().is_empty() {
            return Ok(None);
        }
        let account = self.load_account(user).await?;
        let provider = account.provider.as_deref();
        Ok(provider.and_then(|provider| self.0.reserved_fields.read().get(provider).cloned()))
    }

    /// Makes accounts for people of `provider`. Who has taken a name meanwhile keeps it; how many were made.
    pub async fn create_mirrored(
        &self,
        provider: &'static str,
        people: &[PersonToCreate],
    ) -> Result<u64, AccountError> {
        let mut made = 0;
        for people in people.chunks(PEOPLE_PER_STEP) {
            made += self.create_some(provider, people).await?;
        }
        Ok(made)
    }

    async fn create_some(
        &self,
        provider: &'static str,
        people: &[PersonToCreate],
    ) -> Result<u64, AccountError> {
        let named: Vec<(OwnedUserId, &PersonToCreate)> = people
            .iter()
            .filter_map(|person| {
                let user_id = judge_localpart(&person.localpart, self.server_name()).ok()?;
                Some((user_id, person))
            })
            .collect();
        let names: Vec<&str> = named.iter().map(|(user_id, _)| user_id.as_str()).collect();
        self.0.users.intern_all(&names).await?;
        let mut new = Vec::with_capacity(named.len());
        let mut fields = Vec::new();
        for (user_id, person) in named {
            let user = UserNumber(self.0.users.intern(user_id.as_str()).await?);
            fields.extend(written(
                user,
                person.fields.iter().map(|(name, value)| (name, Some(value))),
            ));
            new.push(NewPerson {
                user,
                localpart: person.localpart.clone(),
                external_id: person.external_id.clone(),
                mail: person.mail.as_ref().map(|mail| mail.to_lowercase()),
            });
        }
        let now = self.0.clock.now();
        let step = self.0.database.writer().transact(move |tx| {
            Box::pin(async move {
                let made = mirroring::insert(tx, provider, &new, now).await?;
                mirroring::put_fields(tx, provider, &fields).await?;
                Ok::<_, AccountError>(made)
            })
        });
        step.await
    }

    /// Writes what has changed about people of `provider`, and tells their rooms of new names and pictures.
    pub async fn update_mirrored(
        &self,
        provider: &'static str,
        people: &[PersonToUpdate],
    ) -> Result<(), AccountError> {
        for people in people.chunks(PEOPLE_PER_STEP) {
            self.update_some(provider, people).await?;
        }
        for person in people {
            let is_seen = [DISPLAY_NAME, AVATAR_URL]
                .iter()
                .any(|field| person.fields.contains_key(*field));
            if is_seen && let Some(observer) = self.0.profile_observer.get() {
                let user_id = self.local_user(&person.localpart)?;
                let profile = self.profile(&user_id).await?.unwrap_or_default();
                observer.profile_changed(&user_id, &profile).await;
            }
        }
        Ok(())
    }

    async fn update_some(
        &self,
        provider: &'static str,
        people: &[PersonToUpdate],
    ) -> Result<(), AccountError> {
        let (mut fields, mut removed, mut mails, mut photos) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for person in people {
            let all = person.fields.iter().map(|(name, value)| (name, value.as_ref()));
            let (kept, gone): (Vec<_>, Vec<_>) =
                written(person.user, all).partition(|field| field.value.is_some());
            fields.extend(kept);
            removed.extend(gone);
            if let Some(mail) = &person.mail {
                mails.push((person.user, mail.as_ref().map(|mail| mail.to_lowercase())));
            }
            if let Some(digest) = &person.photo_digest {
                photos.push((person.user, digest.clone()));
            }
        }
        let step = self.0.database.writer().transact(move |tx| {
            Box::pin(async move {
                mirroring::remove_fields(tx, &removed).await?;
                mirroring::put_fields(tx, provider, &fields).await?;
                mirroring::set_mails(tx, &mails).await?;
                mirroring::set_photos(tx, &photos).await
            })
        });
        Ok(step.await?)
    }

    /// Locks accounts of people who have left: their sessions and pushers end, their devices, rooms and keys stay.
    /// Those whom an administrator has locked stay as they are.
    pub async fn lock_mirrored(
        &self,
        provider: &'static str,
        people: &[(UserNumber, String)],
        locking: Locking,
    ) -> Result<(), AccountError> {
        for people in people.chunks(PEOPLE_PER_STEP) {
            let users: Vec<UserNumber> = people.iter().map(|(user, _)| *user).collect();
            let now = self.0.clock.now();
            let counted = (locking == Locking::Counted).then_some(now);
            let step = self.0.database.writer().transact(move |tx| {
                Box::pin(async move {
                    let locked = mirroring::lock(tx, provider, &users, counted).await?;
                    let ended = mirroring::end_sessions(tx, &locked, now).await?;
                    Ok::<_, AccountError>((locked, ended))
                })
            });
            let (locked, ended): (Vec<UserNumber>, Vec<Revoked>) = step.await?;
            for user in &locked {
                self.0.marks.change(user.0, |mark| mark.is_locked = true);
            }
            self.0.checks.note_revoked(&ended);
            self.0.checks.tell_of_ending(&locked);
            for (user, localpart) in people.iter().filter(|(user, _)| locked.contains(user)) {
                tracing::info!(
                    user = user.0,
                    localpart,
                    provider,
                    "locked: the directory has no place for them"
                );
                if let Some(observer) = self.0.account_observer.get() {
                    observer.locked(&self.local_user(localpart)?).await;
                }
            }
        }
        Ok(())
    }

    /// Unlocks those of the accounts that the directory had locked.
    pub async fn unlock_mirrored(
        &self,
        provider: &'static str,
        people: &[UserNumber],
    ) -> Result<(), AccountError> {
        for users in people.chunks(PEOPLE_PER_STEP) {
            let users = users.to_vec();
            let step =
                self.0.database.writer().transact(move |tx| {
                    Box::pin(async move { mirroring::unlock(tx, provider, &users).await })
                });
            let unlocked: Vec<UserNumber> = step.await?;
            for user in unlocked {
                self.0.marks.change(user.0, |mark| mark.is_locked = false);
                tracing::info!(
                    user = user.0,
                    provider,
                    "unlocked: the directory knows them again"
                );
            }
        }
        Ok(())
    }

    /// Asks the directory whether somebody may still be here who refreshes a session or comes in by another way than its
    /// password, and locks the account if it says no. A directory that does not answer soon has no say: it counts as
    /// `Fine`, and the next refresh asks again.
    pub(crate) async fn look_up_standing(&self, user: UserNumber) -> Result<StandingAnswer, AccountError> {
        if self.0.providers.is_empty() {
            return Ok(StandingAnswer::Fine);
        }
        let account = self.load_account(user).await?;
        let Some((name, external_id)) = account.provider.as_deref().zip(account.external_id.as_deref())
        else {
            return Ok(StandingAnswer::Fine);
        };
        let Some(provider) = self.0.providers.iter().find(|provider| provider.name() == name) else {
            return Ok(StandingAnswer::Fine);
        };
        match tokio::time::timeout(STANDING_WAIT, provider.standing(external_id)).await {
            Ok(Ok(StandingAnswer::Refused(reason))) => {
                tracing::info!(
                    user = user.0,
                    reason,
                    "a refreshed session belongs to somebody who has left"
                );
                let people = [(user, account.localpart)];
                self.lock_mirrored(provider.name(), &people, Locking::Uncounted)
                    .await?;
                Ok(StandingAnswer::Refused(reason))
            }
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                tracing::debug!(provider = name, %error, "the standing of a person could not be looked up");
                Ok(StandingAnswer::Fine)
            }
            Err(_) => {
                tracing::debug!(
                    provider = name,
                    "the standing of a person could not be looked up in time"
                );
                Ok(StandingAnswer::Fine)
            }
        }
    }

    fn local_user(&self, localpart: &str) -> Result<OwnedUserId, AccountError> {
        UserId::parse_with_server_name(localpart, self.server_name())
            .map_err(|error| echorift_storage::StorageError::corrupt("accounts.localpart", error).into())
    }
}

/// The fields as they are stored. What is too large for a profile by itself is left out.
fn written<'a>(
    user: UserNumber,
    fields: impl Iterator<Item = (&'a String, Option<&'a Value>)>,
) -> impl Iterator<Item = WrittenField> {
    fields.filter_map(move |(name, value)| {
        let value = value.map(ToString::to_string);
        let is_small = value
            .as_ref()
            .is_none_or(|value| value.len() <= PROFILE_BYTES_MAX / 8);
        is_small.then(|| WrittenField {
            user,
            name: name.clone(),
            value,
        })
    })
}
