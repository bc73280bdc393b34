//! Whether the server lives, and whether it is ready for work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use echorift_appservice_ldap::Directory;
use echorift_calls::{SfuHealth, SfuState};
use echorift_storage::Database;
use http::StatusCode;
use serde_json::{Map, Value, json};
use tokio::sync::watch;

/// A load balancer asks every few seconds; a database that takes longer than this is not ready.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(2);

/// What `/health/ready` looks at.
pub(crate) struct Health {
    database: Option<Database>,
    /// Told of, and no reason to send people elsewhere: who writes needs no SFU.
    sfus: Vec<(String, watch::Receiver<SfuHealth>)>,
    /// As the SFUs: who is logged in needs no directory.
    directories: Vec<Directory>,
    is_stopping: AtomicBool,
}

impl Health {
    /// `None` stands for no database at all: tests of the routes alone.
    pub(crate) fn new(
        database: Option<Database>,
        sfus: Vec<(String, watch::Receiver<SfuHealth>)>,
        directories: Vec<Directory>,
    ) -> Self {
        Self {
            database,
            sfus,
            directories,
            is_stopping: AtomicBool::new(false),
        }
    }

    /// From now on the server is not ready, so that a load balancer sends it nothing new.
    pub(crate) fn stop(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }

    /// How each SFU is doing, by its name.
    fn sfus(&self) -> Map<String, Value> {
        let told = self.sfus.iter().map(|(name, health)| {
            let state = match health.borrow().state {
                SfuState::Starting => "starting",
                SfuState::Up => "up",
                SfuState::Down => "down",
                SfuState::Stopped => "stopped",
            };
            let name = if name.is_empty() { "default" } else { name };
            (name.to_owned(), Value::from(state))
        });
        told.collect()
    }

    /// How the directory of each domain has answered last, by its name: it is asked when somebody logs in.
    fn directories(&self) -> Map<String, Value> {
        let told = self.directories.iter().map(|directory| {
            let status = directory.status();
            let state = match status.is_up() {
                None => "not asked",
                Some(true) => "up",
                Some(false) => "down",
            };
            let name = Some(status.domain.as_str()).filter(|name| !name.is_empty());
            let name = name.unwrap_or("default");
            (name.to_owned(), Value::from(state))
        });
        told.collect()
    }

    async fn problem(&self) -> Option<&'static str> {
        if self.is_stopping.load(Ordering::Relaxed) {
            return Some("the server is stopping");
        }
        let database = self.database.as_ref()?;
        match tokio::time::timeout(DATABASE_TIMEOUT, database.fetch_optional("SELECT 1", &[])).await {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => {
                tracing::error!(%error, "the database does not answer a health check");
                Some("the database refuses requests")
            }
            Err(_) => Some("the database does not answer in time"),
        }
    }
}

pub(super) fn routes(health: Arc<Health>) -> Router {
    Router::new()
        .route("/health/live", get(async || Json(json!({ "status": "live" }))))
        .route("/health/ready", get(ready))
        .with_state(health)
}

async fn ready(State(health): State<Arc<Health>>) -> (StatusCode, Json<Value>) {
    match health.problem().await {
        None => {
            let mut body = json!({ "status": "ready", "sfus": health.sfus() });
            if let Some(fields) = body.as_object_mut().filter(|_| !health.directories.is_empty()) {
                fields.insert("directories".to_owned(), health.directories().into());
            }
            (StatusCode::OK, Json(body))
        }
        Some(problem) => (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(json!({ "status": "not ready", "problem": problem })),
        ),
    }
}
