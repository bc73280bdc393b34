use echorift_storage::UserNumber;
use ruma::OwnedDeviceId;

use crate::{AccountError, Accounts, store};

impl Accounts {
    /// Deletes devices and ends their sessions; IDs that do not exist are passed over.
    pub(crate) async fn delete_devices(
        &self,
        user: UserNumber,
        device_ids: &[OwnedDeviceId],
    ) -> Result<(), AccountError> {
        let ids: Vec<String> = device_ids.iter().map(ToString::to_string).collect();
        let now = self.0.clock.now();
        let ended = self
            .0
            .database
            .writer()
            .transact(move |tx| Box::pin(async move { store::devices::delete(tx, user, &ids, now).await }))
            .await?;
        self.0.checks.revoke(&ended);
        Ok(())
    }

    /// Deletes all devices of a user and ends all sessions, but for the session `kept`.
    pub(crate) async fn end_sessions(&self, user: UserNumber, kept: Option<i64>) -> Result<(), AccountError> {
        let now = self.0.clock.now();
        let ended = self
            .0
            .database
            .writer()
            .transact(move |tx| {
                Box::pin(async move { store::sessions::revoke_all(tx, user, kept, now).await })
            })
            .await?;
        self.0.checks.revoke(&ended);
        Ok(())
    }
}
