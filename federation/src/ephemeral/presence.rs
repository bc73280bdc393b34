use echorift_storage::UserNumber;
use ruma::{OwnedUserId, ServerName, UInt, presence::PresenceState};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Received, ReceivedPresence, UNREADABLE};
use crate::{Federation, FederationError};

/// How many users one EDU may be about; the rest is passed over.
const USERS_MAX: usize = 1_000;
/// Longer messages are cut.
const STATUS_CHARS_MAX: usize = 512;

/// Each update is read by itself: one that is wrong does not take the others with it.
#[derive(Deserialize)]
struct Content<'a> {
    #[serde(borrow)]
    push: Vec<&'a RawValue>,
}

/// What is said of one user.
#[derive(Deserialize)]
struct PresenceUpdate {
    user_id: OwnedUserId,
    presence: PresenceState,
    status_msg: Option<String>,
    /// Milliseconds. Some servers leave it out for who never was active.
    #[serde(default)]
    last_active_ago: UInt,
    #[serde(default)]
    currently_active: bool,
}

/// `m.presence` (SS API § Presence): of users of the origin who share a room with a local user.
pub(super) async fn receive(
    federation: &Federation,
    origin: &ServerName,
    content: &RawValue,
) -> Result<Received, FederationError> {
    let Some(sink) = federation.ephemeral_sink().get() else {
        return Ok(Received::Ignored);
    };
    let Ok(content) = serde_json::from_str::<Content<'_>>(content.get()) else {
        return Ok(UNREADABLE);
    };
    let updates = content.push.into_iter().take(USERS_MAX);
    let updates = updates.filter_map(|update| serde_json::from_str::<PresenceUpdate>(update.get()).ok());
    let updates: Vec<PresenceUpdate> = updates
        .filter(|update| update.user_id.server_name() == origin && is_known(&update.presence))
        .collect();
    if updates.is_empty() {
        return Ok(Received::Refused("it is about nobody of the server"));
    }
    let rooms = federation.rooms();
    let names: Vec<&str> = updates.iter().map(|update| update.user_id.as_str()).collect();
    let numbers = rooms.users().find_all(&names).await?;
    let numbers: Vec<UserNumber> = numbers.into_iter().map(UserNumber).collect();
    let sharing = rooms.shared_since(&numbers).await?;
    let now = federation.clock().now();
    for update in updates {
        // In memory since the query above.
        let user = rooms.users().find(update.user_id.as_str()).await?.map(UserNumber);
        let Some(user) = user.filter(|user| sharing.contains_key(user)) else {
            continue;
        };
        let ago = i64::from(update.last_active_ago);
        let presence = ReceivedPresence {
            state: update.presence,
            status_msg: update.status_msg.map(cut),
            last_active: now.plus_ms(ago.saturating_neg()),
            is_currently_active: update.currently_active,
        };
        sink.set_presence(user, presence);
    }
    Ok(Received::Taken)
}

fn is_known(state: &PresenceState) -> bool {
    matches!(
        state,
        PresenceState::Online | PresenceState::Unavailable | PresenceState::Offline
    )
}

fn cut(text: String) -> String {
    match text.char_indices().nth(STATUS_CHARS_MAX) {
        Some((end, _)) => text.get(..end).unwrap_or_default().to_owned(),
        None => text,
    }
}
