//! Other servers as administrators see them.

use std::collections::BTreeMap;

use echorift_storage::{RoomNumber, StorageError, Timestamp};
use ruma::{OwnedServerName, ServerName, api::federation::discovery::get_server_version};

use crate::{DestinationState, Federation, FederationError, SendOptions};

/// How another server can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reachability {
    /// Nothing waits for it.
    Ok,
    /// It is about to get what waits for it.
    Waiting,
    /// It does not answer, and is asked again later.
    Unreachable,
    /// It answers, and does not take what is ours; asked again later.
    Refused,
}

/// Another server that something was sent to since the start, that is behind, or that fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DestinationOverview {
    pub server: OwnedServerName,
    pub reachability: Reachability,
    /// How many events wait for it in memory; `None` where they have to be counted in the database.
    pub queued_events: Option<usize>,
    pub queued_edus: usize,
    pub last_success: Option<Timestamp>,
    pub failing_since: Option<Timestamp>,
    pub next_attempt: Option<Timestamp>,
    /// Why nothing arrives, in a sentence.
    pub failure: Option<String>,
}

/// What another server said to who asked whether it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerVersion {
    pub name: Option<String>,
    pub version: Option<String>,
}

impl Federation {
    /// All other servers that there is something to say of, by name.
    pub fn destination_overviews(&self) -> Vec<DestinationOverview> {
        let mut failing: BTreeMap<OwnedServerName, (Timestamp, Timestamp)> = self
            .destinations()
            .failing()
            .into_iter()
            .map(|(server, since, next)| (server, (since, next)))
            .collect();
        let mut all = Vec::new();
        for status in self.sender().destinations() {
            let fails = failing.remove(&status.server);
            let is_resting = status.state == DestinationState::BackingOff || fails.is_some();
            let is_refusal = status.failure.as_ref().is_some_and(|failure| failure.is_refusal);
            let is_idle = status.sent.is_none() && status.live_edus == 0;
            all.push(DestinationOverview {
                reachability: match (is_resting, is_refusal) {
                    (true, true) => Reachability::Refused,
                    (true, false) => Reachability::Unreachable,
                    (false, _) if is_idle => Reachability::Ok,
                    (false, _) => Reachability::Waiting,
                },
                queued_events: match status.state {
                    DestinationState::Live => Some(status.queued),
                    DestinationState::Lagging | DestinationState::BackingOff if status.sent.is_none() => {
                        Some(0)
                    }
                    DestinationState::Lagging | DestinationState::BackingOff => None,
                },
                queued_edus: status.live_edus,
                last_success: status.last_success,
                failing_since: fails.map(|(since, _)| since),
                next_attempt: fails.map(|(_, next)| next),
                failure: status.failure.map(|failure| failure.reason),
                server: status.server,
            });
        }
        all.extend(
            failing
                .into_iter()
                .map(|(server, (since, next))| DestinationOverview {
                    server,
                    reachability: Reachability::Unreachable,
                    queued_events: Some(0),
                    queued_edus: 0,
                    last_success: None,
                    failing_since: Some(since),
                    next_attempt: Some(next),
                    failure: None,
                }),
        );
        all.sort_unstable_by(|one, other| one.server.cmp(&other.server));
        all
    }

    /// The rooms that another server is in with us. One query.
    pub async fn shared_rooms(&self, server: &ServerName) -> Result<Vec<RoomNumber>, StorageError> {
        self.sender().rooms_with(server).await
    }

    /// Asks a server again now, whatever it did before: what waits for it is sent.
    pub async fn retry_now(&self, server: &ServerName) {
        self.destinations().retry_now(server).await;
        self.sender().wake(server);
    }

    /// Asks a server what it is, even if it is left alone for a while. Errors as [`crate::FederationClient::send`].
    pub async fn ask_version(&self, server: &ServerName) -> Result<ServerVersion, FederationError> {
        let options = SendOptions {
            even_backing_off: true,
            ..SendOptions::default()
        };
        let request = get_server_version::v1::Request::new();
        let answer = self.client().send_unsigned(server, request, options).await?;
        let server = answer.server;
        Ok(ServerVersion {
            name: server.as_ref().and_then(|server| server.name.clone()),
            version: server.and_then(|server| server.version),
        })
    }
}
