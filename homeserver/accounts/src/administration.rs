//! What administrators see of accounts, and do to them. Each act takes along the [`Change`] that remembers it
//! ([`Accounts::audit`]), so that neither is written without the other.

mod acts;

use echorift_storage::{StorageError, Timestamp, UserNumber, containing};
use ruma::{OwnedUserId, UserId};

pub use self::acts::UserToCreate;
use crate::{
    AccountError, Accounts,
    bots::PROVIDER as BOT_PROVIDER,
    service_account::PROVIDER as OWN_PROVIDER,
    store::administration::{self as store, ListedAccount, Patterns},
};

/// How an account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserState {
    /// Neither of the three that follow.
    Active,
    Locked,
    Suspended,
    Deactivated,
    Administrator,
    Guest,
}

/// Who vouches for an account's owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountSource {
    /// A password that this server keeps.
    Local,
    Directory,
    /// A sign-in service (OpenID Connect).
    SignInService,
    /// Nobody: somebody has made it for a program.
    Bot,
    /// Nobody: the server itself acts by the account.
    Server,
}

/// Which accounts are looked for.
#[derive(Debug, Clone, Default)]
pub struct UserQuery {
    /// A part of the name, of the display name or of the directory's e-mail address, in any case of letters.
    pub search: Option<String>,
    pub state: Option<UserState>,
    /// The localpart after which the page begins.
    pub after: Option<String>,
    pub limit: u32,
}

/// An account as administrators see it in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct UserOverview {
    pub number: UserNumber,
    pub user_id: OwnedUserId,
    pub display_name: Option<String>,
    pub avatar_url: Option<String>,
    pub is_administrator: bool,
    pub is_locked: bool,
    pub is_suspended: bool,
    pub is_deactivated: bool,
    pub is_guest: bool,
    pub source: AccountSource,
    pub created: Timestamp,
    pub last_seen: Option<Timestamp>,
    pub devices: i64,
}

/// A device of somebody, as administrators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceOverview {
    pub device_id: String,
    pub display_name: Option<String>,
    pub last_seen: Option<Timestamp>,
    pub last_seen_ip: Option<String>,
}

impl Accounts {
    /// A page of the accounts of this server, by name. One query.
    pub async fn users(&self, query: &UserQuery) -> Result<Vec<UserOverview>, AccountError> {
        let patterns = query.search.as_deref().map(|text| self.patterns(text));
        let after = query.after.as_deref().unwrap_or_default();
        let filter = (query.state, patterns.as_ref());
        let rows = store::page(&self.0.database, filter, after, query.limit.into()).await?;
        rows.into_iter().map(|row| self.overview(row)).collect()
    }

    /// How many accounts there are in a state, or in all. One query.
    pub async fn count_users(&self, state: Option<UserState>) -> Result<i64, AccountError> {
        Ok(store::count(&self.0.database, state).await?)
    }

    /// An account of this server, deactivated ones included. Errors: `NoSuchUser`, also for users of other servers.
    pub async fn user_overview(&self, user: &UserId) -> Result<UserOverview, AccountError> {
        if !self.is_local(user) {
            return Err(AccountError::NoSuchUser);
        }
        // So that what was seen in the last minute is shown.
        self.flush().await?;
        let row = store::find(&self.0.database, user.localpart()).await?;
        self.overview(row.ok_or(AccountError::NoSuchUser)?)
    }

    /// The devices of somebody, by ID.
    pub async fn device_overviews(&self, user: UserNumber) -> Result<Vec<DeviceOverview>, AccountError> {
        let devices = self.devices(user).await?.into_iter();
        let shown = devices.map(|device| DeviceOverview {
            device_id: device.device_id,
            display_name: device.display_name,
            last_seen: device.last_seen,
            last_seen_ip: device.last_seen_ip,
        });
        Ok(shown.collect())
    }

    /// The e-mail addresses of an account, that of the directory first.
    pub async fn email_addresses(&self, user: UserNumber) -> Result<Vec<String>, AccountError> {
        let emails = self.emails(user).await?.into_iter();
        Ok(emails.map(|email| email.address).collect())
    }

    fn overview(&self, row: ListedAccount) -> Result<UserOverview, AccountError> {
        let user_id = UserId::parse_with_server_name(row.localpart.as_str(), self.server_name());
        Ok(UserOverview {
            number: row.number,
            user_id: user_id.map_err(|error| StorageError::corrupt("accounts.localpart", error))?,
            display_name: profile_text(row.display_name)?,
            avatar_url: profile_text(row.avatar_url)?,
            is_administrator: row.is_admin,
            is_locked: row.is_locked,
            is_suspended: row.is_suspended,
            is_deactivated: row.is_deactivated,
            is_guest: row.is_guest,
            source: source_of(row.provider.as_deref()),
            created: row.created,
            last_seen: row.last_seen,
            devices: row.devices,
        })
    }

    /// A user ID of this server is searched for as its localpart.
    fn patterns(&self, text: &str) -> Patterns {
        let own_ending = format!(":{}", self.server_name());
        let text = text.trim();
        let localpart = text
            .strip_prefix('@')
            .map_or(text, |rest| rest.strip_suffix(&own_ending).unwrap_or(rest));
        let [name, _] = containing(localpart);
        Patterns {
            name,
            display_names: containing(&json_inside(localpart)),
        }
    }
}

/// A profile field that holds a text; what is of another shape is no fault of the reader.
fn profile_text(json: Option<String>) -> Result<Option<String>, StorageError> {
    let Some(json) = json else { return Ok(None) };
    let value: serde_json::Value =
        serde_json::from_str(&json).map_err(|error| StorageError::corrupt("profile_fields.value", error))?;
    Ok(value.as_str().map(ToOwned::to_owned))
}

fn source_of(provider: Option<&str>) -> AccountSource {
    match provider {
        None => AccountSource::Local,
        Some(OWN_PROVIDER) => AccountSource::Server,
        Some(BOT_PROVIDER) => AccountSource::Bot,
        // Sign-in services are known by their address.
        Some(issuer) if issuer.contains("://") => AccountSource::SignInService,
        Some(_) => AccountSource::Directory,
    }
}

/// The text as it stands inside a JSON string.
fn json_inside(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    json.trim_start_matches('"').trim_end_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_searched_for_as_json_holds_it() {
        assert_eq!(json_inside("a\\b"), "a\\\\b");
    }

    #[test]
    fn the_provider_tells_where_an_account_is_from() {
        for (provider, source) in [
            (None, AccountSource::Local),
            (Some("ldap"), AccountSource::Directory),
            (Some("https://login.example.org"), AccountSource::SignInService),
            (Some("server"), AccountSource::Server),
            (Some("bot"), AccountSource::Bot),
        ] {
            assert_eq!(source_of(provider), source);
        }
    }
}
