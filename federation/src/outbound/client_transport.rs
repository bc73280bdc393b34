//! Transactions by way of the one client for other servers.

use std::{sync::Arc, time::Duration};

use echorift_storage::Timestamp;
use ruma::ServerName;

use super::{
    TransactionBody,
    transport::{SendFailure, Sending, Transport},
};
use crate::{FederationClient, FederationError, destinations::Destinations};

/// How long another server may take to acknowledge a transaction.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct ClientTransport {
    client: FederationClient,
    destinations: Destinations,
}

impl ClientTransport {
    pub fn new(client: FederationClient, destinations: Destinations) -> Self {
        Self { client, destinations }
    }
}

impl Transport for ClientTransport {
    fn send<'a>(
        &'a self,
        destination: &'a ServerName,
        transaction_id: &'a str,
        body: &'a Arc<TransactionBody>,
    ) -> Sending<'a> {
        Box::pin(async move {
            let sent = self
                .client
                .send_transaction(destination, transaction_id, &body.json, PATIENCE)
                .await;
            match sent {
                Ok(_) => Ok(()),
                Err(FederationError::Refused {
                    status,
                    errcode,
                    message,
                    ..
                }) => Err(SendFailure::of_status(status, format!("{errcode}: {message}"))),
                Err(error) => Err(SendFailure::Later(error.to_string())),
            }
        })
    }

    fn due_at(&self, destination: &ServerName) -> Option<Timestamp> {
        self.destinations.next_attempt(destination)
    }
}
