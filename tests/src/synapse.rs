use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::{Value, json};

use crate::{SHARED_SECRET, TestAuthority, TestCertificate, TestServer, free_port};

/// A Synapse on SQLite, named by its address so that nobody has to be told where it is.
///
/// It trusts the tests' authority, limits no rates, and tries again soon. It ends with its [`TestServer`], and with
/// the test process in any case, so that the tests of one binary may share it in a static.
#[derive(Debug)]
pub struct Synapse {
    pub(crate) client_port: u16,
    pub(crate) federation_port: u16,
    certificate: TestCertificate,
    authority: TestAuthority,
    program: std::ffi::OsString,
}

impl Synapse {
    /// Starts one; it takes some seconds.
    pub async fn start(authority: &TestAuthority) -> TestServer {
        let program = std::env::var_os("ECHORIFT_TEST_SYNAPSE").expect(
            "ECHORIFT_TEST_SYNAPSE is to name a Python that has Synapse: `make test` prepares one and sets it.",
        );
        TestServer::start_synapse(Self {
            client_port: free_port(),
            federation_port: free_port(),
            certificate: authority.certify(&["localhost", "127.0.0.1"]),
            authority: authority.clone(),
            program,
        })
        .await
    }

    pub(crate) fn name(&self) -> String {
        format!("localhost:{}", self.federation_port)
    }

    /// Writes the configuration and gives the command that serves it.
    pub(crate) fn command(&self, folder: &Path, config_file: &Path) -> Command {
        // JSON is YAML.
        let config = self.config(folder).to_string();
        std::fs::write(config_file, config).expect("the temporary folder is writable");
        let log = json!({
            "version": 1,
            "formatters": { "plain": { "format": "%(asctime)s %(levelname)s %(name)s: %(message)s" } },
            "handlers": { "console": { "class": "logging.StreamHandler", "formatter": "plain" } },
            "root": { "level": "INFO", "handlers": ["console"] },
            "disable_existing_loggers": false,
        });
        std::fs::write(folder.join("log.yaml"), log.to_string()).expect("the temporary folder is writable");
        let mut command = Command::new(&self.program);
        command
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/peers/synapse/serve.py"))
            .arg(config_file)
            .arg(folder)
            .stdin(Stdio::piped());
        command
    }

    fn config(&self, folder: &Path) -> Value {
        let mut config = json!({
            "server_name": self.name(),
            "public_baseurl": format!("http://127.0.0.1:{}/", self.client_port),
            "pid_file": folder.join("synapse.pid"),
            "log_config": folder.join("log.yaml"),
            "report_stats": false,
            "listeners": [
                listener(self.client_port, false, &["client", "media"]),
                listener(self.federation_port, true, &["federation", "media"]),
            ],
            "tls_certificate_path": self.certificate.certificate_file,
            "tls_private_key_path": self.certificate.key_file,
            "database": { "name": "sqlite3", "args": { "database": folder.join("synapse.db") } },
            "media_store_path": folder.join("media"),
            "registration_shared_secret": SHARED_SECRET,
            "bcrypt_rounds": 4,
            "macaroon_secret_key": "the tests' macaroons",
            "form_secret": "the tests' forms",
            "signing_key": format!("ed25519 a_test {}", STANDARD_NO_PAD.encode(rand::random::<[u8; 32]>())),
            "trusted_key_servers": [],
            "suppress_key_server_warning": true,
            "federation_custom_ca_list": [self.authority.file()],
            "federation_ip_range_blacklist": [],
            "ip_range_blacklist": [],
            "allow_public_rooms_over_federation": true,
            "allow_public_rooms_without_auth": true,
            "allow_device_name_lookup_over_federation": true,
            "room_list_publication_rules": [{ "action": "allow" }],
            "presence": { "enabled": true },
            "url_preview_enabled": false,
            "dynamic_thumbnails": true,
            // Or an initial sync would be told again what another was told minutes ago.
            "caches": { "sync_response_cache_duration": 0 },
            "federation": {
                "client_timeout": "15s",
                "max_short_retry_delay": "1s",
                "max_short_retries": 3,
                "max_long_retry_delay": "1s",
                "max_long_retries": 3,
                "destination_min_retry_interval": 200,
                "destination_retry_multiplier": 1,
                "destination_max_retry_interval": "1s",
            },
        });
        for (key, value) in no_limits().as_object_mut().into_iter().flatten() {
            config[key] = value.take();
        }
        config
    }
}

/// Nothing that a test does is too fast or too much.
fn no_limits() -> Value {
    let unlimited = json!({ "per_second": 100_000, "burst_count": 100_000 });
    let mut limits = json!({
        "federation_rr_transactions_per_room_per_second": 10_000,
        "rc_login": { "address": unlimited, "account": unlimited, "failed_attempts": unlimited },
        "rc_joins": { "local": unlimited, "remote": unlimited },
        "rc_invites": { "per_room": unlimited, "per_user": unlimited, "per_issuer": unlimited },
        "rc_presence": { "per_user": unlimited },
        "rc_federation": {
            "window_size": 1_000, "sleep_limit": 100_000, "sleep_delay": 1, "reject_limit": 100_000,
            "concurrent": 1_000,
        },
        "remote_media_download_burst_count": "1G",
        "remote_media_download_per_second": "1G",
    });
    for name in [
        "rc_message",
        "rc_registration",
        "rc_admin_redaction",
        "rc_joins_per_room",
        "rc_3pid_validation",
        "rc_key_requests",
        "rc_room_creation",
        "rc_reports",
        "rc_media_create",
        "rc_delayed_event_mgmt",
        "rc_user_directory",
    ] {
        limits[name] = unlimited.clone();
    }
    limits
}

fn listener(port: u16, tls: bool, names: &[&str]) -> Value {
    json!({
        "port": port, "bind_addresses": ["127.0.0.1"], "type": "http", "tls": tls,
        "resources": [{ "names": names, "compress": false }],
    })
}
