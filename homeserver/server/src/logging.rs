//! Log lines, on standard error.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, LogSettings};

/// These tell of every event or statement what our own lines tell better; `log.level` may still name them.
const QUIET: &str = "ruma_state_res=warn,sqlx=warn";

/// To be called once, by the commands that run a server. The filter was checked with the configuration.
pub(crate) fn start(settings: &LogSettings) {
    let filter = EnvFilter::new(format!("{QUIET},{}", settings.level));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let started = match settings.format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    if let Err(error) = started {
        eprintln!("echorift: there is a logger already: {error}");
    }
}
