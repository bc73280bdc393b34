//! Contents coming in: at once, or for a media id that was created before.

use std::time::Duration;

use bytes::Bytes;
use echorift_storage::{Change, StorageError, Timestamp, Tx, UserNumber};
use futures_util::Stream;
use ruma::OwnedMxcUri;

use crate::ids::{BlobKey, MediaId};
use crate::staging::Staged;
use crate::store::media::{Description, Found, NewMedia};
use crate::store::{self, Content};
use crate::{Media, MediaError};

/// Longest file name that is kept, in characters: what file systems allow.
const FILE_NAME_LETTERS_MAX: usize = 255;
/// Longest content type that is kept; longer ones are taken for unknown.
const CONTENT_TYPE_BYTES_MAX: usize = 255;
const UNKNOWN_TYPE: &str = "application/octet-stream";
/// A blob that no content refers to this long after it was announced is left from a crash or a lost race.
const PLACED_WITHIN: Duration = Duration::from_secs(24 * 60 * 60);

impl Description {
    /// Of a file of which nothing is said.
    pub(crate) fn unknown() -> Self {
        Self {
            content_type: UNKNOWN_TYPE.to_owned(),
            file_name: None,
        }
    }

    /// Errors: `LongFileName`.
    pub(crate) fn parse(content_type: Option<&str>, file_name: Option<String>) -> Result<Self, MediaError> {
        let file_name = file_name.filter(|name| !name.is_empty());
        if file_name
            .as_ref()
            .is_some_and(|name| name.chars().count() > FILE_NAME_LETTERS_MAX)
        {
            return Err(MediaError::LongFileName(FILE_NAME_LETTERS_MAX));
        }
        let is_type = |text: &&str| {
            text.len() <= CONTENT_TYPE_BYTES_MAX
                && text
                    .split_once('/')
                    .is_some_and(|(kind, rest)| !kind.is_empty() && !rest.is_empty())
        };
        Ok(Self {
            content_type: content_type.filter(is_type).unwrap_or(UNKNOWN_TYPE).to_owned(),
            file_name,
        })
    }
}

