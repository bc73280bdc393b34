use std::{collections::BTreeMap, sync::Arc};

use echorift_rooms::{Receipt, ReceiptKey, ReceiptKind};
use echorift_storage::{Position, UserNumber};
use imbl::OrdMap;

/// How far a reader has read a room, by receipts of either kind.
#[derive(Default)]
pub(crate) struct Read {
    pub everywhere: Position,
    main: Position,
    threads: BTreeMap<Arc<str>, Position>,
}

impl Read {
    pub fn of(user: UserNumber, receipts: &OrdMap<ReceiptKey, Receipt>) -> Self {
        let mut read = Self::default();
        let from = ReceiptKey {
            user,
            kind: ReceiptKind::Public,
            thread: "".into(),
        };
        for (key, receipt) in receipts.range(from..).take_while(|(key, _)| key.user == user) {
            let place = match &*key.thread {
                "" => &mut read.everywhere,
                "main" => &mut read.main,
                _ => read.threads.entry(Arc::clone(&key.thread)).or_default(),
            };
            *place = receipt.read_position.max(*place);
        }
        read
    }

    /// Whether the reader has seen an event at this position, in this thread.
    pub fn covers(&self, position: Position, thread: Option<&str>) -> bool {
        let in_its_thread = match thread {
            None => self.main,
            Some(thread) => self.threads.get(thread).copied().unwrap_or_default(),
        };
        position <= self.everywhere.max(in_its_thread)
    }
}
