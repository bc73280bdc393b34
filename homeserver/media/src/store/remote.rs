use echorift_storage::{Cells, Change, Database, Statement, StorageError, Timestamp, Tx};
use ruma::ServerName;

use super::media::{Description, Stored};
use super::{Content, size_of};
use crate::ids::{BlobKey, ContentHash, MediaId};

/// Media of another server that is kept here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) content: Content,
    pub(crate) description: Description,
    pub(crate) read: Timestamp,
}

impl Kept {
    /// As media of ours is found, with the operator's word on who may fetch it without a token.
    pub(crate) fn into_stored(self, is_public: bool) -> Stored {
        Stored {
            content: self.content,
            description: self.description,
            is_public,
        }
    }
}

static READ: Statement = Statement::upsert(
    2,
    "UPDATE remote_media SET read_ts = CAST(reading.value ->> 2 AS BIGINT)
       FROM json_each($1) AS reading
      WHERE remote_media.server_name = reading.value ->> 0 AND remote_media.media_id = reading.value ->> 1",
);

pub(crate) async fn find(
    database: &Database,
    server: &ServerName,
    id: &MediaId,
) -> Result<Option<Kept>, StorageError> {
    const SQL: &str = "
        SELECT remote_media.content_type, remote_media.file_name, remote_media.read_ts,
               media_contents.content_hash, media_contents.blob_key, media_contents.size_bytes
          FROM remote_media JOIN media_contents ON media_contents.content_hash = remote_media.content_hash
         WHERE remote_media.server_name = $1 AND remote_media.media_id = $2";
    let row = database
        .fetch_optional(SQL, &[server.as_str().into(), id.as_str().into()])
        .await?;
    row.map(|row| {
        Ok(Kept {
            description: Description {
                content_type: row.text(0)?,
                file_name: row.optional_text(1)?,
            },
            read: Timestamp(row.int(2)?),
            content: Content {
                hash: ContentHash::stored(row.text(3)?),
                key: BlobKey::stored(row.text(4)?),
                size: size_of(row.int(5)?),
            },
        })
    })
    .transpose()
}

/// Writes media whose content is known in this transaction. What was fetched of it before is replaced.
pub(crate) async fn put(
    tx: &mut Tx,
    server: &ServerName,
    id: &MediaId,
    hash: &ContentHash,
    description: &Description,
    now: Timestamp,
) -> Result<(), StorageError> {
    const SQL: &str = "
        INSERT INTO remote_media (server_name, media_id, content_hash, content_type, file_name, fetched_ts, read_ts)
        VALUES ($1, $2, $3, $4, $5, $6, $6)
        ON CONFLICT (server_name, media_id) DO UPDATE
           SET content_hash = excluded.content_hash, content_type = excluded.content_type,
               file_name = excluded.file_name, fetched_ts = excluded.fetched_ts, read_ts = excluded.read_ts";
    let values = [
        server.as_str().into(),
        id.as_str().into(),
        hash.as_str().into(),
        description.content_type.as_str().into(),
        description.file_name.as_deref().into(),
        now.into(),
    ];
    tx.execute(SQL, &values).await.map(drop)
}

/// Notes that somebody reads it.
pub(crate) fn note_reading(change: &mut Change, server: &ServerName, id: &MediaId, now: Timestamp) {
    change.write(
        &READ,
        Cells::new().with(server.as_str()).with(id.as_str()).with(now),
    );
}

/// Removes some media that nobody has read since `before`; the contents that they had, and how many there were.
pub(crate) async fn remove_unread(
    tx: &mut Tx,
    before: Timestamp,
    limit: i64,
) -> Result<(Vec<ContentHash>, usize), StorageError> {
    const SQL: &str = "
        DELETE FROM remote_media WHERE (server_name, media_id) IN (
            SELECT server_name, media_id FROM remote_media WHERE read_ts < $1
             ORDER BY read_ts, server_name, media_id LIMIT $2)
        RETURNING content_hash";
    let rows = tx.fetch_all(SQL, &[before.into(), limit.into()]).await?;
    let hashes = rows.iter().map(|row| Ok(ContentHash::stored(row.text(0)?)));
    let hashes: Vec<ContentHash> = hashes.collect::<Result<_, StorageError>>()?;
    let removed = hashes.len();
    Ok((hashes, removed))
}

/// Removes media of another server: the content that it had; `None` if it is not kept here.
pub(crate) async fn remove(
    tx: &mut Tx,
    server: &ServerName,
    id: &MediaId,
) -> Result<Option<Option<ContentHash>>, StorageError> {
    const SQL: &str = "
        DELETE FROM remote_media WHERE server_name = $1 AND media_id = $2 RETURNING content_hash";
    let row = tx
        .fetch_optional(SQL, &[server.as_str().into(), id.as_str().into()])
        .await?;
    row.map(|row| Ok(Some(ContentHash::stored(row.text(0)?))))
        .transpose()
}
