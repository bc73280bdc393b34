//! `echorift rotate-key`: a new signing key, and the old one kept for what it signed.

use echorift_storage::Clock;

use crate::cli::ConfigFile;
use crate::config::Config;
use crate::error::ServerError;
use crate::signing_key;
use crate::sqlite_file::{LockError, SqliteLock, path_of};
use crate::terminal::say;

/// Other servers learn of the new key when they next ask, and go on believing what the old one signed until now.
pub(super) fn run(file: &ConfigFile) -> Result<(), ServerError> {
    let config = Config::load(file.path.as_deref())?;
    let path = path_of(&config.database.url);
    let has_database = path.as_ref().is_some_and(|path| path.exists());
    let _lock = match path.filter(|_| has_database).map(|path| SqliteLock::take(&path)) {
        Some(Ok(lock)) => Some(lock),
        Some(Err(LockError::Held(_))) => {
            return Err(ServerError::Refused(
                "The server is running, and would go on with its old key: stop it first.".to_owned(),
            ));
        }
        Some(Err(error)) => return Err(error.into()),
        None => None,
    };
    let data_dir = &config.server.data_dir;
    if !signing_key::path_in(data_dir).exists() {
        return Err(ServerError::Refused(format!(
            "There is no signing key in {} yet: the server makes one when it starts.",
            data_dir.display()
        )));
    }
    let (old, new) = signing_key::rotate(data_dir, &config.server.name, Clock::system().now())?;
    say(format_args!("The signing key is now {}.", new.key_id()));
    say(format_args!(
        "{} stands in {} and is published as an old key.",
        old.key_id(),
        signing_key::old_path_in(data_dir).display()
    ));
    if !has_database {
        say("If a server is running, restart it now: what it still signs with the old key is not believed.");
    }
    Ok(())
}
