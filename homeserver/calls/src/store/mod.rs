//! What is remembered of calls: who was let in, and whose departure is left to this server.

pub(crate) mod departures;
pub(crate) mod grants;

use crate::calls::Seat;
use echorift_storage::{Cells, Row, StorageError};

/// The key columns of a seat.
pub(super) fn cells_of(seat: &Seat) -> Cells {
    Cells::new()
        .with(&seat.sfu)
        .with(&seat.livekit_room)
        .with(&seat.identity)
}

/// A seat from the first three columns.
pub(super) fn seat_of(row: &Row) -> Result<Seat, StorageError> {
    Ok(Seat {
        sfu: row.text(0)?,
        livekit_room: row.text(1)?,
        identity: row.text(2)?,
    })
}
