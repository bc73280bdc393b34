use echorift_events::Pdu;
use ruma::{RoomId, ServerName};
use serde_json::value::RawValue;

use crate::{Federation, FederationError};

impl Federation {
    pub(crate) async fn receive_edu(&self, _: &ServerName, _: Box<RawValue>) -> Result<(), FederationError> {
        Ok(())
    }

    pub(crate) async fn receive_outside(&self, _: &RoomId, _: Pdu) -> Result<bool, FederationError> {
        Ok(false)
    }
}
