use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{TestServer, until};

/// The key pair of every SFU that a test server runs ([`ServerBuilder::with_calls`](crate::ServerBuilder::with_calls)).
pub const SFU_KEY: &str = "tests";
pub const SFU_SECRET: &str = "a secret of more than thirty-two characters";

/// `ECHORIFT_TEST_LIVEKIT`, else the `livekit-server` on the path.
pub(crate) fn livekit() -> PathBuf {
    if let Some(path) = std::env::var_os("ECHORIFT_TEST_LIVEKIT") {
        return PathBuf::from(path);
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders)
        .map(|folder| folder.join("livekit-server"))
        .find(|path| path.is_file())
        .expect("ECHORIFT_TEST_LIVEKIT is to name a livekit-server; `make test` builds one")
}

/// A `livekit-server` as the system shows it.
#[derive(Debug, Clone)]
pub struct RunningSfu {
    pub pid: u32,
    /// As it was told to run.
    pub config: Value,
}

impl RunningSfu {
    /// Those that the server with this data folder has started, now or in an earlier run.
    pub(crate) fn of(folder: &Path) -> Vec<Self> {
        let mark = format!("ECHORIFT_SFU_OF={}", folder.canonicalize().unwrap().display());
        let processes = std::fs::read_dir("/proc").unwrap();
        let found = processes.filter_map(|process| {
            let pid = process.ok()?.file_name().to_str()?.parse().ok()?;
            let environment = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
            let variables: Vec<&str> = environment
                .split(|byte| *byte == 0)
                .filter_map(|variable| std::str::from_utf8(variable).ok())
                .collect();
            if !variables.contains(&mark.as_str()) {
                return None;
            }
            let config = variables
                .iter()
                .find_map(|variable| variable.strip_prefix("LIVEKIT_CONFIG="))?;
            let config = serde_json::from_str(config).expect("the configuration is JSON");
            Some(Self { pid, config })
        });
        found.collect()
    }

    /// Sends it a signal, `KILL` for example.
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill")
            .args([format!("-{signal}"), self.pid.to_string()])
            .status()
            .expect("kill exists");
        assert!(sent.success());
    }

    /// Ends those of this data folder, and does not mind if they end by themselves meanwhile.
    pub(crate) fn end_all_of(folder: &Path) {
        for sfu in Self::of(folder) {
            let mut kill = Command::new("kill");
            kill.args(["-KILL", &sfu.pid.to_string()]);
            let _ = kill.stderr(Stdio::null()).status();
        }
    }

    /// Where it answers on this machine.
    pub fn api_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.config["port"])
    }
}

impl TestServer {
    /// The SFU that it runs. There must be exactly one.
    pub fn sfu(&self) -> RunningSfu {
        let sfus = RunningSfu::of(self.data_dir());
        let [sfu] = sfus.as_slice() else {
            panic!("expected one SFU: {sfus:?}");
        };
        sfu.clone()
    }

    pub fn sfus(&self) -> Vec<RunningSfu> {
        RunningSfu::of(self.data_dir())
    }

    /// Waits until the server says that its SFU is well.
    pub async fn sfu_is_up(&self) -> RunningSfu {
        until("the SFU is up", async || {
            let health = self.anonymous().get("/health/ready").await.ok()?;
            (health["sfus"]["default"] == "up").then_some(())
        })
        .await;
        self.sfu()
    }
}

/// A token for the SFU with these rights (`video`), as the server would sign it.
pub fn sfu_token(identity: &str, video: &Value) -> String {
    let now = crate::now_ms() / 1_000;
    let claims =
        json!({ "iss": SFU_KEY, "sub": identity, "nbf": now - 10, "exp": now + 600, "video": video });
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!(
        "{}.{}",
        encode(&json!({ "alg": "HS256", "typ": "JWT" })),
        encode(&claims)
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(SFU_SECRET.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}
