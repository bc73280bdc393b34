//! Where the directory's photos go, and how its groups reach rooms.

use echorift_accounts::Accounts;
use echorift_appservice_ldap::Directory;
use echorift_appservice_ldap::mapping::{GroupSync, GroupSyncParts, Mapper};
use echorift_appservice_ldap::mirror::{Mirror, PhotoStore};
use echorift_media::Media;
use echorift_rooms::Rooms;
use echorift_storage::UserNumber;
use echorift_web::BoxFuture;

use crate::error::ServerError;

/// Photos become media of the people whom they show.
pub(crate) struct DirectoryPhotos(pub(crate) Media);

impl PhotoStore for DirectoryPhotos {
    fn keep<'a>(
        &'a self,
        user: UserNumber,
        photo: Vec<u8>,
        content_type: &'static str,
    ) -> BoxFuture<'a, Result<String, String>> {
        Box::pin(async move {
            let kept = self.0.keep_for(user, photo.into(), content_type).await;
            kept.map(|uri| uri.to_string()).map_err(|error| error.to_string())
        })
    }
}

/// What carries the directory's groups over to rooms; `None` where no group is mapped.
pub(crate) fn group_sync(
    directory: &Directory,
    mirror: &Mirror,
    rooms: &Rooms,
    accounts: &Accounts,
) -> Result<Option<GroupSync>, ServerError> {
    let mapper = Mapper::new(directory.mapper_parts(rooms, accounts));
    let mapper = mapper.map_err(|error| ServerError::Refused(error.to_string()))?;
    let sync = (!mapper.is_empty()).then(|| {
        GroupSync::new(GroupSyncParts {
            mapper,
            snapshots: mirror.snapshots(),
            interval: directory.sync_interval(),
        })
    });
    Ok(sync)
}
