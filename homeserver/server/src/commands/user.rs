//! `echorift user create`.

use std::io::{BufRead as _, IsTerminal as _};
use std::path::Path;
use std::sync::Arc;

use echorift_web::RateLimits;

use crate::cli::CreateUserOptions;
use crate::config::Config;
use crate::error::ServerError;
use crate::terminal::say;
use crate::{app, data_dir};

/// Makes a local account. A running server may stay up: it sees the account at its first login.
pub(super) fn create(options: &CreateUserOptions) -> Result<(), ServerError> {
    let config = Config::load(options.config.path.as_deref())?;
    let password = read_password(options.password_file.as_deref())?;
    data_dir::create(&config.server.data_dir)?;
    let user_id = super::block_on(async {
        let (database, users, clock) = app::open_database(&config).await?;
        let limits = Arc::new(RateLimits::off());
        let base = app::AccountsBase {
            database: &database,
            users: &users,
            clock: &clock,
            limits: &limits,
        };
        let directories = app::open_directories(&config, &clock)?;
        let accounts = app::start_accounts(&config, base, &directories).await?;
        Ok(accounts
            .create_local_user(&options.name, &password, options.admin)
            .await?)
    })?;
    let kind = if options.admin {
        "the administrator"
    } else {
        "the account"
    };
    say(format_args!("Made {kind} {user_id}."));
    Ok(())
}

fn read_password(file: Option<&Path>) -> Result<String, ServerError> {
    let text = match file {
        Some(path) => std::fs::read_to_string(path).map_err(ServerError::file(path))?,
        None if std::io::stdin().is_terminal() => rpassword::prompt_password("Password: ")?,
        None => {
            let mut line = String::new();
            std::io::stdin().lock().read_line(&mut line)?;
            line
        }
    };
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(ServerError::Refused("The password is empty.".to_owned()));
    }
    Ok(password.to_owned())
}
