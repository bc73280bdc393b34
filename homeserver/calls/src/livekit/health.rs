use std::time::Duration;

use tokio::sync::watch;

use super::SfuOptions;

/// How long an SFU may take to say that it is well.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// How often one that others run is asked. Nothing but what operators see hangs on it.
const PAUSE: Duration = Duration::from_secs(15);

/// How an SFU is doing, for operators: calls find out by themselves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SfuHealth {
    pub state: SfuState,
    /// Why it is not up, in a sentence; empty if it is.
    pub problem: String,
    /// Its process, where this server runs it.
    pub pid: Option<u32>,
    /// How often it had to be started again since this server started.
    pub restarts: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SfuState {
    /// Not heard of yet.
    #[default]
    Starting,
    Up,
    Down,
    /// Ended, with this server.
    Stopped,
}

impl SfuHealth {
    pub fn is_up(&self) -> bool {
        self.state == SfuState::Up
    }
}

/// What an SFU says of itself: `Ok` if it is well.
///
/// Errors: a sentence that says what is wrong.
pub async fn ask_health(http: &reqwest::Client, api_url: &str) -> Result<(), Unwell> {
    let asked = http.get(api_url).timeout(ANSWER_TIMEOUT).send().await;
    match asked {
        Ok(answer) if answer.status().is_success() => Ok(()),
        Ok(answer) => Err(Unwell::Answers(format!(
            "it answers {} when asked for its health",
            answer.status().as_u16()
        ))),
        Err(error) => Err(Unwell::Silent(format!(
            "it does not answer: {}",
            cause_of(&error)
        ))),
    }
}

/// What is wrong with an SFU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unwell {
    /// It lives but is not fit for calls, for example because the machine is overloaded.
    Answers(String),
    Silent(String),
}

impl std::fmt::Display for Unwell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Answers(problem) | Self::Silent(problem) => f.write_str(problem),
        }
    }
}

/// The innermost cause: the outer ones only repeat the address.
fn cause_of(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// Asks an SFU that others run for its health, again and again, until nobody listens any more.
pub fn observe(options: &SfuOptions, http: reqwest::Client) -> watch::Receiver<SfuHealth> {
    let (health, watched) = watch::channel(SfuHealth::default());
    let (name, api_url) = (options.name.clone(), options.api_url.clone());
    tokio::spawn(async move {
        while !health.is_closed() {
            let now = match ask_health(&http, &api_url).await {
                Ok(()) => SfuHealth {
                    state: SfuState::Up,
                    ..SfuHealth::default()
                },
                Err(unwell) => SfuHealth {
                    state: SfuState::Down,
                    problem: unwell.to_string(),
                    ..SfuHealth::default()
                },
            };
            report(&health, &name, &now);
            tokio::time::sleep(PAUSE).await;
        }
    });
    watched
}

/// How logs and metrics call an SFU: the only one has no name.
pub(crate) fn label(name: &str) -> &str {
    if name.is_empty() { "default" } else { name }
}

/// Tells listeners, the metrics and, of what has changed, the log.
pub(super) fn report(health: &watch::Sender<SfuHealth>, name: &str, now: &SfuHealth) {
    let label = label(name);
    metrics::gauge!("echorift_calls_sfu_up", "sfu" => label.to_owned()).set(if now.is_up() {
        1.0
    } else {
        0.0
    });
    let before = health.send_replace(now.clone());
    if (before.state, &before.problem) == (now.state, &now.problem) {
        return;
    }
    match now.state {
        SfuState::Up => tracing::info!(sfu = label, "the SFU is up"),
        SfuState::Down => tracing::warn!(sfu = label, problem = now.problem, "the SFU is down"),
        SfuState::Starting | SfuState::Stopped => {}
    }
}
