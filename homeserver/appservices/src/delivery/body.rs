//! The body of `PUT /_matrix/app/v1/transactions/{txnId}`.

use echorift_storage::StorageError;
use serde::Serialize;
use serde_json::{Value, json};

use super::rest::{Rest, corrupt};

/// Events are texts already. What has not always had its name is told under each of its names: services read one of them.
pub(super) fn write(events: &[String], rest: &Rest) -> Result<String, StorageError> {
    let mut body = String::with_capacity(events.iter().map(String::len).sum::<usize>() + 256);
    body.push_str("{\"events\":[");
    body.push_str(&events.join(","));
    body.push(']');
    if !rest.to_device.is_empty() {
        let names = [
            "to_device",
            "de.sorunome.msc2409.to_device",
            "org.matrix.msc4203.to_device",
        ];
        add(&mut body, &names, &rest.to_device)?;
    }
    if !rest.changed.is_empty() || !rest.left.is_empty() {
        let lists = json!({ "changed": rest.changed, "left": rest.left });
        add(
            &mut body,
            &["device_lists", "org.matrix.msc3202.device_lists"],
            &lists,
        )?;
    }
    if !rest.one_time_keys.is_empty() {
        let names = [
            "device_one_time_keys_count",
            "org.matrix.msc3202.device_one_time_keys_count",
            "org.matrix.msc3202.device_one_time_key_counts",
        ];
        add(&mut body, &names, &rest.one_time_keys)?;
        let names = [
            "device_unused_fallback_key_types",
            "org.matrix.msc3202.device_unused_fallback_key_types",
        ];
        add(&mut body, &names, &rest.fallback_keys)?;
    }
    body.push('}');
    Ok(body)
}

fn add(body: &mut String, names: &[&str], value: &impl Serialize) -> Result<(), StorageError> {
    let text = serde_json::to_string(value).map_err(corrupt)?;
    for name in names {
        body.push_str(",\"");
        body.push_str(name);
        body.push_str("\":");
        body.push_str(&text);
    }
    Ok(())
}

/// A transaction that holds nothing but what happens and is not kept.
pub(super) fn ephemeral(events: &[Value]) -> String {
    json!({ "events": [], "ephemeral": events, "de.sorunome.msc2409.ephemeral": events }).to_string()
}
