//! The texts that can be found.

use echorift_storage::{
    Cells, Database, EventNumber, Position, RoomNumber, Row, Sql, StorageError, Tx, UserNumber, list,
};

use super::rows;
use crate::{document::Document, query::Query};

/// A text that has the tokens that were asked for.
#[derive(Debug, Clone)]
pub(crate) struct FoundText {
    pub position: Position,
    pub event: EventNumber,
    /// The event that the text is from: the latest edit, or the event itself.
    pub source: EventNumber,
    pub room: RoomNumber,
    pub sender: UserNumber,
    pub words: String,
}

/// Makes these texts findable, and those of `gone` no longer; a text that stood at the same place is replaced.
pub(crate) async fn put(tx: &mut Tx, documents: &[Document], gone: &[Position]) -> Result<(), StorageError> {
    const FORGET_TOKENS: Sql = Sql::split(
        "DELETE FROM search_tokens WHERE rowid IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))",
        "DELETE FROM search_tokens WHERE position IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))",
    );
    const FORGET: &str = "
        DELETE FROM search_texts WHERE position IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))";
    const PUT_TOKENS: Sql = Sql::split(
        "INSERT INTO search_tokens (rowid, tokens)
         SELECT CAST(value ->> 0 AS BIGINT), value ->> 1 FROM json_each($1)",
        "INSERT INTO search_tokens (position, tokens)
         SELECT CAST(value ->> 0 AS BIGINT), array_to_tsvector(string_to_array(value ->> 1, ' ')) FROM json_each($1)",
    );
    const PUT: &str = "
        INSERT INTO search_texts (position, event_number, text_number, room_number, sender_number, field, words)
        SELECT CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT), CAST(value ->> 2 AS BIGINT),
               CAST(value ->> 3 AS BIGINT), CAST(value ->> 4 AS BIGINT), CAST(value ->> 5 AS BIGINT), value ->> 6
          FROM json_each($1)";
    let places = documents.iter().map(|document| document.position);
    let places = list(places.chain(gone.iter().copied()));
    tx.execute(FORGET_TOKENS, std::slice::from_ref(&places)).await?;
    tx.execute(FORGET, &[places]).await?;
    if documents.is_empty() {
        return Ok(());
    }
    let tokens = documents
        .iter()
        .map(|document| Cells::new().with(document.position).with(&document.tokens));
    tx.execute(PUT_TOKENS, &[rows(tokens)]).await?;
    let texts = documents.iter().map(|document| {
        Cells::new()
            .with(document.position)
            .with(document.event)
            .with(document.source)
            .with(document.room)
            .with(document.sender)
            .with(document.field as i64)
            .with(&document.words)
    });
    tx.execute(PUT, &[rows(texts)]).await.map(drop)
}

/// Up to `limit` texts with `after < position <= to` that satisfy the query, latest first.
pub(crate) async fn find(
    database: &Database,
    query: &Query,
    (after, to): (Position, Position),
    limit: i64,
) -> Result<Vec<FoundText>, StorageError> {
    // FTS5 walks backwards through its row IDs, which are positions. PostgreSQL would do the same for rare words too,
    // once it plans without looking at the values, and its inverted index gathers all matches before it sorts them: so
    // the newest texts are looked through first, for words that are everywhere, and only then is the index asked.
    const SQL: Sql = Sql::split(
        "SELECT search_texts.position, event_number, text_number, room_number, sender_number, words
           FROM (SELECT rowid AS place FROM search_tokens
                  WHERE search_tokens MATCH $1 AND rowid > $2 AND rowid <= $3
                  ORDER BY rowid DESC LIMIT $4) AS found
           JOIN search_texts ON search_texts.position = found.place
          ORDER BY search_texts.position DESC",
        "SELECT search_texts.position, event_number, text_number, room_number, sender_number, words
           FROM (WITH recent AS MATERIALIZED (
                     SELECT position FROM (
                         SELECT position, tokens FROM search_tokens WHERE position > $2 AND position <= $3
                          ORDER BY position DESC LIMIT 4000) AS newest
                      WHERE tokens @@ CAST($1 AS TSQUERY) ORDER BY position DESC LIMIT $4),
                 matched AS MATERIALIZED (
                     SELECT position FROM search_tokens WHERE tokens @@ CAST($1 AS TSQUERY))
                 SELECT position AS place FROM recent WHERE (SELECT COUNT(*) FROM recent) >= $4
                 UNION ALL
                 (SELECT position FROM matched
                   WHERE (SELECT COUNT(*) FROM recent) < $4 AND position > $2 AND position <= $3
                   ORDER BY position DESC LIMIT $4)) AS found
           JOIN search_texts ON search_texts.position = found.place
          ORDER BY search_texts.position DESC",
    );
    let query = query.text(database.dialect());
    let rows = database
        .fetch_all(SQL, &[query.into(), after.into(), to.into(), limit.into()])
        .await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<FoundText, StorageError> {
    Ok(FoundText {
        position: Position(row.int(0)?),
        event: EventNumber(row.int(1)?),
        source: EventNumber(row.int(2)?),
        room: RoomNumber(row.int(3)?),
        sender: UserNumber(row.int(4)?),
        words: row.text(5)?,
    })
}
