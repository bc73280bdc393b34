//! A server of a story's own: the real binary, on a free port, with temporary data.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::Mutex,
};

use tempfile::TempDir;

/// A running server; it ends, and its data goes, with the last use.
pub struct Server {
    folder: TempDir,
    port: u16,
    process: Mutex<Option<Child>>,
}

impl Server {
    /// Starts a server on which everybody may register.
    pub fn start() -> Self {
        let server = Self {
            folder: tempfile::tempdir().unwrap(),
            // Kept over a restart: clients remember the address.
            port: TcpListener::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap()
                .port(),
            process: Mutex::default(),
        };
        std::fs::write(server.configuration(), server.settings()).unwrap();
        server.run();
        server
    }

    pub fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Ends the server at once, as a power cut would, and starts it again on its data.
    pub fn fall_and_rise(&self) {
        self.end();
        self.run();
    }

    fn configuration(&self) -> PathBuf {
        self.folder.path().join("echorift.toml")
    }

    fn settings(&self) -> String {
        let Self { folder, port, .. } = self;
        let folder = folder.path().display();
        format!(
            r#"
[server]
name = "stories.example"
public_base_url = "http://127.0.0.1:{port}"
data_dir = "{folder}"
[[listener]]
address = "127.0.0.1:{port}"
serves = ["client", "media", "web", "health"]
[registration]
enabled = true
without_verification = true
[calls.livekit]
mode = "off"
[passwords]
hash_memory_kib = 64
hash_iterations = 1
[rate_limits]
enabled = false
"#
        )
    }

    fn run(&self) {
        let binary = std::env::var_os("ECHORIFT_BIN").expect("ECHORIFT_BIN names the server's binary");
        let mut child = Command::new(binary)
            .args([
                "serve".as_ref(),
                "--config".as_ref(),
                self.configuration().as_os_str(),
            ])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let answers = lines.any(|line| line.unwrap().contains("answers on"));
        assert!(answers, "the server did not start");
        // What it says later has to go somewhere.
        std::thread::spawn(move || lines.for_each(drop));
        *self.process.lock().unwrap() = Some(child);
    }

    fn end(&self) {
        if let Some(mut child) = self.process.lock().unwrap().take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}
