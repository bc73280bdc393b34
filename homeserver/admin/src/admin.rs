use std::{collections::HashMap, path::PathBuf, sync::Arc};

use echorift_accounts::Accounts;
use echorift_appservice_ldap::{Directory, mapping::GroupSync, mirror::Mirror};
use echorift_appservices::AppServices;
use echorift_calls::{Calls, SfuHealth};
use echorift_federation::Federation;
use echorift_media::Media;
use echorift_rooms::{RoomError, Rooms};
use echorift_storage::{RoomNumber, Timestamp};
use echorift_web::MatrixError;
use echorift_webhooks::Webhooks;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::{sampling, series::Series, traffic::Traffic};

/// The administration API. Cheap to clone.
#[derive(Clone)]
pub struct Admin(Arc<Inner>);

/// What it looks into.
pub struct AdminParts {
    pub accounts: Accounts,
    pub rooms: Rooms,
    pub media: Media,
    pub calls: Calls,
    pub webhooks: Webhooks,
    /// `None` where the operator has turned it off.
    pub federation: Option<Federation>,
    pub services: AppServices,
    /// How each SFU is doing, by its name.
    pub sfus: Vec<(String, watch::Receiver<SfuHealth>)>,
    pub traffic: Arc<Traffic>,
    pub data_dir: PathBuf,
    /// The company's directory, and those of its further domains; empty where the operator names none.
    pub directories: Vec<DirectoryParts>,
}

/// A domain of the company's directory.
pub struct DirectoryParts {
    pub directory: Directory,
    /// `None` where people are not mirrored.
    pub mirror: Option<Mirror>,
    /// `None` where no group is mapped to rooms.
    pub groups: Option<GroupSync>,
}

struct Inner {
    parts: AdminParts,
    started: Timestamp,
    /// Taken for moments only.
    series: Mutex<Series>,
}

impl DirectoryParts {
    /// Errors: `M_NOT_FOUND` where people are not mirrored.
    pub(crate) fn load_mirror(&self) -> Result<&Mirror, MatrixError> {
        let mirror = self.mirror.as_ref();
        mirror.ok_or_else(|| MatrixError::not_found("This server does not mirror this directory."))
    }

    /// Errors: `M_NOT_FOUND` where no group is mapped to rooms.
    pub(crate) fn load_groups(&self) -> Result<&GroupSync, MatrixError> {
        let groups = self.groups.as_ref();
        groups.ok_or_else(|| MatrixError::not_found("This server maps no groups of this directory to rooms."))
    }
}

impl Admin {
    pub fn new(parts: AdminParts) -> Self {
        Self(Arc::new(Inner {
            started: parts.rooms.clock().now(),
            series: Mutex::default(),
            parts,
        }))
    }

    /// Samples how the server fares, until `stopping` turns true.
    pub fn run(&self, stopping: watch::Receiver<bool>) {
        tokio::spawn(sampling::run(self.clone(), stopping));
    }

    pub(crate) fn parts(&self) -> &AdminParts {
        &self.0.parts
    }

    pub(crate) fn accounts(&self) -> &Accounts {
        &self.0.parts.accounts
    }

    pub(crate) fn rooms(&self) -> &Rooms {
        &self.0.parts.rooms
    }

    pub(crate) fn media(&self) -> &Media {
        &self.0.parts.media
    }

    pub(crate) fn calls(&self) -> &Calls {
        &self.0.parts.calls
    }

    pub(crate) fn webhooks(&self) -> &Webhooks {
        &self.0.parts.webhooks
    }

    pub(crate) fn federation(&self) -> Option<&Federation> {
        self.0.parts.federation.as_ref()
    }

    /// The domain of this name; without one, or an empty one, the first. Errors: `M_NOT_FOUND` if there is none.
    pub(crate) fn load_directory(&self, domain: Option<&str>) -> Result<&DirectoryParts, MatrixError> {
        let domain = domain.unwrap_or_default();
        let mut directories = self.0.parts.directories.iter();
        let found = directories.find(|parts| parts.directory.domain() == domain);
        found.ok_or_else(|| MatrixError::not_found("There is no such domain of a directory."))
    }

    /// Errors: `M_UNRECOGNIZED` where federation is turned off.
    pub(crate) fn load_federation(&self) -> Result<&Federation, MatrixError> {
        let federation = self.federation();
        federation.ok_or_else(|| MatrixError::unrecognized("This server does not federate."))
    }

    pub(crate) fn started(&self) -> Timestamp {
        self.0.started
    }

    pub(crate) fn series(&self) -> &Mutex<Series> {
        &self.0.series
    }

    /// The IDs of these rooms and their names, if they have any. A handful of queries, however many rooms.
    pub(crate) async fn room_names(
        &self,
        numbers: impl Iterator<Item = RoomNumber>,
    ) -> Result<HashMap<RoomNumber, (String, Option<String>)>, RoomError> {
        let numbers: Vec<RoomNumber> = numbers.collect();
        let rooms = self.rooms().load(&numbers).await?;
        let summaries = self.rooms().summaries(&rooms).await?.into_iter();
        let named =
            summaries.map(|found| (found.room.number, (found.room.id.to_string(), found.summary.name)));
        Ok(named.collect())
    }
}
