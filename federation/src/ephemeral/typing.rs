use echorift_storage::UserNumber;
use ruma::{ServerName, api::federation::transactions::edu::TypingContent};

use super::Received;
use crate::{Federation, FederationError};

/// `m.typing` (SS API § Typing Notifications): of users of the origin who are joined to the room.
pub(super) async fn receive(
    federation: &Federation,
    origin: &ServerName,
    content: TypingContent,
) -> Result<Received, FederationError> {
    if content.user_id.server_name() != origin {
        return Ok(Received::Refused("its user is of another server"));
    }
    let Some(sink) = federation.ephemeral_sink().get() else {
        return Ok(Received::Ignored);
    };
    let Some(room) = federation.room_of_edu(origin, &content.room_id).await? else {
        return Ok(Received::Refused("the server has no say in the room"));
    };
    let user = federation.rooms().users().find(content.user_id.as_str()).await?;
    let user = user.map(UserNumber);
    let Some(user) = user.filter(|user| room.view().members.joined.contains(user)) else {
        return Ok(Received::Refused("the user is not in the room"));
    };
    sink.set_typing(&room, user, content.typing);
    Ok(Received::Taken)
}
