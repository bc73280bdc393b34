//! Transactions by way of the one client for other servers.

use std::{collections::BTreeMap, sync::Arc};

use echorift_storage::Timestamp;
use ruma::{OwnedServerName, ServerName};
use serde::Deserialize;
use tokio::sync::broadcast;

use super::{
    TransactionBody,
    transport::{SendFailure, Sending, Transport},
};
use crate::{FederationClient, FederationError, destinations::Destinations};

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
                .send_transaction(destination, transaction_id, &body.json)
                .await;
            match sent {
                Ok(answer) => {
                    note_refusals(destination, &answer);
                    Ok(())
                }
                Err(FederationError::Refused {
                    status,
                    errcode,
                    message,
                    ..
                }) => Err(SendFailure::of_status(status, format!("{errcode}: {message}"))),
                Err(error) => Err(SendFailure::Later {
                    reason: error.to_string(),
                    is_refusal: matches!(error, FederationError::Denied(_)),
                }),
            }
        })
    }

    fn due_at(&self, destination: &ServerName) -> Option<Timestamp> {
        self.destinations.next_attempt(destination)
    }

    fn heard_of(&self) -> broadcast::Receiver<OwnedServerName> {
        self.destinations.resets()
    }
}

/// Remarks which PDUs of a transaction the destination did not take: they are not sent again
/// (SS API § Transactions, PDU Processing Results).
fn note_refusals(destination: &ServerName, answer: &[u8]) {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(default)]
        pdus: BTreeMap<String, PduResult>,
    }
    #[derive(Deserialize)]
    struct PduResult {
        error: Option<String>,
    }
    // An answer of another shape takes nothing back: the 200 has been said.
    let Ok(answer) = serde_json::from_slice::<Answer>(answer) else {
        return;
    };
    for (event_id, result) in answer.pdus {
        if let Some(error) = result.error {
            tracing::debug!(%destination, event_id, error, "a server did not take an event");
            metrics::counter!("echorift_federation_pdus_refused_total").increment(1);
        }
    }
}
