//! Carrying a plan out, in few large steps.

use std::collections::BTreeMap;

use echorift_accounts::{AccountError, Locking, PasswordProvider as _, PersonToCreate, PersonToUpdate};
use echorift_storage::UserNumber;
use serde_json::Value;

use super::feed::Intake;
use super::job::MirrorParts;
use super::plan::{Change, Plan};
use super::settings::field;
use super::snapshot::{Dn, ImmutableId};
use super::status::RunCounts;
use crate::photo;

/// A photo that is to become an avatar, or with no digest an avatar to be taken back.
#[derive(Debug, Clone)]
pub(super) struct PhotoChange {
    pub id: ImmutableId,
    user: UserNumber,
    localpart: String,
    dn: Dn,
    pub digest: Option<String>,
}

/// A plan sorted by what is done with it.
#[derive(Default)]
struct Work {
    create: Vec<PersonToCreate>,
    update: Vec<PersonToUpdate>,
    photos: Vec<PhotoChange>,
    lock: Vec<(UserNumber, String)>,
    unlock: Vec<UserNumber>,
}

impl Work {
    fn of(plan: Plan) -> Self {
        let mut work = Self::default();
        for change in plan.changes {
            match change {
                Change::Create {
                    external_id,
                    localpart,
                    mail,
                    fields,
                } => work.create.push(PersonToCreate {
                    external_id,
                    localpart,
                    mail,
                    fields,
                }),
                Change::Update {
                    user,
                    localpart,
                    mail,
                    fields,
                } => work.update.push(PersonToUpdate {
                    user,
                    localpart,
                    mail,
                    fields: fields
                        .into_iter()
                        .map(|(name, change)| (name, change.after))
                        .collect(),
                    photo_digest: None,
                }),
                Change::Photo {
                    id,
                    user,
                    localpart,
                    dn,
                    digest,
                } => work.photos.push(PhotoChange {
                    id,
                    user,
                    localpart,
                    dn,
                    digest,
                }),
                Change::Lock { user, localpart, .. } => work.lock.push((user, localpart)),
                Change::Unlock { user, .. } => work.unlock.push(user),
            }
        }
        work
    }
}

/// Does what the plan says; who has left goes first. Counts what was done. Errors leave the rest to the next run. Where
/// another process reads the directory, it is asked for the photos.
pub(super) async fn apply(
    plan: Plan,
    parts: &MirrorParts,
    intake: Option<&Intake>,
    locking: Locking,
) -> Result<RunCounts, AccountError> {
    let work = Work::of(plan);
    let (provider, accounts) = (parts.directory.name(), &parts.accounts);
    let mut counts = RunCounts {
        locked: work.lock.len(),
        unlocked: work.unlock.len(),
        updated: work.update.len(),
        ..RunCounts::default()
    };
    accounts.lock_mirrored(provider, &work.lock, locking).await?;
    accounts.unlock_mirrored(provider, &work.unlock).await?;
    let made = accounts.create_mirrored(provider, &work.create).await?;
    counts.created = usize::try_from(made).unwrap_or(usize::MAX);
    accounts.update_mirrored(provider, &work.update).await?;
    if parts.photos.is_none() {
        return Ok(counts);
    }
    for change in work.photos {
        let photo = match (&change.digest, intake) {
            (None, _) => None,
            (Some(_), Some(intake)) => {
                intake.want_photo(change);
                continue;
            }
            // Fetched anew: a snapshot holds digests only. What cannot be fetched waits for the next run.
            (Some(_), None) => match parts.directory.photo(&change.dn).await {
                Ok(Some(photo)) => Some(photo),
                Ok(None) => continue,
                Err(error) => {
                    tracing::warn!(user = change.user.0, %error, "a photo could not be read; tried again at the next sync");
                    continue;
                }
            },
        };
        counts.updated += usize::from(put_photo(parts, change, photo).await?);
    }
    Ok(counts)
}

/// Makes a photo the avatar, or takes that back; whether it was done. One that changed meanwhile, or cannot be kept, waits
/// for the next run.
pub(super) async fn put_photo(
    parts: &MirrorParts,
    change: PhotoChange,
    photo: Option<Vec<u8>>,
) -> Result<bool, AccountError> {
    if photo.as_deref().map(photo::digest) != change.digest {
        return Ok(false);
    }
    let mut avatar = None;
    if let Some((photo, photos)) = photo.zip(parts.photos.as_deref()) {
        let kind = photo::content_type(&photo).unwrap_or("application/octet-stream");
        match photos.keep(change.user, photo, kind).await {
            Ok(uri) => avatar = Some(uri),
            Err(error) => {
                tracing::warn!(
                    user = change.user.0,
                    error,
                    "a photo could not be kept; tried again at the next sync"
                );
                return Ok(false);
            }
        }
    }
    let update = PersonToUpdate {
        user: change.user,
        localpart: change.localpart,
        mail: None,
        fields: BTreeMap::from([(field::AVATAR_URL.to_owned(), avatar.map(Value::from))]),
        photo_digest: Some(change.digest),
    };
    let provider = parts.directory.name();
    parts.accounts.update_mirrored(provider, &[update]).await?;
    Ok(true)
}
