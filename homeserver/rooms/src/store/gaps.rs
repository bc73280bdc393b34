//! Gaps in rooms' timelines.

use echorift_storage::{
    Cells, Change, Database, Position, RecordIndex, RoomNumber, Statement, StorageError, list,
};

use crate::gaps::{GAP_POSITIONS, HistoryGap};

static OPEN: Statement = Statement::insert(
    "INSERT INTO history_gaps (room_number, lower_position, upper_position, edge_position, is_open)
     SELECT CAST(value ->> 0 AS BIGINT), CAST(value ->> 2 AS BIGINT) - CAST(value ->> 1 AS BIGINT) - 1,
            CAST(value ->> 2 AS BIGINT), CAST(value ->> 2 AS BIGINT), 1
       FROM json_each($1)",
);

static MOVE_EDGE: Statement = Statement::upsert(
    2,
    "UPDATE history_gaps SET edge_position = CAST(gap.value ->> 2 AS BIGINT)
       FROM json_each($1) AS gap
      WHERE history_gaps.room_number = CAST(gap.value ->> 0 AS BIGINT)
        AND history_gaps.lower_position = CAST(gap.value ->> 1 AS BIGINT)",
);

static CLOSE: Statement = Statement::upsert(
    2,
    "UPDATE history_gaps SET is_open = 0
       FROM json_each($1) AS gap
      WHERE history_gaps.room_number = CAST(gap.value ->> 0 AS BIGINT)
        AND history_gaps.lower_position = CAST(gap.value ->> 1 AS BIGINT)",
);

/// Opens a gap right below the event of `record`.
pub(crate) fn open(change: &mut Change, room: RoomNumber, record: RecordIndex) {
    let positions = i64::try_from(GAP_POSITIONS).unwrap_or(i64::MAX);
    change.write_at(&OPEN, Cells::new().with(room).with(positions), record);
}

/// Says that all from `edge` on is here.
pub(crate) fn move_edge(change: &mut Change, room: RoomNumber, lower: Position, edge: Position) {
    change.write(&MOVE_EDGE, Cells::new().with(room).with(lower).with(edge));
}

/// Says that nothing is missing any more, or that no more is looked for.
pub(crate) fn close(change: &mut Change, room: RoomNumber, lower: Position) {
    change.write(&CLOSE, Cells::new().with(room).with(lower));
}

/// The open gaps of these rooms, the lowest of a room first.
pub(crate) async fn open_in(
    database: &Database,
    rooms: &[RoomNumber],
) -> Result<Vec<(RoomNumber, HistoryGap)>, StorageError> {
    const SQL: &str = "
        SELECT room_number, lower_position, edge_position FROM history_gaps
         WHERE room_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1)) AND is_open = 1
         ORDER BY room_number, lower_position";
    let rows = database.fetch_all(SQL, &[list(rooms.iter().copied())]).await?;
    let gap = |row: &echorift_storage::Row| {
        let gap = HistoryGap {
            lower: Position(row.int(1)?),
            upper: Position(row.int(2)?),
        };
        Ok((RoomNumber(row.int(0)?), gap))
    };
    rows.iter().map(gap).collect()
}
