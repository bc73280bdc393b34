use echorift_storage::{Database, StorageError, Timestamp, Tx, UserNumber};

use super::{Content, size_of};
use crate::ids::{BlobKey, ContentHash, MediaId};

/// What is said of a content by whoever uploads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Description {
    pub(crate) content_type: String,
    pub(crate) file_name: Option<String>,
}

/// Media with its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) content: Content,
    pub(crate) description: Description,
    /// Whether it may be fetched without a token.
    pub(crate) is_public: bool,
}

/// What stands under a media id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    Stored(Stored),
    /// Created, and to be uploaded by this user until then.
    Pending {
        user: Option<UserNumber>,
        expires: Timestamp,
    },
}

/// A row to be written.
pub(crate) struct NewMedia {
    pub(crate) id: MediaId,
    /// `None` for what the server fetched itself.
    pub(crate) user: Option<UserNumber>,
    pub(crate) hash: ContentHash,
    pub(crate) description: Description,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) is_public: bool,
}

pub(crate) async fn find(database: &Database, id: &MediaId) -> Result<Option<Found>, StorageError> {
    const SQL: &str = "
        SELECT media.user_number, media.expires_ts, media.content_type, media.file_name, media.is_public,
               media_contents.content_hash, media_contents.blob_key, media_contents.size_bytes
          FROM media LEFT JOIN media_contents ON media_contents.content_hash = media.content_hash
         WHERE media.media_id = $1";
    let Some(row) = database.fetch_optional(SQL, &[id.as_str().into()]).await? else {
        return Ok(None);
    };
    let Some(hash) = row.optional_text(5)? else {
        return Ok(Some(Found::Pending {
            user: row.optional_int(0)?.map(UserNumber),
            expires: Timestamp(row.int(1)?),
        }));
    };
    Ok(Some(Found::Stored(Stored {
        content: Content {
            hash: ContentHash::stored(hash),
            key: BlobKey::stored(row.text(6)?),
            size: size_of(row.int(7)?),
        },
        description: Description {
            content_type: row.text(2)?,
            file_name: row.optional_text(3)?,
        },
        is_public: row.flag(4)?,
    })))
}

/// Writes media whose content is known in this transaction.
pub(crate) async fn insert(tx: &mut Tx, media: &NewMedia, now: Timestamp) -> Result<(), StorageError> {
    const SQL: &str = "
        INSERT INTO media (media_id, user_number, content_hash, content_type, file_name, created_ts, expires_ts, is_public)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let values = [
        media.id.as_str().into(),
        media.user.map(|user| user.0).into(),
        media.hash.as_str().into(),
        media.description.content_type.as_str().into(),
        media.description.file_name.as_deref().into(),
        now.into(),
        media.expires.map(|expires| expires.0).into(),
        media.is_public.into(),
    ];
    tx.execute(SQL, &values).await?;
    Ok(())
}

/// Gives created media the content that it was waiting for. Answers whether it was: `false` if it has one, or is gone.
pub(crate) async fn fill(tx: &mut Tx, media: &NewMedia) -> Result<bool, StorageError> {
    const SQL: &str = "
        UPDATE media SET content_hash = $2, content_type = $3, file_name = $4, expires_ts = NULL, is_public = $5
         WHERE media_id = $1 AND content_hash IS NULL";
    let values = [
        media.id.as_str().into(),
        media.hash.as_str().into(),
        media.description.content_type.as_str().into(),
        media.description.file_name.as_deref().into(),
        media.is_public.into(),
    ];
    Ok(tx.execute(SQL, &values).await? > 0)
}

/// Writes media without content, unless the user has `pending_max` of them that are still in their time. Answers
/// whether it did.
pub(crate) async fn insert_pending(
    tx: &mut Tx,
    id: &MediaId,
    user: UserNumber,
    now: Timestamp,
    expires: Timestamp,
    pending_max: i64,
) -> Result<bool, StorageError> {
    const COUNT: &str = "
        SELECT COUNT(*) FROM media WHERE user_number = $1 AND content_hash IS NULL AND expires_ts > $2";
    const INSERT: &str = "
        INSERT INTO media (media_id, user_number, created_ts, expires_ts, is_public) VALUES ($1, $2, $3, $4, 0)";
    let counted = tx.fetch_optional(COUNT, &[user.0.into(), now.into()]).await?;
    let pending = counted.map(|row| row.int(0)).transpose()?.unwrap_or_default();
    if pending >= pending_max {
        return Ok(false);
    }
    tx.execute(
        INSERT,
        &[id.as_str().into(), user.0.into(), now.into(), expires.into()],
    )
    .await?;
    Ok(true)
}

/// Removes some media whose time is over; the contents that they had, and how many there were.
pub(crate) async fn remove_expired(
    tx: &mut Tx,
    before: Timestamp,
    limit: i64,
) -> Result<(Vec<ContentHash>, usize), StorageError> {
    const SQL: &str = "
        DELETE FROM media WHERE media_id IN (
            SELECT media_id FROM media WHERE expires_ts < $1 ORDER BY expires_ts, media_id LIMIT $2)
        RETURNING content_hash";
    let rows = tx.fetch_all(SQL, &[before.into(), limit.into()]).await?;
    let hashes = rows
        .iter()
        .filter_map(|row| row.optional_text(0).transpose())
        .map(|hash| hash.map(ContentHash::stored))
        .collect::<Result<_, _>>()?;
    Ok((hashes, rows.len()))
}

/// Removes media of this server: the content that it had, if any; `None` if there is no such media.
pub(crate) async fn remove(tx: &mut Tx, id: &MediaId) -> Result<Option<Option<ContentHash>>, StorageError> {
    const SQL: &str = "DELETE FROM media WHERE media_id = $1 RETURNING content_hash";
    let row = tx.fetch_optional(SQL, &[id.as_str().into()]).await?;
    row.map(|row| Ok(row.optional_text(0)?.map(ContentHash::stored)))
        .transpose()
}
