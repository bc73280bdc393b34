use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use crate::process::{Process, Program};
use crate::settings::ServerBuilder;
use crate::synapse::Synapse;
use crate::user::Caller;
use crate::{PATIENCE, User, fresh};

/// A running server and a connection pool of this test's own. Clones share the server; the last one ends it.
///
/// Mostly an EchoRift; a Synapse that it federates with is talked to alike.
#[derive(Debug, Clone)]
pub struct TestServer {
    process: Arc<Process>,
    pub(crate) http: reqwest::Client,
}

impl TestServer {
    /// A server of this test's own, with the settings usual in tests.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    pub fn builder() -> ServerBuilder {
        ServerBuilder::new()
    }

    /// The server that the tests of one binary share. It lives as long as one of them uses it.
    pub async fn shared() -> Self {
        static SHARED: tokio::sync::Mutex<Weak<Process>> = tokio::sync::Mutex::const_new(Weak::new());
        let mut shared = SHARED.lock().await;
        let process = match shared.upgrade() {
            Some(process) => process,
            None => {
                let process = Arc::new(Process::start(ServerBuilder::new()).await);
                *shared = Arc::downgrade(&process);
                process
            }
        };
        Self::of(process)
    }

    pub(crate) async fn start_with(builder: ServerBuilder) -> Self {
        Self::of(Arc::new(Process::start(builder).await))
    }

    pub(crate) async fn start_synapse(synapse: Synapse) -> Self {
        Self::of(Arc::new(Process::start_synapse(synapse).await))
    }

    /// The same server, for another test with a runtime of its own.
    #[must_use]
    pub fn for_this_test(&self) -> Self {
        Self::of(Arc::clone(&self.process))
    }

    /// Connections belong to the test's runtime, so each test has its own.
    fn of(process: Arc<Process>) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(PATIENCE * 2)
            .build()
            .unwrap();
        Self { process, http }
    }

    /// `http://127.0.0.1:…`, of the server as it runs now.
    pub fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.process.port.load(Ordering::SeqCst))
    }

    /// The right-hand side of its user ids.
    pub fn name(&self) -> &str {
        &self.process.name
    }

    /// Where other servers reach it.
    pub fn federation_port(&self) -> u16 {
        self.process.federation_port.expect("a server that federates")
    }

    /// Where it answers clients by TLS.
    pub fn tls_port(&self) -> u16 {
        self.process.tls_port.expect("a server with TLS")
    }

    /// The number of its process, for signals.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Waits until it does nothing any more, looking so often: what follows an answer is over then, for programs that measure.
    pub async fn settle(&self, pause: std::time::Duration) {
        let mut before = self.cpu();
        loop {
            tokio::time::sleep(pause).await;
            let now = self.cpu();
            if now == before {
                return;
            }
            before = now;
        }
    }

    /// The CPU time that it has used, user and system, as the kernel counts it: in steps of 10 ms.
    pub fn cpu(&self) -> std::time::Duration {
        let file = format!("/proc/{}/stat", self.process.pid());
        let stat = std::fs::read_to_string(file).expect("the process runs");
        // The name in brackets may hold blanks; user and system time are the 14th and 15th field.
        let (_, fields) = stat.rsplit_once(')').expect("a name in brackets");
        let ticks: u64 = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(|ticks| ticks.parse::<u64>().expect("a number"))
            .sum();
        std::time::Duration::from_millis(ticks * 10)
    }

    /// Bytes of memory that the process holds now.
    pub fn memory(&self) -> u64 {
        let file = format!("/proc/{}/status", self.process.pid());
        let status = std::fs::read_to_string(file).expect("the process runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        kib.and_then(|kib| kib.parse::<u64>().ok())
            .expect("the memory is told")
            * 1_024
    }

    pub fn data_dir(&self) -> &Path {
        self.process.folder()
    }

    pub fn config_file(&self) -> PathBuf {
        self.process.config_file()
    }

    /// The newest lines that it wrote.
    pub fn logs(&self) -> Vec<String> {
        self.process.logs.lines()
    }

    /// Somebody without a token.
    pub fn anonymous(&self) -> Caller {
        Caller::new(self.clone(), None)
    }

    /// Somebody with this token, whatever it is.
    pub fn with_token(&self, token: &str) -> Caller {
        Caller::new(self.clone(), Some(token.to_owned()))
    }

    /// Makes accounts; the names get an ending that makes them unique on this server.
    pub async fn register<const N: usize>(&self, names: [&str; N]) -> [User; N] {
        let mut users = Vec::with_capacity(N);
        for name in names {
            users.push(User::register(self, &fresh(name), false).await);
        }
        users.try_into().expect("as many users as names")
    }

    /// Makes an administrator's account.
    pub async fn register_admin(&self) -> User {
        User::register(self, &fresh("admin"), true).await
    }

    /// Ends the server at once, as a power cut would (SIGKILL), and waits until it is gone.
    pub fn kill(&self) {
        self.process.end();
    }

    /// Starts the server again on the same data. It must have been ended.
    pub async fn restart(&self) {
        self.process.run().await;
    }

    /// Changes a setting by its path, for the next [`TestServer::restart`].
    pub fn set(&self, key: &str, value: impl Into<serde_json::Value>) {
        match &self.process.program {
            Program::EchoRift { settings, .. } => settings.lock().unwrap().set(key, value),
            Program::Synapse(_) => panic!("a Synapse keeps its settings"),
        }
    }

    /// Asks the server to stop (SIGTERM) and waits for its end; whether that was orderly.
    pub async fn stop(&self) -> bool {
        let pid = self.process.pid();
        let sent = Command::new("kill")
            .args(["-TERM", &pid.to_string()])
            .status()
            .expect("kill exists");
        assert!(sent.success());
        let process = Arc::clone(&self.process);
        let wait = tokio::task::spawn_blocking(move || {
            let child = process.child.lock().unwrap().take();
            child.map(|mut child| child.wait().unwrap())
        });
        let Ok(ended) = tokio::time::timeout(PATIENCE, wait).await else {
            // Or the wait would keep the test from ending.
            let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).status();
            panic!("the server does not stop in time");
        };
        ended.unwrap().is_some_and(|status| status.success())
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if std::thread::panicking() && !self.process.were_logs_shown.swap(true, Ordering::SeqCst) {
            eprintln!(
                "-- the server's newest log lines --\n{}\n--",
                self.logs().join("\n")
            );
        }
    }
}
