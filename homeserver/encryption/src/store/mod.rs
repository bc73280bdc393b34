//! The tables of encryption, in domain types.

pub(crate) mod backups;
pub(crate) mod cross_signing;
pub(crate) mod dehydrated;
pub(crate) mod device_keys;
pub(crate) mod device_lists;
pub(crate) mod one_time_keys;
pub(crate) mod remote_lists;
pub(crate) mod remote_messages;
pub(crate) mod to_device;

use echorift_storage::{Cells, Value};

/// Rows as one parameter, for a statement that is run inside a step.
pub(crate) fn rows_of(rows: impl IntoIterator<Item = Cells>) -> Value {
    let rows: Vec<String> = rows.into_iter().map(Cells::into_row).collect();
    Value::Text(Some(format!("[{}]", rows.join(","))))
}
