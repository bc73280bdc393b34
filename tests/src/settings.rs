use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::database::DatabaseKind;
use crate::sfu::{SFU_KEY, SFU_SECRET, livekit};
use crate::{TestAuthority, TestCertificate, TestServer, free_port};

/// `registration.shared_secret` of every test server.
pub const SHARED_SECRET: &str = "the tests' own secret";

/// A server about to be started; what is not set here is as in [`Settings::for_tests`].
#[derive(Debug, Clone)]
pub struct ServerBuilder {
    pub(crate) settings: Settings,
    pub(crate) database: Option<DatabaseKind>,
}

impl ServerBuilder {
    pub(crate) fn new() -> Self {
        Self {
            settings: Settings::for_tests(),
            database: None,
        }
    }

    /// Sets a key by its path, `sessions.access_token_lifetime` for example.
    #[must_use]
    pub fn set(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.settings.set(key, value);
        self
    }

    /// On this database, whatever `ECHORIFT_TEST_DATABASE` says.
    #[must_use]
    pub fn on(mut self, database: DatabaseKind) -> Self {
        self.database = Some(database);
        self
    }

    /// Federates under this name. Where others find it is known as soon as it runs ([`TestServer::federation_port`]);
    /// they are to be told by `federation.hosts`.
    #[must_use]
    pub fn federating(self, authority: &TestAuthority, name: &str) -> Self {
        self.federating_at(authority, name, free_port())
    }

    /// Federates under its address, so that nobody has to be told where it is.
    #[must_use]
    pub fn federating_by_address(self, authority: &TestAuthority) -> Self {
        let port = free_port();
        self.federating_at(authority, &format!("127.0.0.1:{port}"), port)
    }

    /// Federates under this name at this port ([`free_port`]), so that others can be told before it runs.
    #[must_use]
    pub fn federating_at(mut self, authority: &TestAuthority, name: &str, port: u16) -> Self {
        let host = name.split_once(':').map_or(name, |(host, _)| host);
        let mut hosts = vec![host, "127.0.0.1", "localhost"];
        hosts.dedup();
        let certificate = authority.certify(&hosts);
        self.settings.federation = Some(TlsListener {
            port,
            certificate,
            serves: r#"["federation", "media"]"#,
        });
        self.set("server.name", name)
            .set("outbound.extra_ca_files", json!([authority.file()]))
            .set("outbound.denied_ip_ranges", json!([]))
            .set("outbound.retry_initial_delay", "200ms")
            .set("outbound.retry_max_delay", "1s")
            .set("rooms.public_directory_over_federation", true)
    }

    /// Where other servers are, `(name, port)`, instead of asking the DNS.
    #[must_use]
    pub fn hosts(self, hosts: &[(&str, u16)]) -> Self {
        let hosts = hosts
            .iter()
            .map(|(name, port)| ((*name).to_owned(), json!(format!("127.0.0.1:{port}"))));
        self.set("federation.hosts", Value::Object(hosts.collect()))
    }

    /// Answers clients at one port through all its runs ([`free_port`]), for programs that know its address.
    #[must_use]
    pub fn at_port(mut self, port: u16) -> Self {
        self.settings.client_port = port;
        self
    }

    /// With calls: an SFU that the server runs itself, on free ports of this machine ([`TestServer::sfu_is_up`]). The
    /// server has one port for all its runs, by which the SFU knows it.
    #[must_use]
    pub fn with_calls(self) -> Self {
        let port = free_port();
        self.at_port(port)
            .set("server.public_base_url", format!("http://127.0.0.1:{port}"))
            .set("calls.livekit.mode", "managed")
            .set(
                "calls.livekit.binary",
                livekit().to_str().expect("a path in UTF-8"),
            )
            .set("calls.livekit.port", 0)
            .set("calls.livekit.rtc_tcp_port", 0)
            .set("calls.livekit.rtc_udp_ports", "0")
            .set("calls.livekit.api_key", SFU_KEY)
            .set("calls.livekit.api_secret", SFU_SECRET)
            .set("calls.livekit.drain", "2s")
    }

    /// Answers clients by TLS, too ([`TestServer::tls_port`]).
    #[must_use]
    pub fn with_tls(mut self, authority: &TestAuthority) -> Self {
        self.settings.clients_tls = Some(TlsListener {
            port: free_port(),
            certificate: authority.certify(&["127.0.0.1", "localhost"]),
            serves: r#"["client"]"#,
        });
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
    /// Where clients are answered; 0 for wherever there is place.
    client_port: u16,
    /// The listener for other servers.
    federation: Option<TlsListener>,
    clients_tls: Option<TlsListener>,
}

/// A listener with TLS.
#[derive(Debug, Clone)]
struct TlsListener {
    port: u16,
    certificate: TestCertificate,
    /// As written in the file.
    serves: &'static str,
}

impl Settings {
    /// Quick password hashes, no rate limits, operators' registration, and no calls.
    fn for_tests() -> Self {
        let mut settings = Self {
            tables: BTreeMap::new(),
            client_port: 0,
            federation: None,
            clients_tls: None,
        };
        for (key, value) in [
            ("server.name", json!("test.example")),
            ("registration.shared_secret", json!(SHARED_SECRET)),
            ("passwords.hash_memory_kib", json!(64)),
            ("passwords.hash_iterations", json!(1)),
            ("rate_limits.enabled", json!(false)),
            ("rooms.publish", json!("everyone")),
            ("log.level", json!("info")),
            ("calls.livekit.mode", json!("off")),
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

    pub(crate) fn server_name(&self) -> String {
        let name = self.tables.get("server").and_then(|table| table.get("name"));
        name.and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    pub(crate) fn federation_port(&self) -> Option<u16> {
        self.federation.as_ref().map(|listener| listener.port)
    }

    pub(crate) fn tls_port(&self) -> Option<u16> {
        self.clients_tls.as_ref().map(|listener| listener.port)
    }

    /// The configuration file: one plain listener, on a port that the system chooses unless one is wanted, and those
    /// with TLS.
    pub(crate) fn write(&self, file: &Path) {
        let mut text = String::new();
        for (table, keys) in &self.tables {
            let _ = writeln!(text, "[{table}]");
            for (key, value) in keys {
                let _ = writeln!(text, "{key} = {}", toml(value));
            }
        }
        let port = self.client_port;
        let _ = writeln!(text, "[[listener]]\naddress = \"127.0.0.1:{port}\"");
        text.push_str(
            "serves = [\"client\", \"federation\", \"media\", \"web\", \"admin\", \"health\", \"metrics\"]\n",
        );
        for listener in self.federation.iter().chain(&self.clients_tls) {
            let TlsListener {
                port,
                certificate,
                serves,
            } = listener;
            let _ = write!(
                text,
                "[[listener]]\naddress = \"127.0.0.1:{port}\"\nserves = {serves}\ntls = true\n\
                 tls_certificate = {:?}\ntls_private_key = {:?}\n",
                certificate.certificate_file, certificate.key_file,
            );
        }
        std::fs::write(file, text).expect("the temporary folder is writable");
    }
}

/// Texts, numbers and booleans are written alike in JSON and TOML; tables, and lists that may hold them, are not.
fn toml(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(toml).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(table) => {
            let entries: Vec<String> = table
                .iter()
                .map(|(key, value)| format!("{key:?} = {}", toml(value)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
        value => value.to_string(),
    }
}
