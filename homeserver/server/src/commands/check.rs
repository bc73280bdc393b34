//! `echorift check`: what would go wrong, and what to do about it, before it does.

use std::process::ExitCode;

use echorift_appservice_ldap::{Directory, Severity};
use echorift_storage::Clock;

use crate::cli::CheckOptions;
use crate::config::{Config, ListenerSettings};
use crate::error::ServerError;
use crate::listener::Listener;
use crate::sqlite_file::{LockError, SqliteLock, path_of};
use crate::terminal::say;
use crate::{app, data_dir, signing_key};

/// Everything that was looked at, printed as it is found.
#[derive(Default)]
pub(super) struct Report {
    failures: usize,
}

impl Report {
    pub(super) fn good(&self, finding: &str) {
        say(format_args!("ok       {finding}"));
    }

    pub(super) fn warning(&self, finding: &str, advice: &str) {
        say(format_args!("warning  {finding}\n         {advice}"));
    }

    pub(super) fn failure(&mut self, finding: &str, advice: &str) {
        say(format_args!("FAULT    {finding}"));
        if !advice.is_empty() {
            say(format_args!("         {advice}"));
        }
        self.failures += 1;
    }
}

/// Exit code 0 if the server would start and people could log in, 1 if not.
pub(super) fn run(options: &CheckOptions) -> Result<ExitCode, ServerError> {
    let mut report = Report::default();
    match Config::load(options.config.path.as_deref()) {
        Err(faults) => {
            for fault in &faults.0 {
                report.failure(&fault.to_string(), "");
            }
        }
        Ok(config) => super::block_on(async {
            report.good("the configuration can be read");
            look_at(&config, &options.partner, &mut report).await;
            Ok(())
        })?,
    }
    if report.failures == 0 {
        say("Everything needed is there.");
        return Ok(ExitCode::SUCCESS);
    }
    say(format_args!("{} to be put right.", report.failures));
    Ok(ExitCode::FAILURE)
}

async fn look_at(config: &Config, partners: &[String], report: &mut Report) {
    for key in &config.without_effect {
        let finding = format!("{key} belongs to a feature that this release does not have");
        report.warning(&finding, "It has no effect. Remove it, or run a newer release.");
    }
    let is_running = look_at_data(config, report).await;
    for listener in &config.listeners {
        look_at_listener(listener, is_running, report).await;
    }
    look_at_discovery(config, report);
    super::check_federation::look_at(config, partners, report).await;
    super::check_calls::look_at(config, is_running, report).await;
    look_at_directory(config, report).await;
    look_at_services(config, report);
}

fn look_at_services(config: &Config, report: &mut Report) {
    match echorift_appservices::check_files(&config.application_services.files, &config.server.name) {
        Ok(0) => report.good("there are no application services"),
        Ok(count) => report.good(&format!(
            "the registrations of application services can be read: {count}"
        )),
        Err(faults) => {
            for fault in &faults.0 {
                report.failure(&fault.to_string(), "");
            }
        }
    }
}

/// The data folder, the key and the database. Answers whether a server runs on them at this moment.
async fn look_at_data(config: &Config, report: &mut Report) -> bool {
    let data_dir = &config.server.data_dir;
    if let Err(error) = data_dir::create(data_dir) {
        report.failure(
            &format!("the data folder cannot be made: {error}"),
            "Give the server's user a folder that it may write to (server.data_dir).",
        );
        return false;
    }
    match signing_key::open_or_create(data_dir, &config.server.name) {
        Ok(key) => report.good(&format!("the signing key is {}", key.key_id())),
        Err(error) => report.failure(&error.to_string(), "Restore the key file from a backup."),
    }
    let mut is_running = false;
    if let Some(path) = path_of(&config.database.url) {
        match SqliteLock::take(&path) {
            Ok(lock) => drop(lock),
            Err(LockError::Held(_)) => is_running = true,
            Err(error) => {
                report.failure(
                    &error.to_string(),
                    "Give the server's user the folder of the database.",
                );
                return false;
            }
        }
    }
    if is_running {
        report.good("a server is running on the database");
        return true;
    }
    match app::open_database(config).await {
        Ok(_) => report.good("the database opens and its schema is current"),
        Err(error) => report.failure(
            &error.to_string(),
            "Check database.url, that the database is running, and that its user may create tables.",
        ),
    }
    false
}

async fn look_at_listener(settings: &ListenerSettings, is_running: bool, report: &mut Report) {
    let address = settings.address;
    match Listener::open(settings).await {
        Ok(_) => report.good(&format!("{address} is free")),
        Err(_) if is_running => report.good(&format!("{address} is in use, by the running server")),
        Err(error) => report.failure(
            &error.to_string(),
            "Choose another address, or stop what uses this one; ports below 1024 need a capability.",
        ),
    }
    let is_local = address.ip().is_loopback();
    if !is_local && settings.tls.is_none() {
        report.warning(
            &format!("{address} can be reached from other machines without TLS"),
            "Passwords would cross the network in the clear: set tls, or put a reverse proxy before it.",
        );
    }
}

fn look_at_discovery(config: &Config, report: &Report) {
    let name = &config.server.name;
    let base_url = &config.server.public_base_url;
    if name.host() == "localhost" {
        report.warning(
            "the server's name is localhost",
            "Only this machine can use it. The name can never be changed.",
        );
    } else if base_url.starts_with("http://") {
        report.warning(
            &format!("{base_url} is not encrypted"),
            "Clients expect https:// outside of one machine.",
        );
    }
    if config.federation.well_known_client {
        report.good(&format!(
            "https://{name}/.well-known/matrix/client must lead to this server; it names {base_url}"
        ));
    } else {
        report.warning(
            "this server does not publish /.well-known/matrix/client",
            &format!("Publish it on https://{name} yourself, or set federation.well_known_client."),
        );
    }
}

async fn look_at_directory(config: &Config, report: &mut Report) {
    if config.directory.is_none() {
        report.good("there is no directory; people log in with local accounts");
    }
    for settings in config.directory.iter().chain(&config.directory_domains) {
        let domain = match settings.domain.as_str() {
            "" => String::new(),
            name => format!("directory.domains.{name}: "),
        };
        match Directory::new(settings.clone(), Clock::system()) {
            Err(error) => report.failure(&format!("{domain}{error}"), "Correct the [directory] table."),
            Ok(directory) => {
                for found in directory.check().await {
                    let finding = format!("{domain}{}", found.finding);
                    match found.severity {
                        Severity::Good => report.good(&finding),
                        Severity::Warning => report.warning(&finding, &found.advice),
                        Severity::Failure => report.failure(&finding, &found.advice),
                    }
                }
            }
        }
    }
}
