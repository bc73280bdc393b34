//! Going from server to server until one helps.

use std::time::Duration;

use echorift_events::{Pdu, RoomVersionRules, rules_for};
use echorift_rooms::RoomError;
use http::StatusCode;
use ruma::{
    MilliSecondsSinceUnixEpoch, OwnedServerName, RoomVersionId, ServerName, UInt,
    api::{OutgoingRequest, federation::authentication::ServerSignatures, path_builder::SinglePath},
};
use serde_json::value::RawValue;

use super::templates::{Template, Wanted};
use crate::{Federation, FederationError, SendOptions, policy::Crossing, queries::room_error};

/// How many servers are asked for one user's request.
const SERVERS_MAX: usize = 10;
/// How long one of them has to answer what takes no work.
const QUICK: Duration = Duration::from_secs(20);

/// A template made into a signed event.
pub(super) struct Made {
    pub version: RoomVersionId,
    pub rules: RoomVersionRules,
    pub event: Pdu,
    /// The server whose signature a join needs beside ours.
    pub authorising_server: Option<OwnedServerName>,
}

impl Federation {
    /// The servers to go to about a room, in order: those of which nothing bad is known first, none twice.
    ///
    /// Errors: `Forbidden` if the operator's policy keeps all of them out, `Unreachable` if there are none.
    pub(super) fn servers_to_try(
        &self,
        wanted: &Wanted<'_>,
        via: &[OwnedServerName],
    ) -> Result<Vec<OwnedServerName>, RoomError> {
        let mut servers: Vec<OwnedServerName> = Vec::new();
        for server in via {
            if server != self.server_name() && !servers.contains(server) {
                servers.push(server.clone());
            }
        }
        if servers.is_empty() {
            return Err(RoomError::Unreachable(
                "no server is known that is in the room".to_owned(),
            ));
        }
        servers.retain(|server| {
            self.policy().allows(server, Crossing::Room(wanted.room_id))
                && self.policy().allows(server, Crossing::User(wanted.user))
        });
        if servers.is_empty() {
            return Err(RoomError::Forbidden(
                "This server does not federate with those that are in the room.".to_owned(),
            ));
        }
        servers.sort_by_key(|server| !self.destinations().is_due(server));
        servers.truncate(SERVERS_MAX);
        Ok(servers)
    }

    /// Does something to its end even if nobody waits for it any more: what another server has taken must be taken here
    /// too.
    pub(super) async fn to_its_end<T: Send + 'static>(
        &self,
        time_max: Duration,
        work: impl Future<Output = Result<T, RoomError>> + Send + 'static,
    ) -> Result<T, RoomError> {
        let late = |_| Err(RoomError::Unreachable("it took too long".to_owned()));
        let work = async move { tokio::time::timeout(time_max, work).await.unwrap_or_else(late) };
        let done = tokio::spawn(work).await;
        done.unwrap_or_else(|error| Err(RoomError::Unreachable(error.to_string())))
    }

    /// Sends a request for which a user of ours waits.
    pub(super) async fn ask_quickly<R>(
        &self,
        server: &ServerName,
        request: R,
    ) -> Result<R::IncomingResponse, FederationError>
    where
        R: OutgoingRequest<Authentication = ServerSignatures, PathBuilder = SinglePath>,
    {
        let options = SendOptions {
            timeout: Some(self.options().outbound.request_timeout.min(QUICK)),
            even_backing_off: true,
            ..SendOptions::default()
        };
        self.client().send_with(server, request, options).await
    }

    /// The event that we make of a template, in a room of a version that we speak.
    pub(super) fn make_event(
        &self,
        server: &ServerName,
        wanted: &Wanted<'_>,
        (version, template): (Option<RoomVersionId>, &RawValue),
    ) -> Result<Made, FederationError> {
        let version = version.unwrap_or(RoomVersionId::V1);
        let rules = rules_for(&version).ok_or_else(|| RoomError::UnsupportedVersion(version.clone()))?;
        let template = Template::read(server, template, wanted)?;
        let authorising_server = template.authorising_server().map(ToOwned::to_owned);
        let now = MilliSecondsSinceUnixEpoch(UInt::try_from(self.clock().now().0).unwrap_or_default());
        let key = &self.rooms().options().signing_key;
        let event = template.into_event(wanted, &rules, key, now)?;
        Ok(Made {
            version,
            rules,
            event,
            authorising_server,
        })
    }
}

/// An event as the text that goes over the wire.
pub(super) fn text_of(pdu: &Pdu) -> Result<Box<RawValue>, FederationError> {
    RawValue::from_string(pdu.json().to_owned())
        .map_err(|error| FederationError::BadRequest(error.to_string()))
}

pub(super) fn bad_answer(server: &ServerName, reason: impl Into<String>) -> FederationError {
    FederationError::BadAnswer {
        server: server.to_owned(),
        reason: reason.into(),
    }
}

/// What the client is told of several failures: the one that says the most.
pub(super) fn most_telling(errors: Vec<FederationError>) -> RoomError {
    let weight = |error: &FederationError| match error {
        FederationError::Refused { status, .. } if *status == StatusCode::FORBIDDEN => 4,
        FederationError::Refused { status, .. } if *status == StatusCode::BAD_REQUEST => 3,
        FederationError::Room(_) => 2,
        FederationError::Refused { .. } => 1,
        _ => 0,
    };
    // Of several alike the first counts.
    let telling = errors.into_iter().rev().max_by_key(weight).map(told_to_client);
    telling.unwrap_or_else(|| RoomError::Unreachable("no server could be asked".to_owned()))
}

/// A failure in the room engine's words. That our request had a wrong parameter is nothing that the client could mend
/// (SS API § `send_join`: such an answer should not be passed through).
pub(super) fn told_to_client(error: FederationError) -> RoomError {
    match &error {
        FederationError::Refused { errcode, .. }
            if matches!(errcode.as_str(), "M_INVALID_PARAM" | "M_MISSING_PARAM") =>
        {
            RoomError::Unreachable(error.to_string())
        }
        _ => room_error(error),
    }
}

#[cfg(test)]
mod tests {
    use ruma::owned_server_name;

    use super::*;

    fn refused(status: StatusCode, errcode: &str) -> FederationError {
        FederationError::Refused {
            server: owned_server_name!("two.example"),
            status,
            errcode: errcode.to_owned(),
            message: String::new(),
            body: serde_json::Value::Null,
        }
    }

    fn away() -> FederationError {
        FederationError::Unreachable {
            server: owned_server_name!("three.example"),
            reason: "it is off".to_owned(),
        }
    }

    #[test]
    fn a_refusal_says_more_than_silence() {
        let errors = vec![
            away(),
            refused(StatusCode::NOT_FOUND, "M_NOT_FOUND"),
            refused(StatusCode::FORBIDDEN, "M_FORBIDDEN"),
            refused(StatusCode::FORBIDDEN, "M_OTHER"),
        ];
        let told = most_telling(errors);
        assert!(matches!(told, RoomError::PeerRefused { errcode, .. } if errcode == "M_FORBIDDEN"));
        assert!(matches!(most_telling(vec![away()]), RoomError::Unreachable(_)));
        assert!(matches!(most_telling(Vec::new()), RoomError::Unreachable(_)));
    }

    #[test]
    fn a_wrong_parameter_of_ours_is_no_fault_of_the_client() {
        let told = most_telling(vec![refused(StatusCode::BAD_REQUEST, "M_INVALID_PARAM")]);
        assert!(matches!(told, RoomError::Unreachable(_)));
    }
}
