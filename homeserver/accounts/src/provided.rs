//! The accounts that a password provider owns, as whoever mirrors it needs them.

use echorift_storage::{StorageError, UserNumber};
use ruma::{OwnedUserId, UserId};

use crate::{AccountError, Accounts, store};

/// An account that belongs to a password provider and was not deactivated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvidedAccount {
    pub number: UserNumber,
    pub user_id: OwnedUserId,
    /// How the provider knows the person.
    pub external_id: String,
    pub is_admin: bool,
    pub is_locked: bool,
}

impl Accounts {
    /// The accounts that `provider` knows by these ids, or with `None` all that it knows. One query.
    pub async fn provided_accounts(
        &self,
        provider: &str,
        external_ids: Option<&[&str]>,
    ) -> Result<Vec<ProvidedAccount>, AccountError> {
        let rows = store::provided::of(&self.0.database, provider, external_ids).await?;
        let mut accounts = Vec::with_capacity(rows.len());
        for row in rows {
            let user_id = UserId::parse_with_server_name(row.localpart.as_str(), self.server_name())
                .map_err(|error| StorageError::corrupt("accounts.localpart", error))?;
            accounts.push(ProvidedAccount {
                number: row.number,
                user_id,
                external_id: row.external_id,
                is_admin: row.is_admin,
                is_locked: row.is_locked,
            });
        }
        Ok(accounts)
    }
}
