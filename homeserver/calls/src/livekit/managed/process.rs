use std::{
    fs::File,
    os::fd::OwnedFd,
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal},
};
use tokio::process::{Child, Command};

/// Where LiveKit reads its configuration: neither other users nor a listing of processes can see it there.
const CONFIG: &str = "LIVEKIT_CONFIG";
/// By which the process is found again: the data folder of the server that started it.
const MARK: &str = "ECHORIFT_SFU_OF";

/// What the SFU gets of this server's environment. The rest is kept from it: LiveKit takes settings from many variables,
/// and this server's own may hold secrets.
const INHERITED: [&str; 9] = [
    "PATH",
    "HOME",
    "TZ",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GOMAXPROCS",
    "GOMEMLIMIT",
    "GOGC",
    "GODEBUG",
];

/// How often it is looked whether a process has ended that is no child of ours.
const LOOK_PAUSE: Duration = Duration::from_millis(200);

/// How long it may take to end once it was told that nobody is waited for; LiveKit allows its connections 5 seconds.
const FORCED_END: Duration = Duration::from_secs(8);

/// A running SFU.
pub(super) enum Process {
    Child(Child),
    /// One that an earlier run of this server started. The descriptor stands for this very process, so that a signal
    /// cannot reach another that got its number.
    Adopted {
        pid: Pid,
        process: OwnedFd,
    },
}

/// A process with our mark, and how it was configured.
pub(super) struct Found {
    pub(super) process: Process,
    pub(super) config: String,
}

impl Process {
    /// Starts the SFU. It is in a process group of its own, so that Ctrl-C reaches this server alone, and it stays if
    /// this server dies.
    pub(super) fn spawn(binary: &Path, config: &str, mark: &str, log: &File) -> std::io::Result<Self> {
        let inherited = INHERITED
            .into_iter()
            .filter_map(|name| std::env::var_os(name).map(|value| (name, value)));
        let mut command = Command::new(binary);
        command
            .env_clear()
            .envs(inherited)
            .env(CONFIG, config)
            .env(MARK, mark)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log.try_clone()?)
            .process_group(0);
        command.spawn().map(Self::Child)
    }

    /// The processes that carry our mark and may be looked into, which those of other users may not. Reads `/proc`.
    pub(super) fn find(mark: &str) -> std::io::Result<Vec<Found>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|name| name.parse().ok());
            let Some(pid) = number.and_then(Pid::from_raw) else {
                continue;
            };
            let Some(config) = config_of(pid, mark) else {
                continue;
            };
            // The descriptor is opened first and the environment read again, so that both are of one process.
            let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else {
                continue;
            };
            if config_of(pid, mark).as_ref() == Some(&config) {
                let process = Self::Adopted { pid, process };
                found.push(Found { process, config });
            }
        }
        Ok(found)
    }

    /// `None` once it has ended.
    pub(super) fn pid(&self) -> Option<u32> {
        match self {
            Self::Child(child) => child.id(),
            Self::Adopted { pid, .. } => u32::try_from(pid.as_raw_nonzero().get()).ok(),
        }
    }

    /// Waits for its end. Can be called again.
    pub(super) async fn ended(&mut self) -> String {
        match self {
            Self::Child(child) => match child.wait().await {
                Ok(status) => describe(status),
                Err(error) => format!("its end could not be seen: {error}"),
            },
            Self::Adopted { process, .. } => {
                while !has_ended(process) {
                    tokio::time::sleep(LOOK_PAUSE).await;
                }
                "it ended".to_owned()
            }
        }
    }

    /// Ends it: with its first SIGTERM LiveKit takes no more participants and waits for the last one to leave, with the
    /// second it puts them out, and what is left then is killed.
    pub(super) async fn end(mut self, drain: Duration) {
        for patience in [drain, FORCED_END] {
            self.signal(Signal::TERM);
            if tokio::time::timeout(patience, self.ended()).await.is_ok() {
                return;
            }
        }
        self.kill().await;
    }

    /// Ends it without asking.
    pub(super) async fn kill(mut self) {
        self.signal(Signal::KILL);
        if tokio::time::timeout(FORCED_END, self.ended()).await.is_err() {
            tracing::error!(pid = self.pid(), "the SFU cannot be ended");
        }
    }

    /// Sends a signal; nothing happens if it has ended.
    fn signal(&self, signal: Signal) {
        let sent = match self {
            // A child keeps its number until its end was waited for, and has none here after that.
            Self::Child(child) => {
                let id = child.id().and_then(|id| i32::try_from(id).ok());
                id.and_then(Pid::from_raw)
                    .map_or(Ok(()), |pid| kill_process(pid, signal))
            }
            Self::Adopted { process, .. } => pidfd_send_signal(process, signal),
        };
        if let Err(error) = sent {
            tracing::debug!(%error, ?signal, "a signal did not reach the SFU");
        }
    }
}

/// The configuration of a process, if it carries our mark.
fn config_of(pid: Pid, mark: &str) -> Option<String> {
    let environment = std::fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero())).ok()?;
    let value = |name: &str| {
        let mut variables = environment.split(|byte| *byte == 0);
        variables.find_map(|variable| variable.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
    };
    (value(MARK)? == mark.as_bytes()).then_some(())?;
    String::from_utf8(value(CONFIG)?.to_vec()).ok()
}

/// The descriptor of a process becomes readable with its end.
fn has_ended(process: &OwnedFd) -> bool {
    let mut watched = [PollFd::new(process, PollFlags::IN)];
    poll(&mut watched, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
}

fn describe(status: ExitStatus) -> String {
    // LiveKit ends with 0 after most of its failures, too.
    format!("it ended ({status})")
}
