use echorift_storage::{Database, StorageError, Tx, Value};

use super::{Content, size_of};
use crate::ids::{BlobKey, ContentHash};
use crate::thumbnails::{Form, Method};

/// A thumbnail that has been made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) content: Content,
    pub(crate) content_type: String,
}

pub(crate) async fn find(
    database: &Database,
    source: &ContentHash,
    form: Form,
) -> Result<Option<Made>, StorageError> {
    const SQL: &str = "
        SELECT media_contents.content_hash, media_contents.blob_key, media_contents.size_bytes,
               media_thumbnails.content_type
          FROM media_thumbnails JOIN media_contents ON media_contents.content_hash = media_thumbnails.content_hash
         WHERE source_hash = $1 AND width = $2 AND height = $3 AND method = $4 AND is_animated = $5";
    let row = database.fetch_optional(SQL, &key(source, form)).await?;
    row.map(|row| {
        Ok(Made {
            content: Content {
                hash: ContentHash::stored(row.text(0)?),
                key: BlobKey::stored(row.text(1)?),
                size: size_of(row.int(2)?),
            },
            content_type: row.text(3)?,
        })
    })
    .transpose()
}

/// How many forms of one source there are.
pub(crate) async fn count(database: &Database, source: &ContentHash) -> Result<i64, StorageError> {
    const SQL: &str = "SELECT COUNT(*) FROM media_thumbnails WHERE source_hash = $1";
    let row = database.fetch_optional(SQL, &[source.as_str().into()]).await?;
    Ok(row.map(|row| row.int(0)).transpose()?.unwrap_or_default())
}

/// Notes a thumbnail whose content is known in this transaction. One that is there already stays.
pub(crate) async fn insert(
    tx: &mut Tx,
    source: &ContentHash,
    form: Form,
    content: &ContentHash,
    content_type: &str,
) -> Result<(), StorageError> {
    const SQL: &str = "
        INSERT INTO media_thumbnails (source_hash, width, height, method, is_animated, content_hash, content_type)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
    let mut values = key(source, form).to_vec();
    values.push(content.as_str().into());
    values.push(content_type.into());
    tx.execute(SQL, &values).await?;
    Ok(())
}

fn key(source: &ContentHash, form: Form) -> [Value; 5] {
    let method = match form.method {
        Method::Crop => "crop",
        Method::Scale => "scale",
    };
    [
        source.as_str().into(),
        i64::from(form.width).into(),
        i64::from(form.height).into(),
        method.into(),
        form.is_animated.into(),
    ]
}
