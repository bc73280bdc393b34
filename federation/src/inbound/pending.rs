use ruma::ServerName;
use serde_json::value::RawValue;

use crate::{Federation, FederationError};

impl Federation {
    pub(crate) async fn receive_edu(&self, _: &ServerName, _: Box<RawValue>) -> Result<(), FederationError> {
        Ok(())
    }
}
