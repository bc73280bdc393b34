use echorift_encryption::{RemoteFailure, RemoteFuture, RemoteKeys};
use ruma::{
    ServerName, UserId,
    api::federation::{
        device::get_devices,
        keys::{claim_keys, get_keys},
    },
};

use crate::{Federation, FederationError};

/// Asks the servers of users for their devices and keys.
impl RemoteKeys for Federation {
    fn query<'a>(
        &'a self,
        server: &'a ServerName,
        request: get_keys::v1::Request,
    ) -> RemoteFuture<'a, get_keys::v1::Response> {
        Box::pin(async move { self.client().send(server, request).await.map_err(failure) })
    }

    fn claim<'a>(
        &'a self,
        server: &'a ServerName,
        request: claim_keys::v1::Request,
    ) -> RemoteFuture<'a, claim_keys::v1::Response> {
        Box::pin(async move { self.client().send(server, request).await.map_err(failure) })
    }

    fn devices<'a>(&'a self, user: &'a UserId) -> RemoteFuture<'a, get_devices::v1::Response> {
        let request = get_devices::v1::Request::new(user.to_owned());
        Box::pin(async move {
            self.client()
                .send(user.server_name(), request)
                .await
                .map_err(failure)
        })
    }
}

/// What clients are told under `failures`.
fn failure(error: FederationError) -> RemoteFailure {
    let (errcode, error) = match error {
        FederationError::Denied(server) => (
            "M_FORBIDDEN".to_owned(),
            format!("This server does not federate with {server}."),
        ),
        FederationError::BackingOff(server) | FederationError::Unreachable { server, .. } => (
            "M_UNREACHABLE".to_owned(),
            format!("The server {server} cannot be reached now."),
        ),
        FederationError::Refused { errcode, message, .. } => (errcode, message),
        FederationError::BadAnswer { server, .. } => {
            let error = format!("The server {server} gave a wrong answer.");
            ("M_BAD_JSON".to_owned(), error)
        }
        FederationError::Event(_)
        | FederationError::Room(_)
        | FederationError::Storage(_)
        | FederationError::BadRequest(_)
        | FederationError::Setup(_) => {
            tracing::error!(%error, "another server could not be asked for keys");
            (
                "M_UNKNOWN".to_owned(),
                "The server could not be asked.".to_owned(),
            )
        }
    };
    RemoteFailure { errcode, error }
}
