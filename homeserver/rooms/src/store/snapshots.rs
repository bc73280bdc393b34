use std::collections::HashMap;

use echorift_storage::{
    Cells, Change, Database, EventNumber, RoomNumber, SnapshotNumber, Statement, StorageError, list,
};

use super::{numbers_json, parse_numbers};
use crate::state::State;

static INSERT: Statement = Statement::insert(
    "INSERT INTO state_snapshots (snapshot_number, room_number, parent_number, chain_length, added, removed)
     SELECT CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT), CAST(value ->> 2 AS BIGINT),
            CAST(value ->> 3 AS BIGINT), value ->> 4, value ->> 5
       FROM json_each($1)",
);

/// Adds the row of a state that differs from `parent` by `added` and, under keys that have nothing any more, `removed`.
pub(crate) fn insert_delta(
    change: &mut Change,
    room: RoomNumber,
    state: &State,
    parent: SnapshotNumber,
    added: &[EventNumber],
    removed: &[EventNumber],
) {
    let cells = Cells::new()
        .with(state.snapshot)
        .with(room)
        .with(parent)
        .with(state.chain_length)
        .with(numbers_json(added.iter().map(|event| event.0)))
        .with(numbers_json(removed.iter().map(|event| event.0)));
    change.write(&INSERT, cells);
}

/// Adds the row of a whole state.
pub(crate) fn insert_full(change: &mut Change, room: RoomNumber, state: &State) {
    let cells = Cells::new()
        .with(state.snapshot)
        .with(room)
        .with(None::<i64>)
        .with(0)
        .with(numbers_json(state.events().map(|event| event.0)))
        .with("[]");
    change.write(&INSERT, cells);
}

/// The states stored under these numbers. Two queries, however many are asked for.
///
/// Errors: `Corrupt` if one of them, or an event in it, is not stored.
pub(crate) async fn load(
    database: &Database,
    snapshots: impl IntoIterator<Item = SnapshotNumber>,
) -> Result<HashMap<SnapshotNumber, State>, StorageError> {
    const CHAINS: &str = "
        WITH RECURSIVE chain (wanted, snapshot_number, parent_number, chain_length, added, removed) AS (
            SELECT snapshot_number, snapshot_number, parent_number, chain_length, added, removed FROM state_snapshots
             WHERE snapshot_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))
            UNION ALL
            SELECT chain.wanted, parent.snapshot_number, parent.parent_number, parent.chain_length, parent.added,
                   parent.removed
              FROM chain JOIN state_snapshots AS parent ON parent.snapshot_number = chain.parent_number)
        SELECT wanted, chain_length, added, removed FROM chain ORDER BY wanted, chain_length";
    const KEYS: &str = "
        SELECT event_number, event_type, state_key FROM events
         WHERE event_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1)) AND state_key IS NOT NULL";

    let wanted: Vec<SnapshotNumber> = snapshots.into_iter().collect();
    let rows = database
        .fetch_all(CHAINS, &[list(wanted.iter().copied())])
        .await?;
    let mut deltas = Vec::with_capacity(rows.len());
    for row in &rows {
        let added = parse_numbers("state_snapshots.added", &row.text(2)?)?;
        let removed = parse_numbers("state_snapshots.removed", &row.text(3)?)?;
        deltas.push((SnapshotNumber(row.int(0)?), row.int(1)?, added, removed));
    }
    let mut numbers: Vec<i64> = deltas
        .iter()
        .flat_map(|(_, _, added, removed)| added.iter().chain(removed))
        .copied()
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    let mut keys = HashMap::with_capacity(numbers.len());
    for row in database.fetch_all(KEYS, &[list(numbers)]).await? {
        keys.insert(row.int(0)?, (row.text(1)?, row.text(2)?));
    }

    let missing =
        |number: i64| StorageError::corrupt("state_snapshots.added", format!("event {number} is missing"));
    let mut states: HashMap<SnapshotNumber, State> = HashMap::with_capacity(wanted.len());
    for (wanted, chain_length, added, removed) in deltas {
        let state = states.entry(wanted).or_default();
        state.snapshot = wanted;
        state.chain_length = chain_length;
        for number in removed {
            let (event_type, state_key) = keys.get(&number).ok_or_else(|| missing(number))?;
            state.remove_key(&crate::state::key_of(event_type, state_key));
        }
        for number in added {
            let (event_type, state_key) = keys.get(&number).ok_or_else(|| missing(number))?;
            state.insert(event_type, state_key, EventNumber(number));
        }
    }
    for snapshot in wanted {
        // Snapshot 0 is the state of a room before its first event.
        if snapshot != SnapshotNumber(0) && !states.contains_key(&snapshot) {
            return Err(StorageError::corrupt(
                "state_snapshots",
                format!("snapshot {snapshot} is missing"),
            ));
        }
    }
    Ok(states)
}
