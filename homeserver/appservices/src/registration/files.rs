use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use ruma::ServerName;
use serde_json::Value;

use super::{Registration, RegistrationFault, RegistrationFaults, fields::Fields};

/// A file larger than this is no registration.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Checks registration files, without using them. How many services they register.
///
/// Errors: every fault at once.
pub fn check_files(files: &[PathBuf], server_name: &ServerName) -> Result<usize, RegistrationFaults> {
    read_files(files, server_name).map(|registrations| registrations.len())
}

/// What these files register, in their order. Errors: every fault at once.
pub(crate) fn read_files(
    files: &[PathBuf],
    server_name: &ServerName,
) -> Result<Vec<Registration>, RegistrationFaults> {
    let mut faults = Vec::new();
    let mut registered = Vec::with_capacity(files.len());
    for path in files {
        let file = path.display().to_string();
        match read_values(path) {
            Ok(values) => {
                let registration = Fields::new(&file, values, &mut faults).read(server_name);
                registered.push((file, registration));
            }
            Err((problem, fix)) => faults.push(RegistrationFault {
                file,
                key: String::new(),
                value: None,
                problem,
                fix: fix.to_owned(),
            }),
        }
    }
    check_unique(&registered, &mut faults);
    if faults.is_empty() {
        Ok(registered
            .into_iter()
            .map(|(_, registration)| registration)
            .collect())
    } else {
        Err(RegistrationFaults(faults))
    }
}

fn read_values(path: &Path) -> Result<serde_json::Map<String, Value>, (String, &'static str)> {
    let unreadable = |error: std::io::Error| {
        let fix = "Correct `application_services.files`, or let the server read the file.";
        (format!("cannot be read: {error}"), fix)
    };
    let length = std::fs::metadata(path).map_err(unreadable)?.len();
    if length > FILE_BYTES_MAX {
        return Err(("is larger than 1 MiB".to_owned(), "Name a registration file."));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let value = serde_saphyr::from_str::<Value>(&text).map_err(|error| {
        let reason = error.to_string();
        let reason = reason.lines().next().unwrap_or_default().to_owned();
        (
            format!("is not valid YAML: {reason}"),
            "Correct the file at that line.",
        )
    })?;
    match value {
        Value::Object(values) => Ok(values),
        _ => Err((
            "is no registration".to_owned(),
            "Write `id`, `url`, `as_token` and the other keys, one a line.",
        )),
    }
}

/// Each service is known by its ID and its token (AS API § Registration).
fn check_unique(registered: &[(String, Registration)], faults: &mut Vec<RegistrationFault>) {
    let mut keys: HashMap<(&str, &str), &str> = HashMap::new();
    for (file, registration) in registered {
        let values = [
            ("id", registration.id.as_str(), true),
            ("as_token", registration.as_token.as_str(), false),
            ("sender_localpart", registration.sender_localpart.as_str(), true),
        ];
        for (key, value, is_shown) in values {
            if value.is_empty() {
                continue;
            }
            if let Some(other) = keys.insert((key, value), file) {
                faults.push(RegistrationFault {
                    file: file.clone(),
                    key: key.to_owned(),
                    value: is_shown.then(|| value.to_owned()),
                    problem: format!("is the same as in {other}"),
                    fix: "Give each service its own.".to_owned(),
                });
            }
        }
    }
}