impl Media {
    /// Takes a content and makes media of it (CS API § `POST /_matrix/media/v3/upload`).
    pub(crate) async fn upload<E: std::fmt::Display>(
        &self,
        user: UserNumber,
        description: Description,
        pieces: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<MediaId, MediaError> {
        let staged = self.receive(pieces).await?;
        let media = NewMedia {
            id: MediaId::random(),
            user: Some(user),
            hash: staged.hash.clone(),
            description,
            expires: None,
            is_public: self.0.options.unauthenticated_downloads,
        };
        self.keep(staged, media).await
    }

    /// Keeps what the server itself has of a person, as if they had uploaded it; its `mxc:` address.
    pub async fn keep_for(
        &self,
        user: UserNumber,
        bytes: Bytes,
        content_type: &str,
    ) -> Result<OwnedMxcUri, MediaError> {
        let staged = self.0.staging.receive_bytes(bytes).await?;
        let media = NewMedia {
            id: MediaId::random(),
            user: Some(user),
            hash: staged.hash.clone(),
            description: Description {
                content_type: content_type.to_owned(),
                file_name: None,
            },
            expires: None,
            is_public: self.0.options.unauthenticated_downloads,
        };
        let id = self.keep(staged, media).await?;
        Ok(OwnedMxcUri::from(format!(
            "mxc://{}/{}",
            self.0.options.server_name,
            id.as_str()
        )))
    }

    /// Keeps what the server fetched itself, until `expires`.
    pub(crate) async fn keep_fetched(
        &self,
        bytes: Bytes,
        content_type: &str,
        expires: Timestamp,
    ) -> Result<MediaId, MediaError> {
        let staged = self.0.staging.receive_bytes(bytes).await?;
        let media = NewMedia {
            id: MediaId::random(),
            user: None,
            hash: staged.hash.clone(),
            description: Description {
                content_type: content_type.to_owned(),
                file_name: None,
            },
            expires: Some(expires),
            is_public: self.0.options.unauthenticated_downloads,
        };
        self.keep(staged, media).await
    }

    async fn keep(&self, staged: Staged, media: NewMedia) -> Result<MediaId, MediaError> {
        let (id, now) = (media.id.clone(), self.0.clock.now());
        let media = std::sync::Arc::new(media);
        self.with_content(staged, move |tx| {
            let media = std::sync::Arc::clone(&media);
            Box::pin(async move { Ok(store::media::insert(tx, &media, now).await?) })
        })
        .await?;
        Ok(id)
    }

    /// Reserves a media id for a later upload; until when (CS API § `POST /_matrix/media/v1/create`).
    ///
    /// Errors: `TooManyPending`.
    pub(crate) async fn create(&self, user: UserNumber) -> Result<(MediaId, Timestamp), MediaError> {
        let (id, now) = (MediaId::random(), self.0.clock.now());
        let expires = self.after(self.0.options.pending_lifetime);
        let pending_max = self.0.options.pending_per_user_max;
        let (created, writer) = (id.clone(), self.0.database.writer());
        let is_created: Result<bool, StorageError> = writer
            .transact(move |tx| {
                Box::pin(async move {
                    store::media::insert_pending(tx, &created, user, now, expires, pending_max.into()).await
                })
            })
            .await;
        if is_created? {
            Ok((id, expires))
        } else {
            Err(MediaError::TooManyPending(pending_max))
        }
    }

    /// Whether this user may upload for this media id, so that nobody sends a content in vain.
    ///
    /// Errors: `NotFound` (also when its time is over), `NotTheCreator`, `CannotOverwrite`.
    pub(crate) async fn check_pending(&self, user: UserNumber, id: &MediaId) -> Result<(), MediaError> {
        match store::media::find(&self.0.database, id).await? {
            None => Err(MediaError::NotFound),
            Some(Found::Stored(_)) => Err(MediaError::CannotOverwrite),
            Some(Found::Pending { user: creator, .. }) if creator != Some(user) => {
                Err(MediaError::NotTheCreator)
            }
            Some(Found::Pending { expires, .. }) if expires <= self.0.clock.now() => {
                Err(MediaError::NotFound)
            }
            Some(Found::Pending { .. }) => Ok(()),
        }
    }

    /// Takes the content of media that was created before (CS API § `PUT /_matrix/media/v3/upload/…`), and wakes those
    /// who wait for it. The caller has asked [`Media::check_pending`]; an upload that began in time may end later.
    ///
    /// Errors: `CannotOverwrite` if another upload was quicker.
    pub(crate) async fn upload_pending<E: std::fmt::Display>(
        &self,
        user: UserNumber,
        id: MediaId,
        description: Description,
        pieces: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<(), MediaError> {
        let staged = self.receive(pieces).await?;
        let media = std::sync::Arc::new(NewMedia {
            id: id.clone(),
            user: Some(user),
            hash: staged.hash.clone(),
            description,
            expires: None,
            is_public: self.0.options.unauthenticated_downloads,
        });
        self.with_content(staged, move |tx| {
            let media = std::sync::Arc::clone(&media);
            Box::pin(async move {
                if store::media::fill(tx, &media).await? {
                    Ok(())
                } else {
                    Err(MediaError::CannotOverwrite)
                }
            })
        })
        .await?;
        self.0.arrivals.arrived(&id);
        Ok(())
    }

    async fn receive<E: std::fmt::Display>(
        &self,
        pieces: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<Staged, MediaError> {
        let staged = self
            .0
            .staging
            .receive(pieces, self.0.options.upload_bytes_max)
            .await?;
        metrics::counter!("echorift_media_received_bytes_total").increment(staged.size);
        Ok(staged)
    }

    /// Sees to it that the store has this content, and writes what refers to it in the same transaction in which the
    /// content is known. A content that is there already is not stored again.
    pub(crate) async fn with_content(
        &self,
        staged: Staged,
        refer: impl for<'t> Fn(&'t mut Tx) -> echorift_web::BoxFuture<'t, Result<(), MediaError>>
        + Clone
        + Send
        + 'static,
    ) -> Result<(), MediaError> {
        let writer = self.0.database.writer();
        if let Some(known) = store::contents::find(&self.0.database, &staged.hash).await? {
            let refer = refer.clone();
            let is_referred: bool = writer
                .transact(move |tx| {
                    Box::pin(async move {
                        // It may have been removed since.
                        if !store::contents::is_known(tx, &known.hash).await? {
                            return Ok::<_, MediaError>(false);
                        }
                        refer(tx).await.map(|()| true)
                    })
                })
                .await?;
            if is_referred {
                return Ok(());
            }
        }
        let content = Content {
            key: BlobKey::new(&staged.hash),
            hash: staged.hash.clone(),
            size: staged.size,
        };
        let mut change = Change::new();
        store::garbage::note(&mut change, &content.key, self.after(PLACED_WITHIN));
        writer.commit(change).await?;
        self.0.blobs.place(content.key.clone(), staged).await?;
        let now = self.0.clock.now();
        writer
            .transact(move |tx| {
                Box::pin(async move {
                    store::contents::insert(tx, &content, now).await?;
                    refer(tx).await
                })
            })
            .await
    }
}
