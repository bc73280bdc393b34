//! Where the directory's photos go.

use echorift_appservice_ldap::mirror::PhotoStore;
use echorift_media::Media;
use echorift_storage::UserNumber;
use echorift_web::BoxFuture;

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
