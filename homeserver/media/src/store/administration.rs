use echorift_storage::{Cells, Change, Database, Row, Statement, StorageError, Timestamp, UserNumber, Value};
use ruma::ServerName;

use crate::administration::{MediaOverview, MediaPlace, MediaUsage, UserUsage};
use crate::ids::MediaId;

static QUARANTINE: Statement = Statement::upsert(
    2,
    "INSERT INTO quarantined_media (server_name, media_id, quarantined_ts)
     SELECT value ->> 0, value ->> 1, CAST(value ->> 2 AS BIGINT) FROM json_each($1) WHERE true
     ON CONFLICT (server_name, media_id) DO NOTHING",
);

static RELEASE: Statement = Statement::upsert(
    2,
    "DELETE FROM quarantined_media
      WHERE (server_name, media_id) IN (SELECT value ->> 0, value ->> 1 FROM json_each($1))",
);

pub(crate) fn put_quarantine(
    change: &mut Change,
    server: &ServerName,
    id: &MediaId,
    is_quarantined: bool,
    now: Timestamp,
) {
    let cells = Cells::new().with(server.as_str()).with(id.as_str());
    match is_quarantined {
        true => change.write(&QUARANTINE, cells.with(now)),
        false => change.write(&RELEASE, cells),
    }
}

pub(crate) async fn is_quarantined(
    database: &Database,
    server: &ServerName,
    id: &MediaId,
) -> Result<bool, StorageError> {
    const SQL: &str = "SELECT 1 FROM quarantined_media WHERE server_name = $1 AND media_id = $2";
    let found = database
        .fetch_optional(SQL, &[server.as_str().into(), id.as_str().into()])
        .await?;
    Ok(found.is_some())
}

async fn usage(database: &Database, sql: &'static str, values: &[Value]) -> Result<MediaUsage, StorageError> {
    let Some(row) = database.fetch_optional(sql, values).await? else {
        return Ok(MediaUsage::default());
    };
    Ok(MediaUsage {
        files: row.int(0)?,
        bytes: row.int(1)?,
    })
}

pub(crate) async fn local_usage(database: &Database) -> Result<MediaUsage, StorageError> {
    const SQL: &str = "
        SELECT COUNT(*), CAST(COALESCE(SUM(media_contents.size_bytes), 0) AS BIGINT)
          FROM media JOIN media_contents ON media_contents.content_hash = media.content_hash";
    usage(database, SQL, &[]).await
}

pub(crate) async fn remote_usage(database: &Database) -> Result<MediaUsage, StorageError> {
    const SQL: &str = "
        SELECT COUNT(*), CAST(COALESCE(SUM(media_contents.size_bytes), 0) AS BIGINT)
          FROM remote_media JOIN media_contents ON media_contents.content_hash = remote_media.content_hash";
    usage(database, SQL, &[]).await
}

pub(crate) async fn unread_usage(database: &Database, since: Timestamp) -> Result<MediaUsage, StorageError> {
    const SQL: &str = "
        SELECT COUNT(*), CAST(COALESCE(SUM(media_contents.size_bytes), 0) AS BIGINT)
          FROM remote_media JOIN media_contents ON media_contents.content_hash = remote_media.content_hash
         WHERE remote_media.read_ts < $1";
    usage(database, SQL, &[since.into()]).await
}

pub(crate) async fn usage_of(database: &Database, user: UserNumber) -> Result<MediaUsage, StorageError> {
    const SQL: &str = "
        SELECT COUNT(*), CAST(COALESCE(SUM(media_contents.size_bytes), 0) AS BIGINT)
          FROM media JOIN media_contents ON media_contents.content_hash = media.content_hash
         WHERE media.user_number = $1";
    usage(database, SQL, &[user.into()]).await
}

