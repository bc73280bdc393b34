use echorift_encryption::OutgoingEdu;
use echorift_storage::{Position, StorageError};
use ruma::{OwnedServerName, OwnedUserId, ServerName};
use serde::Deserialize;

use crate::{
    Crossing, Federation,
    outbound::{DurableEdus, DurableFuture, DurablePage, RawEdu},
};

/// What other servers are to hear of local users' devices, and what local users send to devices of theirs: EDUs that must
/// arrive, however long their destination is away.
#[derive(Clone)]
pub struct DeviceEdus(Federation);

impl DeviceEdus {
    pub fn new(federation: &Federation) -> Self {
        Self(federation.clone())
    }
}

/// Of whom an EDU tells.
#[derive(Deserialize)]
struct Subject {
    #[serde(alias = "user_id")]
    sender: OwnedUserId,
}

impl DeviceEdus {
    /// Whether the server may hear of the local user whom the EDU is about.
    fn may_cross(&self, destination: &ServerName, edu: &OutgoingEdu) -> bool {
        let subject = serde_json::from_str::<Subject>(edu.content.get());
        subject.is_ok_and(|subject| {
            let crossing = Crossing::User(&subject.sender);
            self.0.policy().allows(destination, crossing)
        })
    }
}

impl DurableEdus for DeviceEdus {
    fn waiting(&self, after: Position, up_to: Position) -> DurableFuture<'_, Vec<OwnedServerName>> {
        Box::pin(async move {
            let servers = self.0.encryption().edu_destinations(after, up_to).await?;
            Ok(servers.into_iter().collect())
        })
    }

    fn next<'a>(
        &'a self,
        destination: &'a ServerName,
        after: Position,
        up_to: Position,
        limit: usize,
    ) -> DurableFuture<'a, DurablePage> {
        Box::pin(async move {
            let with_names = self.0.options().share_device_names;
            let encryption = self.0.encryption();
            let found = encryption
                .outgoing_edus(destination, after, limit, with_names)
                .await?;
            let last = found.last().map(|(position, _)| *position);
            let covers = last.filter(|_| found.len() >= limit).unwrap_or(up_to).min(up_to);
            let within = found.into_iter().filter(|(position, _)| *position <= covers);
            // What the operator does not let cross counts as delivered.
            let within = within.filter(|(_, edu)| self.may_cross(destination, edu));
            let edus = within.map(|(_, edu)| {
                RawEdu::new(edu.edu_type, &edu.content)
                    .map_err(|error| StorageError::corrupt("remote_to_device", error))
            });
            Ok(DurablePage {
                edus: edus.collect::<Result<_, _>>()?,
                covers,
            })
        })
    }

    fn delivered<'a>(&'a self, destination: &'a ServerName, up_to: Position) -> DurableFuture<'a, ()> {
        Box::pin(async move { self.0.encryption().edus_delivered(destination, up_to).await })
    }
}
