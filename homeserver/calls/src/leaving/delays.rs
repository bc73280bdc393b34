use crate::{CallError, Calls};
use ruma::{OwnedRoomId, OwnedUserId};
pub(crate) struct Delays;
pub(crate) struct DelayedEvent {
    pub user_id: OwnedUserId,
    pub room_id: OwnedRoomId,
    pub delay_ms: i64,
}
impl DelayedEvent {
    pub fn is_pending(&self) -> bool {
        true
    }
}
impl Delays {
    pub async fn find(&self, _: &str) -> Result<Option<DelayedEvent>, CallError> {
        Ok(None)
    }
    pub async fn restart_by_id(&self, _: &str) -> Result<bool, CallError> {
        Ok(false)
    }
    pub async fn send_by_id(&self, _: &str) -> Result<(), CallError> {
        Ok(())
    }
}
impl Calls {
    pub(crate) fn delayed(&self) -> Delays {
        Delays
    }
}
