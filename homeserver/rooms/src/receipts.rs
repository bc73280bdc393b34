//! Receipts: how far each member has read (CS API § Receipts).

use std::sync::Arc;

use echorift_storage::{
    Cells, Change, Database, Position, Record, RoomNumber, Statement, StorageError, Timestamp, UserNumber,
    list,
};
use imbl::OrdMap;
use parking_lot::RwLock;
use ruma::OwnedEventId;

use crate::{room::Room, store::parse_stored};

static PUT: Statement = Statement::upsert(
    4,
    "INSERT INTO receipts (room_number, user_number, receipt_type, thread_id, event_id, read_position, ts, position)
     SELECT CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT), value ->> 2, value ->> 3, value ->> 4,
            CAST(value ->> 5 AS BIGINT), CAST(value ->> 6 AS BIGINT), CAST(value ->> 7 AS BIGINT)
       FROM json_each($1) WHERE true
     ON CONFLICT (room_number, user_number, receipt_type, thread_id) DO UPDATE
        SET event_id = excluded.event_id, read_position = excluded.read_position, ts = excluded.ts,
            position = excluded.position",
);

/// Who sees a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReceiptKind {
    /// `m.read`: everyone in the room.
    Public,
    /// `m.read.private`: only the reader.
    Private,
}

impl ReceiptKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "m.read",
            Self::Private => "m.read.private",
        }
    }
}

/// Whose receipt of which kind for which thread. The thread is empty for unthreaded receipts, `main`, or the ID of
/// the thread's root (CS API § Threaded read receipts).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReceiptKey {
    pub user: UserNumber,
    pub kind: ReceiptKind,
    pub thread: Arc<str>,
}

/// The latest receipt of its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    pub event_id: OwnedEventId,
    /// The place of that event in the timeline; 0 if it is not known here.
    pub read_position: Position,
    pub ts: Timestamp,
    /// When the receipt itself became visible.
    pub position: Position,
}

/// The receipts of a loaded room. Taking a copy of the map costs nothing.
#[derive(Default)]
pub struct RoomReceipts(RwLock<OrdMap<ReceiptKey, Receipt>>);

impl RoomReceipts {
    pub(crate) fn new(receipts: OrdMap<ReceiptKey, Receipt>) -> Self {
        Self(RwLock::new(receipts))
    }

    pub fn all(&self) -> OrdMap<ReceiptKey, Receipt> {
        self.0.read().clone()
    }

    /// The furthest that `user` has read, by receipts of either kind that count for `thread` (`None`: the receipts
    /// without a thread only).
    pub fn read_up_to(&self, user: UserNumber, thread: Option<&str>) -> Position {
        let receipts = self.0.read();
        let kinds = [ReceiptKind::Public, ReceiptKind::Private];
        let threads = [Some(""), thread].into_iter().flatten();
        let keys = threads.flat_map(|thread| {
            kinds.map(|kind| ReceiptKey {
                user,
                kind,
                thread: thread.into(),
            })
        });
        keys.filter_map(|key| receipts.get(&key).map(|receipt| receipt.read_position))
            .max()
            .unwrap_or_default()
    }

    pub(crate) fn put(&self, key: ReceiptKey, receipt: Receipt) {
        let mut receipts = self.0.write();
        if receipts
            .get(&key)
            .is_none_or(|known| known.position <= receipt.position)
        {
            receipts.insert(key, receipt);
        }
    }
}

/// Stores receipts of one room and makes them visible. The caller has checked that the events exist and that none
/// goes backwards.
pub(crate) async fn commit(
    database: &Database,
    room: &Arc<Room>,
    receipts: Vec<(ReceiptKey, Receipt)>,
) -> Result<(), StorageError> {
    let mut change = Change::new();
    for (key, receipt) in &receipts {
        let private = key.kind == ReceiptKind::Private;
        let record = change.record(Record::Receipt {
            room: room.number,
            user: key.user,
            private,
        });
        let cells = Cells::new()
            .with(room.number)
            .with(key.user)
            .with(key.kind.as_str())
            .with(&*key.thread)
            .with(receipt.event_id.as_str())
            .with(receipt.read_position)
            .with(receipt.ts);
        change.write_at(&PUT, cells, record);
    }
    let room = Arc::clone(room);
    change.on_commit(move |first| {
        for (offset, (key, mut receipt)) in (0..).zip(receipts) {
            receipt.position = Position(first.0.saturating_add(offset));
            room.receipts.put(key, receipt);
        }
    });
    database.writer().commit(change).await
}

/// The receipts of these rooms.
pub(crate) async fn load(
    database: &Database,
    rooms: &[RoomNumber],
) -> Result<Vec<(RoomNumber, ReceiptKey, Receipt)>, StorageError> {
    const SQL: &str = "
        SELECT room_number, user_number, receipt_type, thread_id, event_id, read_position, ts, position FROM receipts
         WHERE room_number IN (SELECT CAST(value ->> 0 AS BIGINT) FROM json_each($1))";
    let rows = database.fetch_all(SQL, &[list(rooms.iter().copied())]).await?;
    let parsed = rows.iter().map(|row| {
        let kind = match row.text(2)?.as_str() {
            "m.read" => ReceiptKind::Public,
            "m.read.private" => ReceiptKind::Private,
            other => return Err(StorageError::corrupt("receipts.receipt_type", other)),
        };
        let key = ReceiptKey {
            user: UserNumber(row.int(1)?),
            kind,
            thread: row.text(3)?.into(),
        };
        let receipt = Receipt {
            event_id: parse_stored("receipts.event_id", &row.text(4)?)?,
            read_position: Position(row.int(5)?),
            ts: Timestamp(row.int(6)?),
            position: Position(row.int(7)?),
        };
        Ok((RoomNumber(row.int(0)?), key, receipt))
    });
    parsed.collect()
}
