//! An OpenLDAP server of the test's own, started by `tests/fixtures/ldap/run-slapd`.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use echorift_appservice_ldap::{Directory, DirectoryConfig};
use echorift_storage::Clock;
use serde_json::Value;
use tempfile::TempDir;

pub(crate) const PEOPLE: &str = "ou=people,dc=nordlicht,dc=example";
pub(crate) const GROUPS: &str = "ou=groups,dc=nordlicht,dc=example";

/// A running server; it ends when this is dropped.
pub(crate) struct Slapd {
    process: Option<Process>,
    /// What the script said when it was ready.
    about: Value,
    folder: TempDir,
}

struct Process {
    child: Child,
    /// The script ends, and slapd with it, when this closes: also when the test is killed.
    stdin: ChildStdin,
}

/// The company that all tests read. It runs as long as one of them holds it.
pub(crate) fn company() -> Arc<Slapd> {
    static RUNNING: Mutex<Weak<Slapd>> = Mutex::new(Weak::new());
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    running.upgrade().unwrap_or_else(|| {
        let started = Arc::new(Slapd::start(&[]));
        *running = Arc::downgrade(&started);
        started
    })
}

impl Slapd {
    /// A server for one test alone, with the company's troubles and further options of the script.
    pub(crate) fn start(options: &[&str]) -> Self {
        let troubles = fixtures().join("troubles.ldif");
        let troubles = troubles.to_str().unwrap();
        Self::start_bare(&[&["--ldif", troubles], options].concat())
    }

    /// As [`Slapd::start`], without the troubles.
    pub(crate) fn start_bare(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (process, about) = run(folder.path(), options);
        Self {
            process: Some(process),
            about,
            folder,
        }
    }

    pub(crate) fn stop(&mut self) {
        if let Some(Process { mut child, stdin }) = self.process.take() {
            drop(stdin);
            child.wait().unwrap();
        }
    }

    /// Starts a stopped server again, on the same ports and with the same people.
    pub(crate) fn start_again(&mut self) {
        let port = |url: &str| self.text(url).rsplit(':').next().unwrap().to_owned();
        let (port, tls_port) = (port("ldap"), port("ldaps"));
        self.process = Some(run(self.folder.path(), &["--port", &port, "--tls-port", &tls_port]).0);
    }

    pub(crate) fn text(&self, key: &str) -> &str {
        self.about[key].as_str().unwrap()
    }

    /// Settings that work, without encryption, groups and peculiarities.
    pub(crate) fn config(&self) -> DirectoryConfig {
        DirectoryConfig {
            urls: vec![self.text("ldap").to_owned()],
            bind_dn: self.text("bind_dn").to_owned(),
            bind_password: self.text("bind_password").to_owned(),
            base_dn: PEOPLE.to_owned(),
            ..DirectoryConfig::default()
        }
    }

    pub(crate) fn ca_file(&self) -> PathBuf {
        PathBuf::from(self.text("ca_file"))
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A client with these settings and the system's clock.
pub(crate) fn directory(config: DirectoryConfig) -> Directory {
    Directory::new(config, Clock::system()).unwrap()
}

pub(crate) fn group(name: &str) -> String {
    format!("cn={name},{GROUPS}")
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/ldap")
}

fn run(folder: &Path, options: &[&str]) -> (Process, Value) {
    let mut child = Command::new(fixtures().join("run-slapd"))
        .arg(folder)
        .arg("--until-stdin-closes")
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect(
            "python3 starts run-slapd: install both with `apt-get install python3 slapd ldap-utils openssl`",
        );
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let Ok(about) = serde_json::from_str(&line) else {
        let mut complaint = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut complaint)
            .unwrap();
        panic!("{}", complaint.trim());
    };
    let stdin = child.stdin.take().unwrap();
    (Process { child, stdin }, about)
}
