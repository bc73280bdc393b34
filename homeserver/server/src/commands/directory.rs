//! `echorift directory plan` and `echorift directory drift`: looking, without touching anything.

use std::sync::Arc;

use echorift_appservice_ldap::mapping::{Mapper, Plan as RoomsPlan};
use echorift_appservice_ldap::mirror::{Mirror, MirrorParts, Plan as PeoplePlan};
use echorift_rooms::Rooms;
use echorift_web::RateLimits;

use crate::cli::ConfigFile;
use crate::config::Config;
use crate::error::ServerError;
use crate::terminal::say;
use crate::{app, signing_key};

/// What a domain of the directory wishes now.
struct Look {
    /// Empty for the first.
    domain: String,
    people: PeoplePlan,
    /// How many people may be locked without somebody's word.
    locks_max: usize,
    rooms: RoomsPlan,
}

/// Says what a sync of each domain of the directory would do to people and rooms, and does nothing of it. A running
/// server may stay up.
pub(super) fn plan(file: &ConfigFile) -> Result<(), ServerError> {
    for look in look(file)? {
        look.name();
        look.say_plan();
    }
    Ok(())
}

/// Says where people have made rooms different from what the directory's groups wish.
pub(super) fn drift(file: &ConfigFile) -> Result<(), ServerError> {
    for look in look(file)? {
        look.name();
        for drift in look.rooms.drift() {
            say(format_args!("{drift}"));
        }
        say(format_args!("{} differences.", look.rooms.drift().count()));
    }
    Ok(())
}

impl Look {
    fn name(&self) {
        if !self.domain.is_empty() {
            say(format_args!("Domain {}:", self.domain));
        }
    }

    fn say_plan(&self) {
        let Self { people, rooms, .. } = self;
        for change in &people.changes {
            say(format_args!("{change}"));
        }
        for trouble in &people.troubles {
            say(format_args!(
                "leave {} as they are: {}",
                trouble.who, trouble.what
            ));
        }
        for change in rooms.changes() {
            say(format_args!("{change}"));
        }
        for stop in rooms.stops() {
            say(format_args!("stopped until an administrator approves: {stop}"));
        }
        say(format_args!(
            "{} changes to people; {} would be locked, {} may be without approval.",
            people.changes.len(),
            people.locks(),
            self.locks_max
        ));
        let changes = rooms.changes().filter(|change| change.does_something()).count();
        say(format_args!(
            "{changes} changes to rooms; {} people of mapped groups have no account yet.",
            rooms.without_account
        ));
    }
}

fn look(file: &ConfigFile) -> Result<Vec<Look>, ServerError> {
    let config = Config::load(file.path.as_deref())?;
    super::block_on(async {
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
        let signing_key = signing_key::open_or_create(&config.server.data_dir, &config.server.name)?;
        let rooms = Rooms::new(app::rooms_options(&config, &signing_key), &database, users, clock);
        let mut looks = Vec::new();
        for directory in directories {
            let mirror = Mirror::new(MirrorParts {
                directory: directory.clone(),
                accounts: accounts.clone(),
                photos: None,
            });
            let Some(mirror) = mirror else { continue };
            let people = mirror.plan().await.map_err(|error| refused(&error))?;
            let mapper =
                Mapper::new(directory.mapper_parts(&rooms, &accounts)).map_err(|error| refused(&error))?;
            let snapshot = directory.read().await.map_err(|error| refused(&error))?.snapshot;
            looks.push(Look {
                domain: directory.domain().to_owned(),
                locks_max: mirror.locks_max(&people).await.map_err(|error| refused(&error))?,
                people,
                rooms: mapper.plan(&snapshot).await.map_err(|error| refused(&error))?,
            });
        }
        if looks.is_empty() {
            return Err(ServerError::Refused(
                "People are not mirrored: set sync = true in [directory].".to_owned(),
            ));
        }
        Ok(looks)
    })
}

fn refused(error: &dyn ToString) -> ServerError {
    ServerError::Refused(error.to_string())
}
