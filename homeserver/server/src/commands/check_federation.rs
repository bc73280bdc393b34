//! The part of `echorift check` that is about other servers.

use echorift_federation::{FederationCheck, Finding, Severity};
use echorift_storage::Clock;
use echorift_web::outbound::Outbound;
use ruma::ServerName;

use super::check::Report;
use crate::config::Config;
use crate::error::ServerError;
use crate::{app, signing_key};

/// How others find this server and whether it answers them, then each of the partners that were named.
pub(super) async fn look_at(config: &Config, partners: &[String], report: &mut Report) {
    if !config.federation.is_on() {
        report.good("there is no federation (federation.mode is off)");
        if !partners.is_empty() {
            report.failure(
                "a partner cannot be asked",
                "Set federation.mode to open or closed.",
            );
        }
        return;
    }
    let check = match start(config) {
        Ok(check) => check,
        Err(error) => {
            report.failure(&error.to_string(), "Correct [federation] and [outbound].");
            return;
        }
    };
    // Asking the network for a name that only this machine has would tell nothing.
    if config.server.name.host() != "localhost" {
        tell(check.own().await, report);
    }
    for partner in partners {
        match ServerName::parse(partner) {
            Ok(server) => tell(check.partner(&server).await, report),
            Err(_) => report.failure(
                &format!("{partner:?} is no server name"),
                "Write it as in user ids, for example example.org.",
            ),
        }
    }
}

fn start(config: &Config) -> Result<FederationCheck, ServerError> {
    let key = signing_key::open_or_create(&config.server.data_dir, &config.server.name)?;
    let outbound = Outbound::new(&config.outbound.options)?;
    let options = app::federation_options(config, key)?;
    Ok(FederationCheck::new(options, outbound, Clock::system())?)
}

fn tell(findings: Vec<Finding>, report: &mut Report) {
    for found in findings {
        match found.severity {
            Severity::Good => report.good(&found.finding),
            Severity::Warning => report.warning(&found.finding, &found.advice),
            Severity::Failure => report.failure(&found.finding, &found.advice),
        }
    }
}
