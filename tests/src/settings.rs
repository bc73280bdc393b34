use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::TestServer;

/// `registration.shared_secret` of every test server.
pub const SHARED_SECRET: &str = "the tests' own secret";

/// A server about to be started; what is not set here is as in [`Settings::for_tests`].
#[derive(Debug, Clone)]
pub struct ServerBuilder {
    pub(crate) settings: Settings,
}

impl ServerBuilder {
    pub(crate) fn new() -> Self {
        Self {
            settings: Settings::for_tests(),
        }
    }

    /// Sets a key by its path, `sessions.access_token_lifetime` for example.
    #[must_use]
    pub fn set(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.settings.set(key, value);
        self
    }

    /// Takes a table out altogether.
    #[must_use]
    pub fn without(mut self, table: &str) -> Self {
        self.settings.tables.remove(table);
        self
    }

    pub async fn start(self) -> TestServer {
        TestServer::start_with(self).await
    }
}

/// A configuration: table → key → value.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    tables: BTreeMap<String, BTreeMap<String, Value>>,
}

impl Settings {
    /// Quick password hashes, no rate limits, and operators' registration.
    fn for_tests() -> Self {
        let mut settings = Self {
            tables: BTreeMap::new(),
        };
        for (key, value) in [
            ("server.name", json!("test.example")),
            ("registration.shared_secret", json!(SHARED_SECRET)),
            ("passwords.hash_memory_kib", json!(64)),
            ("passwords.hash_iterations", json!(1)),
            ("rate_limits.enabled", json!(false)),
            ("rooms.publish", json!("everyone")),
            ("log.level", json!("info")),
        ] {
            settings.set(key, value);
        }
        settings
    }

    pub(crate) fn set(&mut self, key: &str, value: impl Into<Value>) {
        let (table, key) = key.rsplit_once('.').expect("a key is written as table.key");
        self.tables
            .entry(table.to_owned())
            .or_default()
            .insert(key.to_owned(), value.into());
    }

    /// The configuration file: one plain listener on a port that the system chooses.
    pub(crate) fn write(&self, file: &Path) {
        let mut text = String::new();
        // Texts, numbers, booleans and lists of them are written alike in JSON and TOML.
        for (table, keys) in &self.tables {
            let _ = writeln!(text, "[{table}]");
            for (key, value) in keys {
                let _ = writeln!(text, "{key} = {value}");
            }
        }
        text.push_str("[[listener]]\naddress = \"127.0.0.1:0\"\n");
        text.push_str(
            "serves = [\"client\", \"federation\", \"media\", \"web\", \"admin\", \"health\", \"metrics\"]\n",
        );
        std::fs::write(file, text).expect("the temporary folder is writable");
    }
}
