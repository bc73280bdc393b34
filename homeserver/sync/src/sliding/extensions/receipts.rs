use echorift_rooms::{Receipt, ReceiptKey};
use echorift_storage::Position;
use echorift_web::MatrixError;
use serde_json::json;

use super::{Look, Part, Told};
use crate::{
    Syncs,
    account_data::raw,
    sliding::connection::{Sent, Standing},
};

const PART: Part = Part {
    has: |room| room.has_receipts,
    set: |room, has| room.has_receipts = has,
};

impl Syncs {
    /// The extension `receipts` (MSC3960): what is new, and of rooms that the client did not know those for the events
    /// of its timeline and the reader's own.
    pub(super) async fn tell_receipts(
        &self,
        look: Look<'_>,
        sent: &mut Sent,
        told: &mut Told,
    ) -> Result<(), MatrixError> {
        let turn = look.turn;
        let wishes = &turn.wishes.extensions.receipts;
        let scope = look.scope(wishes.enabled, wishes.lists.as_deref(), wishes.rooms.as_deref());
        for (number, known) in look.rooms_to_tell(&scope, PART, sent) {
            let is_inside = sent
                .rooms
                .get(&number)
                .is_some_and(|room| room.standing == Standing::Joined);
            let Some(room) = look.windows.room(number).filter(|_| is_inside) else {
                continue;
            };
            let contents = if let Some(known) = known {
                let after = known.known_up_to(turn.known_position());
                self.receipts_in(turn.reader, room, after).await?
            } else {
                let shown = look.rooms.get(&room.id).and_then(|answer| answer.shown_after);
                let user = turn.reader.user;
                let is_shown =
                    |receipt: &Receipt| receipt.read_position > shown.unwrap_or(Position(i64::MAX));
                let is_wanted = |key: &ReceiptKey, receipt: &Receipt| key.user == user || is_shown(receipt);
                self.receipts_where(turn.reader, room, is_wanted).await?
            };
            // There is one event for each room (MSC3960).
            if let Some(content) = contents.into_iter().next() {
                let event = raw(&json!({ "type": "m.receipt", "content": content }))?;
                told.extensions.receipts.rooms.insert(room.id.clone(), event);
            }
        }
        told.is_news |= !told.extensions.receipts.is_empty();
        Ok(())
    }
}
