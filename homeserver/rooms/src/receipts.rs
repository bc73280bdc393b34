//! Receipts: how far each member has read (CS API § Receipts).

use std::{collections::BTreeMap, sync::Arc};

use echorift_storage::{
    Cells, Change, Database, Position, Record, RoomNumber, Statement, StorageError, Timestamp, UserNumber,
    list,
};
use imbl::OrdMap;
use parking_lot::{Mutex, RwLock};
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
pub struct RoomReceipts {
    visible: RwLock<OrdMap<ReceiptKey, Receipt>>,
    /// Held from the comparison with what is under way until the receipt has its place in the writer's queue, so that
    /// of two receipts at once the further one is written last.
    order: tokio::sync::Mutex<()>,
    /// How far those receipts reach that wait for their commit.
    under_way: Mutex<BTreeMap<ReceiptKey, Position>>,
}

/// Receipts that wait for their commit; they are so no longer when this is dropped, whatever came of it.
struct UnderWay<'a>(&'a RoomReceipts, Vec<(ReceiptKey, Position)>);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut under_way = self.0.under_way.lock();
        for (key, reached) in &self.1 {
            if under_way.get(key) == Some(reached) {
                under_way.remove(key);
            }
        }
    }
}

impl RoomReceipts {
    pub(crate) fn new(receipts: OrdMap<ReceiptKey, Receipt>) -> Self {
        Self {
            visible: RwLock::new(receipts),
            ..Self::default()
        }
    }

    pub fn all(&self) -> OrdMap<ReceiptKey, Receipt> {
        self.visible.read().clone()
    }

    /// The furthest that `user` has read, by receipts of either kind that count for `thread` (`None`: the receipts
    /// without a thread only).
    pub fn read_up_to(&self, user: UserNumber, thread: Option<&str>) -> Position {
        let receipts = self.visible.read();
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
        let mut receipts = self.visible.write();
        if receipts
            .get(&key)
            .is_none_or(|known| known.position <= receipt.position)
        {
            receipts.insert(key, receipt);
        }
    }

    /// Leaves out what would go backwards, also behind what is only under way, and notes the rest as under way.
    fn set_out(&self, receipts: &mut Vec<(ReceiptKey, Receipt)>) -> UnderWay<'_> {
        let (visible, mut under_way) = (self.visible.read(), self.under_way.lock());
        receipts.retain(|(key, receipt)| {
            let seen = visible.get(key).map(|known| known.read_position);
            let reached = seen.max(under_way.get(key).copied());
            reached.is_none_or(|reached| reached < receipt.read_position)
        });
        let reached = receipts
            .iter()
            .map(|(key, receipt)| (key.clone(), receipt.read_position));
        let reached: Vec<_> = reached.collect();
        under_way.extend(reached.iter().cloned());
        UnderWay(self, reached)
    }
}

/// Stores receipts of one room and makes them visible; what goes backwards is left out. The caller has checked that the
/// events exist.
pub(crate) async fn commit(
    database: &Database,
    room: &Arc<Room>,
    mut receipts: Vec<(ReceiptKey, Receipt)>,
) -> Result<(), StorageError> {
    let in_order = room.receipts.order.lock().await;
    let _under_way = room.receipts.set_out(&mut receipts);
    if receipts.is_empty() {
        return Ok(());
    }
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
    let read_in = Arc::clone(room);
    change.on_commit(move |first| {
        for (offset, (key, mut receipt)) in (0..).zip(receipts) {
            receipt.position = Position(first.0.saturating_add(offset));
            read_in.receipts.put(key, receipt);
        }
    });
    let commit = database.writer().submit(change).await;
    drop(in_order);
    commit.done().await
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

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(reached: i64) -> Receipt {
        Receipt {
            event_id: ruma::owned_event_id!("$event"),
            read_position: Position(reached),
            ts: Timestamp(0),
            position: Position(reached),
        }
    }

    fn key() -> ReceiptKey {
        ReceiptKey {
            user: UserNumber(1),
            kind: ReceiptKind::Public,
            thread: "".into(),
        }
    }

    #[test]
    fn a_receipt_does_not_go_back_behind_one_that_is_under_way() {
        let receipts = RoomReceipts::default();
        let sent = |reached: i64| vec![(key(), receipt(reached))];
        let mut far = sent(9);
        let far_under_way = receipts.set_out(&mut far);
        assert_eq!(far.len(), 1);
        let mut near = sent(5);
        drop(receipts.set_out(&mut near));
        assert!(near.is_empty());
        // Its commit has failed: the nearer one counts after all.
        drop(far_under_way);
        let mut near = sent(5);
        let near_under_way = receipts.set_out(&mut near);
        assert_eq!(near.len(), 1);
        receipts.put(key(), receipt(5));
        drop(near_under_way);
        let mut same = sent(5);
        drop(receipts.set_out(&mut same));
        assert!(same.is_empty());
        assert!(receipts.under_way.lock().is_empty());
    }
}
