//! `echorift backup` and `echorift restore`, for SQLite.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};

use crate::cli::BackupOptions;
use crate::config::Config;
use crate::data_dir;
use crate::error::ServerError;
use crate::sqlite_file::{SqliteLock, path_of};
use crate::terminal::say;

/// Every SQLite database begins with these bytes.
const SQLITE_MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Copies the database, also while the server runs: the copy is the state at one moment.
pub(super) fn backup(options: &BackupOptions) -> Result<(), ServerError> {
    let config = Config::load(options.config.path.as_deref())?;
    let database = sqlite_path(&config, "pg_dump --format=custom")?;
    if !database.exists() {
        return Err(ServerError::Refused(format!(
            "There is no database at {} to copy.",
            database.display()
        )));
    }
    if options.file.exists() {
        return Err(ServerError::Refused(format!(
            "{} exists already: name a new file.",
            options.file.display()
        )));
    }
    super::block_on(async {
        Ok(echorift_storage::backup_sqlite(&config.database.url, &options.file).await?)
    })?;
    File::open(&options.file)
        .and_then(|file| file.sync_all())
        .map_err(ServerError::file(&options.file))?;
    say(format_args!(
        "Copied {} to {}.",
        database.display(),
        options.file.display()
    ));
    say(format_args!(
        "Keep {} with it.",
        crate::signing_key::path_in(&config.server.data_dir).display()
    ));
    Ok(())
}

/// Puts a copy of the backup in the database's place. What was there is kept beside it, as `….before-restore`.
pub(super) fn restore(options: &BackupOptions) -> Result<(), ServerError> {
    let config = Config::load(options.config.path.as_deref())?;
    let database = sqlite_path(&config, "pg_restore --clean")?;
    require_sqlite(&options.file)?;
    if let Some(folder) = database.parent() {
        data_dir::create(folder)?;
    }
    let _lock = SqliteLock::take(&database)?;

    // The copy is complete and on the disk before anything is renamed; a crash leaves the old or the new.
    let incoming = beside(&database, ".restoring");
    std::fs::copy(&options.file, &incoming).map_err(ServerError::file(&options.file))?;
    File::open(&incoming)
        .and_then(|file| file.sync_all())
        .map_err(ServerError::file(&incoming))?;
    for suffix in ["", "-wal", "-shm"] {
        let (from, to) = (
            beside(&database, suffix),
            beside(&database, &format!(".before-restore{suffix}")),
        );
        match std::fs::rename(&from, &to) {
            Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
                return Err(ServerError::File { path: from, cause });
            }
            _ => {}
        }
    }
    std::fs::rename(&incoming, &database).map_err(ServerError::file(&database))?;
    say(format_args!(
        "{} now holds {}.",
        database.display(),
        options.file.display()
    ));
    Ok(())
}

fn sqlite_path(config: &Config, for_postgres: &str) -> Result<PathBuf, ServerError> {
    path_of(&config.database.url).ok_or_else(|| {
        ServerError::Refused(format!(
            "The database is PostgreSQL, which has its own tool: use `{for_postgres}` (docs/operations.md § Backup)."
        ))
    })
}

fn require_sqlite(file: &Path) -> Result<(), ServerError> {
    use std::io::Read as _;
    let mut magic = [0; SQLITE_MAGIC.len()];
    let read = File::open(file)
        .and_then(|mut file| file.read(&mut magic))
        .map_err(ServerError::file(file))?;
    if read == magic.len() && magic == *SQLITE_MAGIC {
        Ok(())
    } else {
        Err(ServerError::Refused(format!(
            "{} is not a SQLite database.",
            file.display()
        )))
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::cli::ConfigFile;

    struct Setup {
        folder: tempfile::TempDir,
        config: PathBuf,
        database: PathBuf,
    }

    impl Setup {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let (config, database) = (folder.path().join("c.toml"), folder.path().join("a.db"));
            std::fs::write(
                &config,
                format!("[database]\nurl = \"sqlite:{}\"", database.display()),
            )
            .unwrap();
            Self {
                folder,
                config,
                database,
            }
        }

        fn restore(&self, file: &Path) -> Result<(), ServerError> {
            let config = ConfigFile {
                path: Some(self.config.clone()),
            };
            restore(&BackupOptions {
                file: file.to_owned(),
                config,
            })
        }
    }

    #[test]
    fn restoring_keeps_what_was_there() {
        let setup = Setup::new();
        std::fs::write(&setup.database, "old").unwrap();
        let copy = setup.folder.path().join("copy.db");
        std::fs::write(&copy, b"SQLite format 3\0new").unwrap();
        setup.restore(&copy).unwrap();
        assert_eq!(std::fs::read(&setup.database).unwrap(), b"SQLite format 3\0new");
        assert_eq!(
            std::fs::read(beside(&setup.database, ".before-restore")).unwrap(),
            b"old"
        );
    }

    #[test]
    fn a_running_server_is_not_restored_under() {
        let setup = Setup::new();
        let copy = setup.folder.path().join("copy.db");
        std::fs::write(&copy, b"SQLite format 3\0new").unwrap();
        let running = SqliteLock::take(&setup.database).unwrap();
        assert!(matches!(setup.restore(&copy), Err(ServerError::Lock(_))));
        drop(running);
        setup.restore(&copy).unwrap();
    }

    #[test]
    fn what_is_no_database_is_refused() {
        let setup = Setup::new();
        std::fs::write(&setup.database, "old").unwrap();
        let copy = setup.folder.path().join("copy.db");
        std::fs::write(&copy, "SQL").unwrap();
        assert!(setup.restore(&copy).is_err());
        assert_eq!(std::fs::read(&setup.database).unwrap(), b"old");
    }
}
