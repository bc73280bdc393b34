use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::binary::binary;
use crate::logs::Logs;
use crate::{PATIENCE, ServerBuilder};

/// `echorift directory feed`: a process that reads a directory for a server. It ends with this value.
#[derive(Debug)]
pub struct TestFeed {
    child: Child,
    logs: Logs,
    // Dropped last, after the process has ended.
    _folder: tempfile::TempDir,
}

impl TestFeed {
    /// Reads the directory of these settings for the server at this address, with this access token.
    pub fn start(settings: ServerBuilder, server: &str, token: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (child, logs) = launch(settings, server, token, folder.path());
        Self {
            child,
            logs,
            _folder: folder,
        }
    }

    /// The newest lines that it wrote.
    pub fn logs(&self) -> Vec<String> {
        self.logs.lines()
    }

    /// Waits until it ends by itself: whether it says that all is well.
    pub async fn ended(&mut self) -> bool {
        let ends = async {
            loop {
                if let Some(status) = self.child.try_wait().expect("a child can be asked") {
                    return status.success();
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, ends)
            .await
            .expect("the process ends")
    }
}

impl Drop for TestFeed {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("-- the newest lines of the process that reads the directory --");
            self.logs().iter().for_each(|line| eprintln!("{line}"));
        }
    }
}

fn launch(settings: ServerBuilder, server: &str, token: &str, folder: &Path) -> (Child, Logs) {
    let settings = settings
        .set("directory.sync", true)
        .set("directory.feed.server", server)
        .set("directory.feed.token", token);
    let file = folder.join("feed.toml");
    settings.settings.write(&file);
    let mut child = Command::new(binary())
        .args(["directory", "feed", "--config"])
        .arg(file)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary can be started");
    let logs = Logs::default();
    logs.collect(child.stdout.take().expect("the output is piped"), None);
    logs.collect(child.stderr.take().expect("the output is piped"), None);
    (child, logs)
}
