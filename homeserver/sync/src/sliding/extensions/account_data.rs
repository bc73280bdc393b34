use echorift_web::MatrixError;

use super::{Look, Part, Told};
use crate::{
    Syncs,
    account_data::{push_rules_event, write_account_data},
    sliding::connection::Sent,
};

const PART: Part = Part {
    has: |room| room.has_account_data,
    set: |room, has| room.has_account_data = has,
};

impl Syncs {
    /// The extension `account_data` (MSC3959).
    pub(super) async fn tell_account_data(
        &self,
        look: Look<'_>,
        sent: &mut Sent,
        told: &mut Told,
    ) -> Result<(), MatrixError> {
        let turn = look.turn;
        let wishes = &turn.wishes.extensions.account_data;
        let scope = look.scope(wishes.enabled, wishes.lists.as_deref(), wishes.rooms.as_deref());
        let rooms = look.rooms_to_tell(&scope, PART, sent);
        if wishes.enabled != Some(true) {
            sent.account_data = false;
            return Ok(());
        }
        let answer = &mut told.extensions.account_data;
        let user = turn.reader.user;
        let known = turn
            .since
            .filter(|_| sent.account_data)
            .map(|since| since.position);
        sent.account_data = true;
        let global = self.accounts().global_account_data(user).await?;
        answer.global = write_account_data(global.iter(), known);
        // Every user has push rules, also one who never touched them.
        if known.is_none() && !global.contains_key("m.push_rules") {
            answer.global.push(push_rules_event(&turn.reader.user_id)?);
        }
        let of_rooms = self.accounts().room_account_data(user).await?;
        for (number, known) in rooms {
            let Some(data) = of_rooms.get(&number) else {
                continue;
            };
            let after = known.map(|known| known.known_up_to(turn.known_position()));
            let events = write_account_data(data.iter(), after);
            if let Some(room) = look.windows.room(number).filter(|_| !events.is_empty()) {
                answer.rooms.insert(room.id.clone(), events);
            }
        }
        told.is_news |= !answer.is_empty();
        Ok(())
    }
}