/// Who has uploaded how much, those with the most first, after this many bytes and this user.
pub(crate) async fn usage_by_user(
    database: &Database,
    (bytes, user): (i64, UserNumber),
    limit: i64,
) -> Result<Vec<UserUsage>, StorageError> {
    const SQL: &str = "
        SELECT used.user_number, user_numbers.user_id, used.files, used.bytes
          FROM (SELECT media.user_number, COUNT(*) AS files,
                       CAST(SUM(media_contents.size_bytes) AS BIGINT) AS bytes
                  FROM media JOIN media_contents ON media_contents.content_hash = media.content_hash
                 WHERE media.user_number IS NOT NULL
                 GROUP BY media.user_number) AS used
               JOIN user_numbers ON user_numbers.user_number = used.user_number
         WHERE used.bytes < $1 OR (used.bytes = $1 AND used.user_number > $2)
         ORDER BY used.bytes DESC, used.user_number LIMIT $3";
    let rows = database
        .fetch_all(SQL, &[bytes.into(), user.into(), limit.into()])
        .await?;
    let read = |row: &Row| {
        Ok(UserUsage {
            number: UserNumber(row.int(0)?),
            user_id: row.text(1)?,
            usage: MediaUsage {
                files: row.int(2)?,
                bytes: row.int(3)?,
            },
        })
    };
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<MediaOverview, StorageError> {
    Ok(MediaOverview {
        media_id: row.text(0)?,
        name: row.optional_text(1)?,
        content_type: row.text(2)?,
        bytes: row.int(3)?,
        created: Timestamp(row.int(4)?),
        read: row.optional_int(5)?.map(Timestamp),
        uploader: row.optional_text(6)?,
        is_quarantined: row.flag(7)?,
    })
}

/// Where a page begins, as parameters.
fn place(after: Option<&MediaPlace>) -> [Value; 2] {
    match after {
        Some(after) => [after.created.into(), after.media_id.as_str().into()],
        None => [i64::MAX.into(), "".into()],
    }
}

/// Files of this server, of one user or of all, newest first.
pub(crate) async fn of_users(
    database: &Database,
    own: &ServerName,
    user: Option<UserNumber>,
    after: Option<&MediaPlace>,
    limit: i64,
) -> Result<Vec<MediaOverview>, StorageError> {
    const SQL: &str = "
        SELECT media.media_id, media.file_name, media.content_type, media_contents.size_bytes, media.created_ts,
               CAST(NULL AS BIGINT), user_numbers.user_id,
               CASE WHEN quarantined_media.media_id IS NULL THEN CAST(0 AS BIGINT) ELSE CAST(1 AS BIGINT) END
          FROM media
               JOIN media_contents ON media_contents.content_hash = media.content_hash
               LEFT JOIN user_numbers ON user_numbers.user_number = media.user_number
               LEFT JOIN quarantined_media
               ON quarantined_media.server_name = $1 AND quarantined_media.media_id = media.media_id
         WHERE (CAST($2 AS BIGINT) IS NULL OR media.user_number = $2)
           AND (media.created_ts < $3 OR (media.created_ts = $3 AND media.media_id > $4))
         ORDER BY media.created_ts DESC, media.media_id LIMIT $5";
    let [created, media_id] = place(after);
    let values = [
        own.as_str().into(),
        user.map(|user| user.0).into(),
        created,
        media_id,
        limit.into(),
    ];
    let rows = database.fetch_all(SQL, &values).await?;
    rows.iter().map(read).collect()
}

/// Files of another server that are kept here, newest first.
pub(crate) async fn of_server(
    database: &Database,
    server: &ServerName,
    after: Option<&MediaPlace>,
    limit: i64,
) -> Result<Vec<MediaOverview>, StorageError> {
    const SQL: &str = "
        SELECT remote_media.media_id, remote_media.file_name, remote_media.content_type,
               media_contents.size_bytes, remote_media.fetched_ts, remote_media.read_ts, CAST(NULL AS TEXT),
               CASE WHEN quarantined_media.media_id IS NULL THEN CAST(0 AS BIGINT) ELSE CAST(1 AS BIGINT) END
          FROM remote_media
               JOIN media_contents ON media_contents.content_hash = remote_media.content_hash
               LEFT JOIN quarantined_media
               ON quarantined_media.server_name = remote_media.server_name
                  AND quarantined_media.media_id = remote_media.media_id
         WHERE remote_media.server_name = $1
           AND (remote_media.fetched_ts < $2 OR (remote_media.fetched_ts = $2 AND remote_media.media_id > $3))
         ORDER BY remote_media.fetched_ts DESC, remote_media.media_id LIMIT $4";
    let [created, media_id] = place(after);
    let values = [server.as_str().into(), created, media_id, limit.into()];
    let rows = database.fetch_all(SQL, &values).await?;
    rows.iter().map(read).collect()
}
