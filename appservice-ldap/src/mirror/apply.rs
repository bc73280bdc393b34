//! Carrying a plan out, in few large steps.

use std::collections::BTreeMap;

use echorift_accounts::{
    AccountError, Accounts, Locking, PasswordProvider as _, PersonToCreate, PersonToUpdate,
};
use echorift_storage::UserNumber;
use serde_json::Value;

use super::job::PhotoStore;
use super::plan::{Change, Plan};
use super::settings::field;
use super::snapshot::Dn;
use super::status::RunCounts;
use crate::directory::Directory;

/// A photo that is to become an avatar, or with no digest an avatar to be taken back.
struct PhotoChange {
    user: UserNumber,
    localpart: String,
    dn: Dn,
    digest: Option<String>,
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
                    user,
                    localpart,
                    dn,
                    digest,
                } => work.photos.push(PhotoChange {
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

/// Does what the plan says; who has left goes first. Counts what was done. Errors leave the rest to the next run.
pub(super) async fn apply(
    plan: Plan,
    directory: &Directory,
    accounts: &Accounts,
    photos: Option<&dyn PhotoStore>,
    locking: Locking,
) -> Result<RunCounts, AccountError> {
    let work = Work::of(plan);
    let provider = directory.name();
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
    if let Some(photos) = photos {
        counts.updated += apply_photos(work.photos, directory, accounts, photos).await?;
    }
    Ok(counts)
}

/// Fetches each photo anew: a snapshot holds digests only. What cannot be fetched waits for the next run.
async fn apply_photos(
    changes: Vec<PhotoChange>,
    directory: &Directory,
    accounts: &Accounts,
    photos: &dyn PhotoStore,
) -> Result<usize, AccountError> {
    let mut done = 0;
    for change in changes {
        let mut avatar = None;
        if let Some(digest) = &change.digest {
            let photo = match directory.photo(&change.dn).await {
                Ok(Some(photo)) if crate::photo::digest(&photo) == *digest => photo,
                Ok(_) => continue,
                Err(error) => {
                    tracing::warn!(user = change.user.0, %error, "a photo could not be read; tried again at the next sync");
                    continue;
                }
            };
            let kind = crate::photo::content_type(&photo).unwrap_or("application/octet-stream");
            match photos.keep(change.user, photo, kind).await {
                Ok(uri) => avatar = Some(uri),
                Err(error) => {
                    tracing::warn!(
                        user = change.user.0,
                        error,
                        "a photo could not be kept; tried again at the next sync"
                    );
                    continue;
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
        accounts.update_mirrored(directory.name(), &[update]).await?;
        done += 1;
    }
    Ok(done)
}
