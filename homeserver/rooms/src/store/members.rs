use echorift_storage::{Database, EventNumber, StorageError};

/// A state event and those that stood in its place before it, latest first; `limit` of them at most.
pub(crate) async fn chain(
    database: &Database,
    last: EventNumber,
    limit: i64,
) -> Result<Vec<EventNumber>, StorageError> {
    const SQL: &str = "
        WITH RECURSIVE chain (event_number, replaces_number, place) AS (
            SELECT event_number, replaces_number, 1 FROM events WHERE event_number = $1
            UNION ALL
            SELECT events.event_number, events.replaces_number, chain.place + 1
              FROM chain JOIN events ON events.event_number = chain.replaces_number
             WHERE chain.place < $2)
        SELECT event_number FROM chain ORDER BY place";
    let rows = database.fetch_all(SQL, &[last.into(), limit.into()]).await?;
    rows.iter().map(|row| Ok(EventNumber(row.int(0)?))).collect()
}
