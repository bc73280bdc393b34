//! Media as administrators see them: who has how much, and what is taken away or put under lock.

use echorift_storage::{Change, Timestamp, UserNumber};
use ruma::{OwnedServerName, ServerName};

use crate::{Media, MediaError, ids::MediaId, store, store::administration, sweep::forget_contents};

/// How many files are removed in one commit.
const BATCH: i64 = 200;

/// How much there is of files. A content that was uploaded twice counts twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MediaUsage {
    pub files: i64,
    pub bytes: i64,
}

/// How much one user has uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserUsage {
    pub number: UserNumber,
    pub user_id: String,
    pub usage: MediaUsage,
}

/// Whose files are looked for.
#[derive(Debug, Clone)]
pub enum MediaOwner {
    /// Everybody of this server, and the server itself.
    Local,
    User(UserNumber),
    /// What was fetched from this server.
    Server(OwnedServerName),
}

/// A file's place in a list: newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaPlace {
    pub created: Timestamp,
    pub media_id: String,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaOverview {
    pub media_id: String,
    pub name: Option<String>,
    pub content_type: String,
    pub bytes: i64,
    /// When it came to this server.
    pub created: Timestamp,
    /// When it was last read, to the day; known of files of other servers.
    pub read: Option<Timestamp>,
    /// Nobody for what the server fetched itself.
    pub uploader: Option<String>,
    pub is_quarantined: bool,
}

impl Media {
    /// How much users of this server have uploaded, and how much was fetched from others.
    pub async fn usage(&self) -> Result<(MediaUsage, MediaUsage), MediaError> {
        let database = &self.0.database;
        let local = administration::local_usage(database).await?;
        Ok((local, administration::remote_usage(database).await?))
    }

    /// How much one user has uploaded.
    pub async fn usage_of(&self, user: UserNumber) -> Result<MediaUsage, MediaError> {
        Ok(administration::usage_of(&self.0.database, user).await?)
    }

    /// Who has uploaded how much, those with the most first, after a place of this list.
    pub async fn usage_by_user(
        &self,
        after: Option<(i64, UserNumber)>,
        limit: u32,
    ) -> Result<Vec<UserUsage>, MediaError> {
        let after = after.unwrap_or((i64::MAX, UserNumber(i64::MIN)));
        Ok(administration::usage_by_user(&self.0.database, after, limit.into()).await?)
    }

    /// A page of somebody's files, newest first.
    pub async fn list_media(
        &self,
        owner: &MediaOwner,
        after: Option<&MediaPlace>,
        limit: u32,
    ) -> Result<Vec<MediaOverview>, MediaError> {
        let (database, own) = (&self.0.database, &*self.0.options.server_name);
        let listed = match owner {
            MediaOwner::Local => administration::of_users(database, own, None, after, limit.into()).await?,
            MediaOwner::User(user) => {
                administration::of_users(database, own, Some(*user), after, limit.into()).await?
            }
            MediaOwner::Server(server) => {
                administration::of_server(database, server, after, limit.into()).await?
            }
        };
        Ok(listed)
    }

    /// Deletes a file: a copy of it, if it is of another server, that may be fetched again. `remember` is written with it.
    /// Whether there was such a file.
    pub async fn delete_media(
        &self,
        server: &ServerName,
        media_id: &str,
        remember: Change,
    ) -> Result<bool, MediaError> {
        let Some(id) = MediaId::parse(media_id) else {
            return Ok(false);
        };
        let (server, now) = (server.to_owned(), self.0.clock.now());
        let is_own = server == self.0.options.server_name;
        let deleted = self.0.database.writer().transact(move |tx| {
            Box::pin(async move {
                let content = match is_own {
                    true => store::media::remove(tx, &id).await?,
                    false => store::remote::remove(tx, &server, &id).await?,
                };
                let Some(content) = content else { return Ok(false) };
                forget_contents(tx, content.into_iter().collect(), now).await?;
                tx.apply(remember).await?;
                Ok::<_, MediaError>(true)
            })
        });
        deleted.await
    }

    /// Puts a file under lock, or gives it free: nobody is given it meanwhile, whether it was fetched or not. `remember` is
    /// written with it. Error: `NotFound` for what is no media ID.
    pub async fn set_quarantined(
        &self,
        server: &ServerName,
        media_id: &str,
        is_quarantined: bool,
        mut remember: Change,
    ) -> Result<(), MediaError> {
        let id = MediaId::parse(media_id).ok_or(MediaError::NotFound)?;
        administration::put_quarantine(&mut remember, server, &id, is_quarantined, self.0.clock.now());
        Ok(self.0.database.writer().commit(remember).await?)
    }

    /// How many files of other servers nobody has read since then.
    pub async fn unread_remote(&self, since: Timestamp) -> Result<MediaUsage, MediaError> {
        Ok(administration::unread_usage(&self.0.database, since).await?)
    }

    /// Deletes the files of other servers that nobody has read since then; they are fetched again when they are wanted.
    /// Their bytes are freed by the next sweep. `remember` is written before.
    pub async fn purge_remote(&self, since: Timestamp, remember: Change) -> Result<(), MediaError> {
        self.0.database.writer().commit(remember).await?;
        let now = self.0.clock.now();
        loop {
            let removed = self.0.database.writer().transact(move |tx| {
                Box::pin(async move {
                    let (contents, removed) = store::remote::remove_unread(tx, since, BATCH).await?;
                    forget_contents(tx, contents, now).await?;
                    Ok::<_, MediaError>(removed)
                })
            });
            if removed.await? < usize::try_from(BATCH).unwrap_or_default() {
                return Ok(());
            }
        }
    }

    /// Fails with `NotFound` if the file is under lock.
    pub(crate) async fn check_not_quarantined(
        &self,
        server: &ServerName,
        id: &MediaId,
    ) -> Result<(), MediaError> {
        match administration::is_quarantined(&self.0.database, server, id).await? {
            true => Err(MediaError::NotFound),
            false => Ok(()),
        }
    }
}
