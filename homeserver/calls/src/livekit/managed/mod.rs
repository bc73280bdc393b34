//! A `livekit-server` that this server runs itself: on one machine nothing else has to be installed or configured.
//!
//! It is a process of its own that outlives a crash of this server: the next start finds it by its environment
//! ([`process`]) and takes it over, so that calls go on.

mod config;
mod logs;
mod ports;
mod process;
mod route;
mod store;
mod supervisor;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use echorift_storage::{Database, StorageError};
use tokio::{process::Command, sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;

pub use self::{
    config::{EmbeddedTurn, NodeAddress, TurnServer, TurnTls},
    ports::{SfuPorts, TakenPort, UdpPorts},
    route::address_towards,
    store::SfuKey,
};
use self::{
    logs::LogFile,
    process::{Found, Process},
    supervisor::Supervisor,
};
use super::{SfuHealth, SfuOptions};

/// A program that has not told its version by then is not the one that we look for.
const VERSION_TIMEOUT: Duration = Duration::from_secs(10);

/// How the SFU is to run (`[calls.livekit]`).
#[derive(Clone)]
pub struct ManagedOptions {
    /// The program, as [`find_program`] found it.
    pub binary: PathBuf,
    /// Where its log lies.
    pub data_dir: PathBuf,
    pub ports: SfuPorts,
    pub node: NodeAddress,
    pub region: Option<String>,
    /// `None`: a pair that is made once and kept in the database.
    pub key: Option<SfuKey>,
    pub turn: Option<EmbeddedTurn>,
    /// Other TURN servers that clients are told of.
    pub turn_servers: Vec<TurnServer>,
    /// `host:port` of the STUN servers that clients are told of. Without any, and without TURN, LiveKit would name
    /// those of strangers.
    pub stun_servers: Vec<String>,
    /// How long calls may go on when this server stops.
    pub drain: Duration,
    /// Whether the SFU stays when this server stops in order.
    pub keep_on_stop: bool,
    /// Where clients connect, `ws(s)://…/livekit/sfu`, and where they ask for tokens.
    pub url: String,
    pub service_url: String,
    /// Where the SFU tells what happens in its rooms.
    pub webhook_url: String,
}

/// Why the SFU cannot be run at all. That it does not start or does not stay is no error: it is tried again.
#[derive(Debug, thiserror::Error)]
pub enum ManagedError {
    #[error("the SFU's keys and ports could not be read or written: {0}")]
    Storage(#[from] StorageError),
    #[error("the SFU's log {path} cannot be written: {cause}")]
    Log { path: PathBuf, cause: std::io::Error },
    #[error("the running processes cannot be looked through for an SFU: {0}")]
    Processes(std::io::Error),
    #[error("no free port was found for the SFU; name them in calls.livekit")]
    NoFreePort,
}

/// The running SFU and who looks after it.
pub struct ManagedSfu {
    sfu: SfuOptions,
    address: SocketAddr,
    health: watch::Receiver<SfuHealth>,
    stop: CancellationToken,
    supervisor: JoinHandle<()>,
}

impl ManagedSfu {
    /// Takes over the SFU that is running, or begins to start one; it is up when [`ManagedSfu::health`] says so.
    pub async fn start(options: ManagedOptions, database: &Database) -> Result<Self, ManagedError> {
        let mark = mark_of(&options.data_dir);
        let log = LogFile::open(&options.data_dir)?;
        let found = look_for_our_own(&mark).await?;

        let kept = store::load(database).await?;
        let remembered = kept.as_ref().map(|kept| kept.ports);
        let own_key = kept.map_or_else(SfuKey::generate, |kept| kept.key);
        // The ports of an SFU that runs already are taken, by itself.
        let ports = options.ports.settle(remembered, !found.is_empty());
        let ports = ports.ok_or(ManagedError::NoFreePort)?;
        // A pair that the operator wrote is kept nowhere but in the configuration.
        store::keep(database, &own_key, ports).await?;
        let key = options.key.clone().unwrap_or(own_key);

        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, ports.signal));
        let sfu = SfuOptions {
            name: String::new(),
            region: options.region.clone(),
            url: options.url.clone(),
            service_url: options.service_url.clone(),
            api_url: format!("http://{address}"),
            api_key: key.key.clone(),
            api_secret: key.secret.clone(),
        };
        let (health, watched) = watch::channel(SfuHealth::default());
        let stop = CancellationToken::new();
        let supervisor = Supervisor {
            config: config::livekit_config(&options, &key, ports),
            binary: options.binary,
            mark,
            ports,
            turn: options.turn,
            api_url: sfu.api_url.clone(),
            drain: options.drain,
            keep_on_stop: options.keep_on_stop,
            log,
            health,
            stop: stop.clone(),
        };
        Ok(Self {
            sfu,
            address,
            health: watched,
            stop,
            supervisor: tokio::spawn(supervisor.run(found)),
        })
    }

    /// How its administration is reached.
    pub fn sfu(&self) -> &SfuOptions {
        &self.sfu
    }

    /// Where it takes clients' connections, on this machine.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn health(&self) -> watch::Receiver<SfuHealth> {
        self.health.clone()
    }

    /// Ends it, once the calls have ended or have had their time; it takes [`ManagedOptions::drain`] and some seconds
    /// at most. With `keep_on_stop` it is left alone.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.supervisor.await {
            tracing::error!(%error, "the SFU's supervisor has failed; the SFU may still be running");
        }
    }
}

/// Ends the SFUs that earlier runs of the server with this data folder have left behind: it is to run none any more.
pub async fn end_abandoned(data_dir: &Path, drain: Duration) -> Result<(), ManagedError> {
    for Found { process, .. } in look_for_our_own(&mark_of(data_dir)).await? {
        tracing::info!(pid = process.pid(), "an SFU is still running and is ended");
        process.end(drain).await;
    }
    Ok(())
}

/// What an SFU's process carries: the data folder, for no two servers share one.
fn mark_of(data_dir: &Path) -> String {
    let path = std::fs::canonicalize(data_dir).unwrap_or_else(|_| data_dir.to_owned());
    path.display().to_string()
}

async fn look_for_our_own(mark: &str) -> Result<Vec<Found>, ManagedError> {
    let mark = mark.to_owned();
    let looked = tokio::task::spawn_blocking(move || Process::find(&mark)).await;
    let found = looked.map_err(std::io::Error::other).and_then(|found| found);
    found.map_err(ManagedError::Processes)
}

/// The program of this name: a path, or a name to be looked up on `PATH`. `None` if there is none that can be run.
pub fn find_program(name: &str) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;

    let is_program = |path: &Path| {
        std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    };
    if name.contains('/') {
        let path = PathBuf::from(name);
        return is_program(&path).then_some(path);
    }
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders)
        .map(|folder| folder.join(name))
        .find(|path| is_program(path))
}

/// What `livekit-server --version` says.
pub async fn livekit_version(binary: &Path) -> std::io::Result<String> {
    let mut command = Command::new(binary);
    command.arg("--version").stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(VERSION_TIMEOUT, command.output()).await??;
    let text = String::from_utf8_lossy(&output.stdout);
    match text.lines().find(|line| line.contains("version")) {
        Some(line) if output.status.success() => Ok(line.trim().to_owned()),
        _ => Err(std::io::Error::other("it does not say its version")),
    }
}
