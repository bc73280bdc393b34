use std::collections::{BTreeMap, HashMap};

use echorift_storage::{Tx, UserNumber};
use ruma::{OwnedMxcUri, OwnedUserId, UserId};
use serde_json::Value;

use crate::{AccountError, Accounts, store};

/// CS API § Profiles: of the whole profile as JSON, and of a field's name.
pub(crate) const PROFILE_BYTES_MAX: usize = 64 * 1024;
const FIELD_NAME_BYTES_MAX: usize = 255;

pub(crate) const DISPLAY_NAME: &str = "displayname";
pub(crate) const AVATAR_URL: &str = "avatar_url";

/// What a user tells of themselves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Profile {
    pub display_name: Option<String>,
    pub avatar_url: Option<OwnedMxcUri>,
    /// All fields as JSON, the two above included.
    pub fields: BTreeMap<String, Value>,
}

impl Profile {
    pub(crate) fn from_fields(fields: BTreeMap<String, Value>) -> Self {
        let mut profile = Self::default();
        for (field, value) in fields {
            profile.insert(field, value);
        }
        profile
    }

    fn insert(&mut self, field: String, value: Value) {
        match field.as_str() {
            DISPLAY_NAME => self.display_name = value.as_str().map(ToOwned::to_owned),
            AVATAR_URL => self.avatar_url = value.as_str().map(OwnedMxcUri::from),
            _ => {}
        }
        self.fields.insert(field, value);
    }
}

impl Accounts {
    /// The profile of a local user; `None` for remote, unknown and deactivated ones.
    pub async fn profile(&self, user: &UserId) -> Result<Option<Profile>, AccountError> {
        Ok(self.profiles(&[user.to_owned()]).await?.remove(user))
    }

    /// The profiles of those of `users` who have an account here.
    pub async fn profiles(
        &self,
        users: &[OwnedUserId],
    ) -> Result<HashMap<OwnedUserId, Profile>, AccountError> {
        let local = users
            .iter()
            .filter(|user| self.is_local(user))
            .map(|user| (user.localpart(), user));
        let local: HashMap<&str, &OwnedUserId> = local.collect();
        let mut profiles: HashMap<OwnedUserId, Profile> = HashMap::new();
        if local.is_empty() {
            return Ok(profiles);
        }
        for (localpart, field) in store::profiles::of(&self.0.database, local.keys().copied()).await? {
            let Some(user) = local.get(localpart.as_str()) else {
                continue;
            };
            let profile = profiles.entry((*user).clone()).or_default();
            if let Some(field) = field {
                profile.insert(field.name, field.value);
            }
        }
        Ok(profiles)
    }

    /// Sets a field of a local user's profile, or with `None` removes it, and tells the observer if others see the
    /// change in rooms.
    ///
    /// Error: `ProfileTooLarge`.
    pub(crate) async fn set_profile_field(
        &self,
        user: &UserId,
        number: UserNumber,
        field: &str,
        value: Option<Value>,
    ) -> Result<(), AccountError> {
        let name = field.to_owned();
        let text = value.map(|value| value.to_string());
        let has_changed = self
            .0
            .database
            .writer()
            .transact(move |tx| Box::pin(async move { write_field(tx, number, &name, text).await }))
            .await?;
        let is_seen_in_rooms = field == DISPLAY_NAME || field == AVATAR_URL;
        if has_changed
            && is_seen_in_rooms
            && let Some(observer) = self.0.profile_observer.get()
        {
            let profile = self.profile(user).await?.unwrap_or_default();
            observer.profile_changed(user, &profile).await;
        }
        Ok(())
    }
}

/// Checks the name of a field: those of the specification, or one with a namespace (`org.example.colour`).
///
/// Errors: `KeyTooLarge`, `BadFieldName`.
pub(crate) fn judge_field_name(field: &str) -> Result<(), AccountError> {
    if field.len() > FIELD_NAME_BYTES_MAX {
        return Err(AccountError::KeyTooLarge {
            limit: FIELD_NAME_BYTES_MAX,
        });
    }
    let is_known = field == DISPLAY_NAME || field == AVATAR_URL;
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-.".contains(c);
    let has_namespace = field.starts_with(|c: char| c.is_ascii_lowercase()) && field.contains('.');
    if is_known || (has_namespace && field.chars().all(allowed)) {
        Ok(())
    } else {
        Err(AccountError::BadFieldName)
    }
}

/// Whether the field has another value now.
async fn write_field(
    tx: &mut Tx,
    user: UserNumber,
    field: &str,
    value: Option<String>,
) -> Result<bool, AccountError> {
    let mut fields = store::profiles::fields(tx, user).await?;
    if fields.get(field) == value.as_ref() {
        return Ok(false);
    }
    let Some(value) = value else {
        store::profiles::delete(tx, user, field).await?;
        return Ok(true);
    };
    fields.insert(field.to_owned(), value.clone());
    // `"field":value,` for each: what the JSON of the whole profile takes.
    let bytes: usize = fields
        .iter()
        .map(|(field, value)| field.len() + value.len() + 4)
        .sum();
    if bytes > PROFILE_BYTES_MAX {
        return Err(AccountError::ProfileTooLarge {
            limit: PROFILE_BYTES_MAX,
        });
    }
    store::profiles::put(tx, user, field, &value).await?;
    Ok(true)
}
