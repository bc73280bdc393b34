//! The accounts as those see them who administer the server.

use echorift_storage::{Database, Row, StorageError, Timestamp, UserNumber, Value};

use crate::administration::UserState;

/// One row of the list of accounts.
#[derive(Debug, Clone)]
pub(crate) struct ListedAccount {
    pub(crate) number: UserNumber,
    pub(crate) localpart: String,
    pub(crate) provider: Option<String>,
    pub(crate) is_admin: bool,
    pub(crate) is_locked: bool,
    pub(crate) is_suspended: bool,
    pub(crate) is_deactivated: bool,
    pub(crate) is_guest: bool,
    pub(crate) created: Timestamp,
    /// As JSON texts.
    pub(crate) display_name: Option<String>,
    pub(crate) avatar_url: Option<String>,
    pub(crate) last_seen: Option<Timestamp>,
    pub(crate) devices: i64,
}

/// What is searched for, in the forms in which it may be stored: patterns for `LIKE`, with small ASCII letters.
#[derive(Debug, Clone)]
pub(crate) struct Patterns {
    pub(crate) name: String,
    /// Of the display name, which is JSON. Two, for the databases know no other small letters than those of ASCII.
    pub(crate) display_names: [String; 2],
}

/// Spells out a query for listed accounts.
macro_rules! listed_where {
    ($condition:literal) => {
        concat!(
            "SELECT accounts.user_number, accounts.localpart, accounts.provider, accounts.is_admin,
                    accounts.is_locked, accounts.is_suspended, accounts.deactivated_ts, accounts.is_guest,
                    accounts.created_ts, names.value,
                    (SELECT value FROM profile_fields
                      WHERE profile_fields.user_number = accounts.user_number AND field = 'avatar_url'),
                    (SELECT MAX(last_seen_ts) FROM devices
                      WHERE devices.user_number = accounts.user_number AND dehydrated_data IS NULL),
                    (SELECT COUNT(*) FROM devices
                      WHERE devices.user_number = accounts.user_number AND dehydrated_data IS NULL)
               FROM accounts
                    LEFT JOIN profile_fields AS names
                    ON names.user_number = accounts.user_number AND names.field = 'displayname'
              WHERE ",
            $condition
        )
    };
}

/// Spells out a condition on the state of accounts; `$1` names it.
macro_rules! in_state {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            " CASE $1 WHEN 'active' THEN deactivated_ts IS NULL AND is_locked = 0 AND is_suspended = 0
                      WHEN 'locked' THEN is_locked = 1
                      WHEN 'suspended' THEN is_suspended = 1
                      WHEN 'deactivated' THEN deactivated_ts IS NOT NULL
                      WHEN 'administrator' THEN is_admin = 1
                      WHEN 'guest' THEN is_guest = 1
                      ELSE TRUE END ",
            $after
        )
    };
}

fn read(row: &Row) -> Result<ListedAccount, StorageError> {
    Ok(ListedAccount {
        number: UserNumber(row.int(0)?),
        localpart: row.text(1)?,
        provider: row.optional_text(2)?,
        is_admin: row.flag(3)?,
        is_locked: row.flag(4)?,
        is_suspended: row.flag(5)?,
        is_deactivated: row.optional_int(6)?.is_some(),
        is_guest: row.flag(7)?,
        created: Timestamp(row.int(8)?),
        display_name: row.optional_text(9)?,
        avatar_url: row.optional_text(10)?,
        last_seen: row.optional_int(11)?.map(Timestamp),
        devices: row.int(12)?,
    })
}

pub(crate) async fn find(
    database: &Database,
    localpart: &str,
) -> Result<Option<ListedAccount>, StorageError> {
    const SQL: &str = listed_where!("accounts.localpart = $1");
    let row = database.fetch_optional(SQL, &[localpart.into()]).await?;
    row.as_ref().map(read).transpose()
}

/// The first `limit` accounts in this state after a name, by name.
pub(crate) async fn page(
    database: &Database,
    (state, patterns): (Option<UserState>, Option<&Patterns>),
    after: &str,
    limit: i64,
) -> Result<Vec<ListedAccount>, StorageError> {
    const ALL: &str = concat!(
        listed_where!("accounts.localpart > $2 AND"),
        in_state!("", "ORDER BY accounts.localpart LIMIT $3")
    );
    const MATCHING: &str = concat!(
        listed_where!("accounts.localpart > $2 AND"),
        in_state!(
            "",
            "AND (lower(accounts.localpart) LIKE $4 ESCAPE '!' OR lower(accounts.mail) LIKE $4 ESCAPE '!'
                  OR lower(names.value) LIKE $5 ESCAPE '!' OR lower(names.value) LIKE $6 ESCAPE '!')
             ORDER BY accounts.localpart LIMIT $3"
        )
    );
    let mut values: Vec<Value> = vec![name_of(state).into(), after.into(), limit.into()];
    let sql = match patterns {
        None => ALL,
        Some(patterns) => {
            let [small, capital] = &patterns.display_names;
            values.extend([&patterns.name, small, capital].map(|pattern| pattern.as_str().into()));
            MATCHING
        }
    };
    let rows = database.fetch_all(sql, &values).await?;
    rows.iter().map(read).collect()
}

pub(crate) async fn count(database: &Database, state: Option<UserState>) -> Result<i64, StorageError> {
    const SQL: &str = in_state!("SELECT COUNT(*) FROM accounts WHERE", "");
    let row = database.fetch_optional(SQL, &[name_of(state).into()]).await?;
    row.map_or(Ok(0), |row| row.int(0))
}

fn name_of(state: Option<UserState>) -> &'static str {
    match state {
        Some(UserState::Active) => "active",
        Some(UserState::Locked) => "locked",
        Some(UserState::Suspended) => "suspended",
        Some(UserState::Deactivated) => "deactivated",
        Some(UserState::Administrator) => "administrator",
        Some(UserState::Guest) => "guest",
        None => "",
    }
}
