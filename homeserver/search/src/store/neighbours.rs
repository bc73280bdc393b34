//! The events around those that were found.

use echorift_storage::{Cells, Database, EventNumber, Position, RoomNumber, StorageError};

use super::rows;

/// The numbers of up to `before` timeline events before each of these places and up to `after` behind it, all rooms and
/// places together and each once. One query, however many places.
pub(crate) async fn around(
    database: &Database,
    places: &[(RoomNumber, Position)],
    before: i64,
    after: i64,
) -> Result<Vec<EventNumber>, StorageError> {
    const SQL: &str = "
        SELECT DISTINCT events.event_number
          FROM json_each($1) AS place
          JOIN events ON events.room_number = CAST(place.value ->> 0 AS BIGINT)
           AND events.position >= COALESCE(
               (SELECT MIN(position) FROM (
                   SELECT earlier.position FROM events AS earlier
                    WHERE earlier.room_number = CAST(place.value ->> 0 AS BIGINT)
                      AND earlier.position < CAST(place.value ->> 1 AS BIGINT)
                    ORDER BY earlier.position DESC LIMIT $2) AS nearest),
               CAST(place.value ->> 1 AS BIGINT))
           AND events.position <= COALESCE(
               (SELECT MAX(position) FROM (
                   SELECT later.position FROM events AS later
                    WHERE later.room_number = CAST(place.value ->> 0 AS BIGINT)
                      AND later.position > CAST(place.value ->> 1 AS BIGINT)
                    ORDER BY later.position LIMIT $3) AS nearest),
               CAST(place.value ->> 1 AS BIGINT))";
    let places = places
        .iter()
        .map(|(room, position)| Cells::new().with(*room).with(*position));
    let rows = database
        .fetch_all(SQL, &[rows(places), before.into(), after.into()])
        .await?;
    rows.iter().map(|row| Ok(EventNumber(row.int(0)?))).collect()
}
