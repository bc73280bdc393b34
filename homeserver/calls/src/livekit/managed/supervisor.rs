use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    EmbeddedTurn, SfuPorts,
    logs::LogFile,
    process::{Found, Process},
};
use crate::livekit::{
    SfuHealth, SfuState, ask_health,
    health::{Unwell, report},
};

/// How often the SFU is asked whether it is well.
const CHECK_PAUSE: Duration = Duration::from_secs(2);
/// The same while it starts: people may be waiting for it. Longer than LiveKit takes from its first answer to the end of
/// its start, 100 ms.
const START_PAUSE: Duration = Duration::from_millis(150);
/// An SFU that has not answered for so long will not come back by itself.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// How long to wait before it is started again: first, and after many failures.
const RESTART_PAUSE: Duration = Duration::from_millis(500);
const RESTART_PAUSE_MAX: Duration = Duration::from_secs(60);
/// One that was up for so long starts its next row of failures from the beginning.
const STEADY_AFTER: Duration = Duration::from_secs(60);

/// Keeps the SFU running until it is to stop.
pub(super) struct Supervisor {
    pub(super) binary: PathBuf,
    pub(super) config: String,
    pub(super) mark: String,
    pub(super) ports: SfuPorts,
    pub(super) turn: Option<EmbeddedTurn>,
    pub(super) api_url: String,
    pub(super) drain: Duration,
    pub(super) keep_on_stop: bool,
    pub(super) log: LogFile,
    pub(super) health: watch::Sender<SfuHealth>,
    pub(super) stop: CancellationToken,
}

/// Why a run of the SFU is over.
enum Over {
    Stopping { may_have_calls: bool },
    Ended(String),
    Silent(String),
}

impl Supervisor {
    /// Returns when the SFU has ended or is left alone. `found` are those that an earlier run of this server left behind.
    pub(super) async fn run(self, found: Vec<Found>) {
        let work = async {
            let mut adopted = self.adopt(found).await;
            let mut pause = RESTART_PAUSE;
            loop {
                let begun = Instant::now();
                let may_have_calls = adopted.is_some();
                let problem = match adopted.take().map_or_else(|| self.launch(), Ok) {
                    Err(problem) => problem,
                    Ok(mut process) => match self.attend(&mut process, may_have_calls).await {
                        Over::Stopping { may_have_calls } => {
                            return self.leave(process, may_have_calls).await;
                        }
                        Over::Ended(how) => {
                            format!("{how}; livekit.log in the data folder holds its last words")
                        }
                        Over::Silent(problem) => {
                            process.end(Duration::ZERO).await;
                            problem
                        }
                    },
                };
                if begun.elapsed() > STEADY_AFTER {
                    pause = RESTART_PAUSE;
                }
                self.report(SfuState::Down, None, problem);
                tokio::select! {
                    () = self.stop.cancelled() => return,
                    () = tokio::time::sleep(pause) => {}
                }
                pause = (pause * 2).min(RESTART_PAUSE_MAX);
                self.health.send_modify(|health| health.restarts += 1);
                metrics::counter!("echorift_calls_sfu_restarts_total").increment(1);
            }
        };
        tokio::select! {
            () = work => {}
            // Ends only if the log cannot be read, which must not end the SFU.
            () = async { self.log.follow().await; std::future::pending().await } => {}
        }
        self.report(SfuState::Stopped, None, String::new());
    }

    /// Takes over the SFU that is configured as it should be, and ends the others.
    async fn adopt(&self, found: Vec<Found>) -> Option<Process> {
        let mut ours = None;
        for Found { process, config } in found {
            let pid = process.pid();
            if config == self.config && ours.is_none() {
                tracing::info!(pid, "the SFU is still running and is taken over");
                ours = Some(process);
            } else {
                tracing::info!(pid, "an SFU with other settings is still running and is ended");
                process.end(self.drain).await;
            }
        }
        ours
    }

    fn launch(&self) -> Result<Process, String> {
        let taken = self.ports.taken(self.turn.as_ref());
        if let Some(first) = taken.first() {
            return Err(format!(
                "{first}. Stop the program that has it, or choose another port"
            ));
        }
        let process = Process::spawn(&self.binary, &self.config, &self.mark, self.log.file())
            .map_err(|error| format!("{} cannot be started: {error}", self.binary.display()))?;
        tracing::info!(pid = process.pid(), binary = %self.binary.display(), "the SFU was started");
        Ok(process)
    }

    /// Watches over a running SFU.
    async fn attend(&self, process: &mut Process, mut may_have_calls: bool) -> Over {
        let http = match reqwest::Client::builder().no_proxy().build() {
            Ok(http) => http,
            Err(error) => return Over::Silent(format!("its health cannot be asked for: {error}")),
        };
        let pid = process.pid();
        let mut heard = Instant::now();
        // It is up with its second answer: LiveKit answers before it has quite started, and loses signals until then.
        let (mut heard_before, mut was_up) = (false, false);
        loop {
            let asked = tokio::select! {
                how = process.ended() => return Over::Ended(how),
                () = self.stop.cancelled() => return Over::Stopping { may_have_calls },
                asked = ask_health(&http, &self.api_url) => asked,
            };
            match asked {
                Ok(()) if was_up || heard_before => {
                    (heard, was_up, may_have_calls) = (Instant::now(), true, true);
                    self.report(SfuState::Up, pid, String::new());
                }
                Ok(()) => heard_before = true,
                Err(Unwell::Silent(problem)) if heard.elapsed() > SILENCE_MAX => {
                    return Over::Silent(problem);
                }
                Err(unwell) => {
                    if matches!(unwell, Unwell::Answers(_)) {
                        heard = Instant::now();
                    }
                    // That it does not answer while it starts is nothing to tell.
                    if was_up {
                        self.report(SfuState::Down, pid, unwell.to_string());
                    }
                }
            }
            tokio::select! {
                how = process.ended() => return Over::Ended(how),
                () = self.stop.cancelled() => return Over::Stopping { may_have_calls },
                () = tokio::time::sleep(if was_up { CHECK_PAUSE } else { START_PAUSE }) => {}
            }
        }
    }

    /// What becomes of the SFU when this server stops.
    async fn leave(&self, process: Process, may_have_calls: bool) {
        if self.keep_on_stop {
            tracing::info!(pid = process.pid(), "the SFU stays, and calls with it");
        } else if may_have_calls {
            process.end(self.drain).await;
        } else {
            process.kill().await;
        }
    }

    fn report(&self, state: SfuState, pid: Option<u32>, problem: String) {
        let restarts = self.health.borrow().restarts;
        let now = SfuHealth {
            state,
            problem,
            pid,
            restarts,
        };
        report(&self.health, "", &now);
    }
}
