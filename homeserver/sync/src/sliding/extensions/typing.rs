use echorift_web::MatrixError;
use serde_json::json;

use super::{Look, Told};
use crate::{Syncs, account_data::raw, sliding::connection::Standing};

impl Syncs {
    /// The extension `typing` (MSC3961).
    pub(super) async fn tell_typing_of_rooms(
        &self,
        look: Look<'_>,
        told: &mut Told,
    ) -> Result<(), MatrixError> {
        let turn = look.turn;
        let wishes = &turn.wishes.extensions.typing;
        let scope = look.scope(wishes.enabled, wishes.lists.as_deref(), wishes.rooms.as_deref());
        let wanted = look.windows.rooms.iter().map(|wanted| &wanted.entry);
        let wanted = wanted.filter(|entry| entry.standing == Standing::Joined);
        for entry in wanted.filter(|entry| scope.contains(&entry.room.number)) {
            let room = &entry.room;
            let known = look.before.rooms.get(&room.number);
            let known = known.filter(|known| known.standing == Standing::Joined && known.behind.is_none());
            let heard = turn.since.filter(|_| known.is_some());
            let heard_version = heard.map_or(0, |since| since.ephemeral);
            let content = self
                .typing_in(turn.reader, room, heard_version, heard.is_none())
                .await?;
            if let Some(content) = content {
                let event = raw(&json!({ "type": "m.typing", "content": content }))?;
                told.extensions.typing.rooms.insert(room.id.clone(), event);
            }
        }
        told.is_news |= !told.extensions.typing.is_empty();
        Ok(())
    }
}
