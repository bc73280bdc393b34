//! The SQL of rooms. Functions answer one question in domain types; what is written blindly is a [`Statement`] that
//! the group commit merges.

pub(crate) mod administration;
pub(crate) mod aliases;
pub(crate) mod blocking;
pub(crate) mod directory;
pub(crate) mod events;
pub(crate) mod gaps;
pub(crate) mod heads;
pub(crate) mod members;
pub(crate) mod memberships;
pub(crate) mod notices;
pub(crate) mod outside;
pub(crate) mod partial;
pub(crate) mod relations;
pub(crate) mod reports;
pub(crate) mod snapshots;
pub(crate) mod sticky;
pub(crate) mod thread_subscriptions;
pub(crate) mod timeline;

use echorift_storage::StorageError;

/// A stored text as the type it must be.
pub(crate) fn parse_stored<T, E>(place: &'static str, text: &str) -> Result<T, StorageError>
where
    T: for<'a> TryFrom<&'a str, Error = E>,
    E: ToString,
{
    T::try_from(text).map_err(|error| StorageError::corrupt(place, error))
}

/// A stored JSON list of integers.
pub(crate) fn parse_numbers(place: &'static str, json: &str) -> Result<Vec<i64>, StorageError> {
    serde_json::from_str(json).map_err(|error| StorageError::corrupt(place, error))
}

/// A JSON list of integers, for a column.
pub(crate) fn numbers_json(numbers: impl IntoIterator<Item = i64>) -> String {
    use std::fmt::Write as _;
    let mut json = String::from("[");
    for (index, number) in numbers.into_iter().enumerate() {
        let _ = write!(json, "{}{number}", if index == 0 { "" } else { "," });
    }
    json.push(']');
    json
}
