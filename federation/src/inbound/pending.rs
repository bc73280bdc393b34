use echorift_events::Pdu;
use ruma::RoomId;

use crate::{Federation, FederationError};

impl Federation {
    pub(crate) async fn receive_outside(&self, _: &RoomId, _: Pdu) -> Result<bool, FederationError> {
        Ok(false)
    }
}
