//! The way to the server, over its administration API.

use std::time::Duration;

use echorift_web::outbound::{Outbound, OutboundError, Redirects, read_limited};
use http::{Method, StatusCode, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::wire::{FedChanges, FedEntries, FedRun, FedState, FedTotals};

const BASE: [&str; 5] = ["_echorift", "admin", "v1", "directory", "feed"];
/// The largest is a run's, which names people whose photos are wanted.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The longest that other requests take: the question for the state, which waits for up to a minute.
const ANSWER_WAIT: Duration = Duration::from_secs(120);
/// The first run of a large company makes many accounts.
const RUN_WAIT: Duration = Duration::from_secs(1_800);

/// A server that is fed, and by whom.
#[derive(Clone)]
pub struct FeedTarget {
    /// Where clients reach it.
    pub server: Url,
    /// An access token of an administrator with the scope `directory`.
    pub token: String,
    /// Reaches any address: the operator has named it.
    pub outbound: Outbound,
}

/// Why the server has not taken what was said.
#[derive(Debug, thiserror::Error)]
pub enum FeedFailure {
    #[error("{server} cannot be reached: {error}")]
    Unreachable { server: Url, error: OutboundError },
    #[error("{server} refuses ({status}): {message}")]
    Refused {
        server: Url,
        status: StatusCode,
        message: String,
    },
    #[error("{server} answers nonsense: {error}")]
    Nonsense { server: Url, error: serde_json::Error },
}

impl FeedFailure {
    /// Whether trying again is of no use before somebody has changed the settings.
    pub fn is_final(&self) -> bool {
        let refusals = [
            StatusCode::UNAUTHORIZED,
            StatusCode::FORBIDDEN,
            StatusCode::NOT_FOUND,
        ];
        matches!(self, Self::Refused { status, .. } if refusals.contains(status))
    }

    pub(super) fn has_status(&self, wanted: StatusCode) -> bool {
        matches!(self, Self::Refused { status, .. } if *status == wanted)
    }
}

/// What is sent with a request.
enum Content {
    None,
    Json(serde_json::Result<Vec<u8>>),
    /// What a run follows.
    Run(serde_json::Result<Vec<u8>>),
    Photo(Vec<u8>),
}

impl Content {
    fn wait(&self) -> Duration {
        match self {
            Self::Run(_) => RUN_WAIT,
            Self::None | Self::Json(_) | Self::Photo(_) => ANSWER_WAIT,
        }
    }
}

/// What is said to the server about one domain of the directory.
#[derive(Clone)]
pub(super) struct Line {
    pub target: FeedTarget,
    /// Empty for the first.
    pub domain: String,
}

#[derive(Deserialize)]
struct Begun {
    reading_id: String,
}

impl Line {
    pub(super) async fn state(&self, wait: Duration, is_told: bool) -> Result<FedState, FeedFailure> {
        let query = [
            ("timeout", wait.as_millis().to_string()),
            ("is_told", is_told.to_string()),
        ];
        self.call(Method::GET, &[], &query, Content::None).await
    }

    pub(super) async fn begin(&self) -> Result<String, FeedFailure> {
        let begun: Begun = self.call(Method::POST, &["readings"], &[], Content::None).await?;
        Ok(begun.reading_id)
    }

    pub(super) async fn put(
        &self,
        reading_id: &str,
        number: usize,
        part: &FedEntries,
    ) -> Result<(), FeedFailure> {
        let path = ["readings", reading_id, "parts", &number.to_string()];
        let _: Value = self.call(Method::PUT, &path, &[], json(part)).await?;
        Ok(())
    }

    pub(super) async fn complete(&self, reading_id: &str, totals: &FedTotals) -> Result<FedRun, FeedFailure> {
        let path = ["readings", reading_id, "complete"];
        self.call(Method::POST, &path, &[], run(totals)).await
    }

    /// Tells why the directory could not be read.
    pub(super) async fn fail(&self, reading_id: &str, reason: &str) -> Result<(), FeedFailure> {
        let path = ["readings", reading_id, "fail"];
        let body = serde_json::json!({ "reason": reason });
        let _: Value = self.call(Method::POST, &path, &[], json(&body)).await?;
        Ok(())
    }

    pub(super) async fn changes(&self, changes: &FedChanges) -> Result<FedRun, FeedFailure> {
        self.call(Method::POST, &["changes"], &[], run(changes)).await
    }

    pub(super) async fn photo(&self, id: &str, photo: Vec<u8>) -> Result<(), FeedFailure> {
        let path = ["photos", id];
        let _: Value = self.call(Method::PUT, &path, &[], Content::Photo(photo)).await?;
        Ok(())
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, String)],
        content: Content,
    ) -> Result<T, FeedFailure> {
        let server = &self.target.server;
        let unreachable = |error| FeedFailure::Unreachable {
            server: server.clone(),
            error,
        };
        let nonsense = |error| FeedFailure::Nonsense {
            server: server.clone(),
            error,
        };
        let outbound = &self.target.outbound;
        let request = outbound.request(method, self.url(path, query), Redirects::Never);
        let request = request.map_err(unreachable)?;
        let request = request.bearer_auth(&self.target.token).timeout(content.wait());
        let request = match content {
            Content::None => request,
            Content::Json(body) | Content::Run(body) => request
                .header(header::CONTENT_TYPE, "application/json")
                .body(body.map_err(nonsense)?),
            Content::Photo(photo) => request
                .header(header::CONTENT_TYPE, "application/octet-stream")
                .body(photo),
        };
        let response = outbound.send(request).await.map_err(unreachable)?;
        let status = response.status();
        let body = read_limited(response, ANSWER_BYTES_MAX)
            .await
            .map_err(unreachable)?;
        if !status.is_success() {
            let told: Option<Value> = serde_json::from_slice(&body).ok();
            let told = told.as_ref().and_then(|told| told.get("error")?.as_str());
            return Err(FeedFailure::Refused {
                server: server.clone(),
                status,
                message: told.unwrap_or("it does not say why").to_owned(),
            });
        }
        serde_json::from_slice(&body).map_err(nonsense)
    }

    fn url(&self, path: &[&str], query: &[(&str, String)]) -> Url {
        let mut url = self.target.server.clone();
        // Addresses that are http or https have a path.
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().extend(BASE);
            parts.extend(path);
        }
        let domain = Some(("domain", self.domain.clone())).filter(|(_, domain)| !domain.is_empty());
        let query = query.iter().cloned().chain(domain);
        url.query_pairs_mut().extend_pairs(query);
        url
    }
}

fn json(body: &impl serde::Serialize) -> Content {
    Content::Json(serde_json::to_vec(body))
}

fn run(body: &impl serde::Serialize) -> Content {
    Content::Run(serde_json::to_vec(body))
}
