use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use crate::PATIENCE;
use crate::binary::binary;
use crate::database::TestDatabase;
use crate::logs::Logs;
use crate::settings::{ServerBuilder, Settings};
use crate::sfu::RunningSfu;
use crate::synapse::Synapse;

/// One data folder and the process that serves it.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) child: Mutex<Option<Child>>,
    /// Where clients are answered.
    pub(crate) port: AtomicU16,
    pub(crate) logs: Logs,
    pub(crate) were_logs_shown: AtomicBool,
    /// The server's name, and where other servers find it.
    pub(crate) name: String,
    pub(crate) federation_port: Option<u16>,
    pub(crate) tls_port: Option<u16>,
    pub(crate) program: Program,
    // Dropped last, after the process has ended.
    pub(crate) folder: tempfile::TempDir,
}

/// What is run.
#[derive(Debug)]
pub(crate) enum Program {
    EchoRift {
        settings: Box<Mutex<Settings>>,
        _database: TestDatabase,
    },
    /// A homeserver of another make, to federate with.
    Synapse(Synapse),
}

impl Process {
    pub(crate) async fn start(builder: ServerBuilder) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let database = TestDatabase::create(folder.path(), builder.database).await;
        let mut settings = builder.settings;
        settings.set(
            "server.data_dir",
            folder.path().to_str().expect("the folder's name is UTF-8"),
        );
        settings.set("database.url", database.url());
        let name = settings.server_name();
        let ports = (settings.federation_port(), settings.tls_port());
        let program = Program::EchoRift {
            settings: Box::new(Mutex::new(settings)),
            _database: database,
        };
        Self::run_first(program, name, ports, folder).await
    }

    pub(crate) async fn start_synapse(synapse: Synapse) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (name, port) = (synapse.name(), synapse.federation_port);
        Self::run_first(Program::Synapse(synapse), name, (Some(port), None), folder).await
    }

    async fn run_first(
        program: Program,
        name: String,
        (federation_port, tls_port): (Option<u16>, Option<u16>),
        folder: tempfile::TempDir,
    ) -> Self {
        let process = Self {
            child: Mutex::new(None),
            port: AtomicU16::new(0),
            logs: Logs::default(),
            were_logs_shown: false.into(),
            name,
            federation_port,
            tls_port,
            program,
            folder,
        };
        process.run().await;
        process
    }

    pub(crate) fn config_file(&self) -> PathBuf {
        self.folder.path().join(match self.program {
            Program::EchoRift { .. } => "echorift.toml",
            Program::Synapse(_) => "homeserver.yaml",
        })
    }

    pub(crate) async fn run(&self) {
        let mut child = self
            .command()
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server can be started");
        let (lines, greeting) = mpsc::channel();
        self.logs.collect(child.stdout.take().unwrap(), Some(lines));
        self.logs.collect(child.stderr.take().unwrap(), None);
        let former = self.child.lock().unwrap().replace(child);
        assert!(former.is_none(), "the server runs already");

        let port = match &self.program {
            Program::EchoRift { .. } => {
                let wait = tokio::task::spawn_blocking(move || port_of(&greeting));
                wait.await.unwrap()
            }
            Program::Synapse(synapse) => self.answers(synapse).await.then_some(synapse.client_port),
        };
        let Some(port) = port else {
            panic!("the server did not start:\n{}", self.logs.lines().join("\n"));
        };
        self.port.store(port, Ordering::SeqCst);
        if let Program::EchoRift { .. } = self.program {
            let status = status_of(port, "/health/ready").await;
            assert_eq!(
                status,
                Some(200),
                "the server is not ready: {:?}",
                self.logs.lines()
            );
        }
    }

    fn command(&self) -> Command {
        match &self.program {
            Program::EchoRift { settings, .. } => {
                settings.lock().unwrap().write(&self.config_file());
                let mut command = Command::new(binary());
                command.args(["serve", "--config"]).arg(self.config_file());
                command.stdin(Stdio::null());
                command
            }
            Program::Synapse(synapse) => synapse.command(self.folder.path(), &self.config_file()),
        }
    }

    /// Waits until Synapse answers; it does not say when.
    async fn answers(&self, synapse: &Synapse) -> bool {
        let waiting = async {
            while status_of(synapse.client_port, "/health").await != Some(200) {
                let has_ended = match self.child.lock().unwrap().as_mut() {
                    Some(child) => child.try_wait().is_ok_and(|status| status.is_some()),
                    None => true,
                };
                if has_ended {
                    return false;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            true
        };
        tokio::time::timeout(PATIENCE * 2, waiting).await.unwrap_or(false)
    }

    pub(crate) fn pid(&self) -> u32 {
        let child = self.child.lock().unwrap();
        child.as_ref().map(Child::id).expect("the server runs")
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn end(&self) {
        if let Some(mut child) = self.child.lock().unwrap().take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
        // Its SFU outlives it on purpose, but not the test.
        if let Program::EchoRift { .. } = self.program {
            RunningSfu::end_all_of(self.folder());
        }
    }
}

async fn status_of(port: u16, path: &str) -> Option<u16> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(PATIENCE)
        .build()
        .unwrap();
    let response = client.get(format!("http://127.0.0.1:{port}{path}")).send().await;
    response.ok().map(|response| response.status().as_u16())
}

/// Waits for the line that tells where the server answers clients; the lines come when everything is ready.
fn port_of(greeting: &mpsc::Receiver<String>) -> Option<u16> {
    loop {
        let line = greeting.recv_timeout(PATIENCE + Duration::from_secs(30)).ok()?;
        if let Some((_, address)) = line.split_once("answers on http://") {
            return address.rsplit_once(':')?.1.parse().ok();
        }
    }
}
