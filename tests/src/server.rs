use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, Weak, mpsc};
use std::time::Duration;

use crate::binary::binary;
use crate::database::TestDatabase;
use crate::logs::Logs;
use crate::settings::{ServerBuilder, Settings};
use crate::user::Caller;
use crate::{PATIENCE, User, fresh};

/// A running server and a connection pool of this test's own. Clones share the server; the last one ends it.
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
    pub fn name(&self) -> &'static str {
        "test.example"
    }

    pub fn data_dir(&self) -> &Path {
        self.process.folder.path()
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
        self.process.settings.lock().unwrap().set(key, value);
    }

    /// Asks the server to stop (SIGTERM) and waits for its end; whether that was orderly.
    pub async fn stop(&self) -> bool {
        let pid = self
            .process
            .child
            .lock()
            .unwrap()
            .as_ref()
            .map(Child::id)
            .expect("the server runs");
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
        let ended = tokio::time::timeout(PATIENCE, wait)
            .await
            .expect("the server stops in time")
            .unwrap();
        ended.is_some_and(|status| status.success())
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

/// One data folder and the process that serves it.
#[derive(Debug)]
struct Process {
    child: Mutex<Option<Child>>,
    port: AtomicU16,
    logs: Logs,
    were_logs_shown: std::sync::atomic::AtomicBool,
    settings: Mutex<Settings>,
    // Dropped in this order, after the process has ended.
    _database: TestDatabase,
    folder: tempfile::TempDir,
}

impl Process {
    async fn start(builder: ServerBuilder) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let database = TestDatabase::create(folder.path()).await;
        let mut settings = builder.settings;
        settings.set(
            "server.data_dir",
            folder.path().to_str().expect("the folder's name is UTF-8"),
        );
        settings.set("database.url", database.url());
        let process = Self {
            child: Mutex::new(None),
            port: AtomicU16::new(0),
            logs: Logs::default(),
            were_logs_shown: false.into(),
            settings: Mutex::new(settings),
            _database: database,
            folder,
        };
        process.run().await;
        process
    }

    fn config_file(&self) -> PathBuf {
        self.folder.path().join("echorift.toml")
    }

    async fn run(&self) {
        self.settings.lock().unwrap().write(&self.config_file());
        let mut child = Command::new(binary())
            .args(["serve", "--config"])
            .arg(self.config_file())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server's binary can be started");
        let (lines, greeting) = mpsc::channel();
        self.logs.collect(child.stdout.take().unwrap(), Some(lines));
        self.logs.collect(child.stderr.take().unwrap(), None);
        let former = self.child.lock().unwrap().replace(child);
        assert!(former.is_none(), "the server runs already");

        let wait = tokio::task::spawn_blocking(move || port_of(&greeting));
        let Some(port) = wait.await.unwrap() else {
            panic!("the server did not start:\n{}", self.logs.lines().join("\n"));
        };
        self.port.store(port, Ordering::SeqCst);
        let url = format!("http://127.0.0.1:{port}/health/ready");
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(PATIENCE)
            .build()
            .unwrap();
        let ready = client.get(url).send().await.map(|response| response.status());
        assert!(
            ready.is_ok_and(|status| status == 200),
            "the server is not ready: {:?}",
            self.logs.lines()
        );
    }

    fn end(&self) {
        if let Some(mut child) = self.child.lock().unwrap().take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// Waits for the line that tells where the server answers; it is written when everything is ready.
fn port_of(greeting: &mpsc::Receiver<String>) -> Option<u16> {
    loop {
        let line = greeting.recv_timeout(PATIENCE + Duration::from_secs(30)).ok()?;
        if let Some((_, address)) = line.split_once("answers on http://") {
            return address.rsplit_once(':')?.1.parse().ok();
        }
    }
}
