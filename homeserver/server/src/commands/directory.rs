//! `echorift directory plan`.

use std::sync::Arc;

use echorift_appservice_ldap::mirror::{Mirror, MirrorParts};
use echorift_web::RateLimits;

use crate::app;
use crate::cli::ConfigFile;
use crate::config::Config;
use crate::error::ServerError;
use crate::terminal::say;

/// Says what a sync of the directory would do, and does nothing of it. A running server may stay up.
pub(super) fn plan(file: &ConfigFile) -> Result<(), ServerError> {
    let config = Config::load(file.path.as_deref())?;
    let (plan, locks_max) = super::block_on(async {
        let (database, users, clock) = app::open_database(&config).await?;
        let limits = Arc::new(RateLimits::off());
        let base = app::AccountsBase {
            database: &database,
            users: &users,
            clock: &clock,
            limits: &limits,
        };
        let directory = app::open_directory(&config, &clock)?;
        let accounts = app::start_accounts(&config, base, directory.as_ref()).await?;
        let mirror = directory.and_then(|directory| {
            Mirror::new(MirrorParts {
                directory,
                accounts,
                photos: None,
            })
        });
        let Some(mirror) = mirror else {
            return Err(ServerError::Refused(
                "People are not mirrored: set sync = true in [directory].".to_owned(),
            ));
        };
        let plan = mirror
            .plan()
            .await
            .map_err(|error| ServerError::Refused(error.to_string()))?;
        let locks_max = mirror.locks_max(&plan);
        Ok((plan, locks_max))
    })?;
    for change in &plan.changes {
        say(format_args!("{change}"));
    }
    for trouble in &plan.troubles {
        say(format_args!(
            "leave {} as they are: {}",
            trouble.who, trouble.what
        ));
    }
    say(format_args!(
        "{} changes; {} people would be locked, {locks_max} may be without approval.",
        plan.changes.len(),
        plan.locks()
    ));
    Ok(())
}
