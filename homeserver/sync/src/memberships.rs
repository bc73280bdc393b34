//! The reader's memberships, as of the moment that an answer is about.

use std::sync::Arc;

use echorift_rooms::RoomsOfUser;
use echorift_storage::UserNumber;

use crate::{SyncToken, Syncs};

impl Syncs {
    /// The rooms of the user, and the moment that they are of: `now`, or a little later. A membership becomes known an
    /// instant before its position is visible, and an answer must not tell of what it does not cover.
    pub(crate) async fn memberships(
        &self,
        user: UserNumber,
        mut now: SyncToken,
    ) -> Result<(Arc<RoomsOfUser>, SyncToken), echorift_rooms::RoomError> {
        loop {
            let memberships = self.rooms().rooms_of(user).await?;
            let ahead = memberships.values().map(|membership| membership.position).max();
            match ahead.filter(|ahead| *ahead > now.position) {
                Some(ahead) => now.position = self.visible_at_least(ahead).await,
                None => return Ok((memberships, now)),
            }
        }
    }
}
