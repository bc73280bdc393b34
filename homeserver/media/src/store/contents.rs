use echorift_storage::{Database, StorageError, Timestamp, Tx, list};

use super::{Content, size_of, stored_size};
use crate::ids::{BlobKey, ContentHash};

/// The content with this hash, if the store has it.
pub(crate) async fn find(database: &Database, hash: &ContentHash) -> Result<Option<Content>, StorageError> {
    const SQL: &str = "SELECT blob_key, size_bytes FROM media_contents WHERE content_hash = $1";
    let row = database.fetch_optional(SQL, &[hash.as_str().into()]).await?;
    row.map(|row| {
        Ok(Content {
            hash: hash.clone(),
            key: BlobKey::stored(row.text(0)?),
            size: size_of(row.int(1)?),
        })
    })
    .transpose()
}

/// Whether the content is known in this transaction. On PostgreSQL its row cannot go before the transaction has ended,
/// because a reference to it is written next.
pub(crate) async fn is_known(tx: &mut Tx, hash: &ContentHash) -> Result<bool, StorageError> {
    const SQL: &str = "SELECT 1 FROM media_contents WHERE content_hash = $1";
    Ok(tx.fetch_optional(SQL, &[hash.as_str().into()]).await?.is_some())
}

/// Notes a content that has just been placed, and takes its name off the garbage. If another upload of the same content
/// was quicker, the name stays garbage.
pub(crate) async fn insert(tx: &mut Tx, content: &Content, now: Timestamp) -> Result<(), StorageError> {
    const INSERT: &str = "
        INSERT INTO media_contents (content_hash, blob_key, size_bytes, created_ts)
        VALUES ($1, $2, $3, $4) ON CONFLICT (content_hash) DO NOTHING";
    const KEEP: &str = "DELETE FROM media_garbage WHERE blob_key = $1";
    let key = content.key.as_str();
    let size = stored_size(content.size);
    let inserted = tx
        .execute(
            INSERT,
            &[content.hash.as_str().into(), key.into(), size.into(), now.into()],
        )
        .await?;
    if inserted > 0 {
        tx.execute(KEEP, &[key.into()]).await?;
    }
    Ok(())
}

/// Forgets those of these contents that nothing refers to, with the thumbnails made from them. Their names become
/// garbage. Answers the contents of the thumbnails, which may be without reference now in their turn.
pub(crate) async fn forget_unused(
    tx: &mut Tx,
    hashes: &[ContentHash],
    now: Timestamp,
) -> Result<Vec<ContentHash>, StorageError> {
    const THUMBNAILS: &str = "
        DELETE FROM media_thumbnails
         WHERE source_hash IN (SELECT value ->> 0 FROM json_each($1))
           AND NOT EXISTS (SELECT 1 FROM media WHERE media.content_hash = media_thumbnails.source_hash)
           AND NOT EXISTS (SELECT 1 FROM remote_media WHERE remote_media.content_hash = media_thumbnails.source_hash)
        RETURNING content_hash";
    const CONTENTS: &str = "
        DELETE FROM media_contents
         WHERE content_hash IN (SELECT value ->> 0 FROM json_each($1))
           AND NOT EXISTS (SELECT 1 FROM media WHERE media.content_hash = media_contents.content_hash)
           AND NOT EXISTS (SELECT 1 FROM remote_media WHERE remote_media.content_hash = media_contents.content_hash)
           AND NOT EXISTS (SELECT 1 FROM media_thumbnails
                            WHERE media_thumbnails.content_hash = media_contents.content_hash
                               OR media_thumbnails.source_hash = media_contents.content_hash)
        RETURNING blob_key";
    const GARBAGE: &str = "
        INSERT INTO media_garbage (blob_key, remove_ts)
        SELECT value ->> 0, $2 FROM json_each($1) WHERE true
        ON CONFLICT (blob_key) DO UPDATE SET remove_ts = excluded.remove_ts";
    let wanted = list(hashes.iter().map(ContentHash::as_str));
    let thumbnails = tx.fetch_all(THUMBNAILS, std::slice::from_ref(&wanted)).await?;
    let keys = tx.fetch_all(CONTENTS, &[wanted]).await?;
    let keys = keys
        .iter()
        .map(|row| row.text(0))
        .collect::<Result<Vec<_>, _>>()?;
    if !keys.is_empty() {
        tx.execute(GARBAGE, &[list(keys), now.into()]).await?;
    }
    thumbnails
        .iter()
        .map(|row| Ok(ContentHash::stored(row.text(0)?)))
        .collect()
}
