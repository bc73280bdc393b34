//! Debian's coturn with the configuration that we hand out, and credentials that we give.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use echorift_tests::{TestServer, free_port, until, v3};
use serde_json::json;

const CONFIG: &str = include_str!("../../../docker/coturn/turnserver.conf");
const SECRET: &str = "the secret of the tests";

/// A running coturn. It ends with the test.
struct Coturn {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Coturn {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let config = folder.path().join("turnserver.conf");
        std::fs::write(&config, configuration(folder.path(), port)).unwrap();
        let child = Command::new("turnserver")
            .arg("-c")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("coturn is installed");
        let coturn = Self {
            child,
            port,
            _folder: folder,
        };
        until("coturn listens", async || {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()
        })
        .await;
        coturn
    }

    /// Two clients who reach each other by the relay alone.
    async fn relay(&self, username: &str, password: &str, more: &'static [&'static str]) -> Output {
        let mut command = Command::new("turnutils_uclient");
        command
            .args([
                "-y", "-c", "-n", "5", "-m", "1", "-u", username, "-w", password, "-p",
            ])
            .arg(self.port.to_string())
            .args(more)
            .arg("127.0.0.1");
        tokio::task::spawn_blocking(move || command.output().expect("coturn's tools are installed"))
            .await
            .unwrap()
    }
}

impl Drop for Coturn {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What we hand out, with our secret, and on this machine alone: there both ends of the relay have addresses that it
/// denies otherwise.
fn configuration(folder: &Path, port: u16) -> String {
    let config = CONFIG
        .replace("CHANGE-ME", SECRET)
        .replace("listening-port=3478", &format!("listening-port={port}"));
    let folder = folder.display();
    format!(
        "{config}\nlistening-ip=127.0.0.1\nrelay-ip=127.0.0.1\nallow-loopback-peers\nallowed-peer-ip=127.0.0.1\n\
         pidfile={folder}/pid\nuserdb={folder}/db\n"
    )
}

#[tokio::test]
async fn coturn_relays_for_those_to_whom_this_server_gives_credentials() {
    let coturn = Coturn::start().await;
    let uri = format!("turn:127.0.0.1:{}?transport=udp", coturn.port);
    let server = TestServer::builder()
        .set("calls.turn.uris", json!([uri]))
        .set("calls.turn.secret", SECRET)
        .start()
        .await;
    let [alice] = server.register(["alice"]).await;
    let credentials = alice.get(v3(["voip", "turnServer"])).await.unwrap();
    assert_eq!(credentials["uris"], json!([uri]));
    let username = credentials["username"].as_str().unwrap();
    let password = credentials["password"].as_str().unwrap();
    for by in [&[][..], &["-t"]] {
        let relayed = coturn.relay(username, password, by).await;
        let told = String::from_utf8_lossy(&relayed.stdout).into_owned();
        assert!(relayed.status.success(), "{told}");
        assert!(told.contains("Total lost packets 0 "), "{told}");
    }

    let stranger = coturn.relay(username, "guessed", &[]).await;
    assert!(!stranger.status.success());
    let expired = coturn
        .relay("1000000000:@alice:test.example", password, &[])
        .await;
    assert!(!expired.status.success());
}
