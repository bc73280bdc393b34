use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use dashmap::DashMap;
use echorift_web::outbound::{Outbound, OutboundError, Redirects, read_limited};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde_json::Value;
use tokio::sync::Semaphore;
use url::Url;

/// How many requests go to one gateway at the same moment: one that hangs holds up its own users and nobody else.
const PER_GATEWAY_MAX: usize = 16;
/// And to all of them.
const ALTOGETHER_MAX: usize = 512;
/// How many gateways are remembered before those without a request under way are forgotten.
const REMEMBERED: usize = 1_000;
/// A gateway answers with a list of keys.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// The way to push gateways and push services.
pub(crate) struct Gateways {
    outbound: Outbound,
    request_timeout: Duration,
    hosts: DashMap<String, Arc<Semaphore>>,
    all: Semaphore,
}

/// Why a gateway did not take a notification.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GatewayError {
    #[error("the gateway cannot be asked: {0}")]
    Outbound(#[from] OutboundError),
    /// With the time for which it wants to be left alone.
    #[error("the gateway answered {0}")]
    Status(u16, Option<Duration>),
    #[error("the gateway did not answer in time")]
    Timeout,
    #[error("the gateway's answer is not one")]
    Garbage,
}

/// What came back.
pub(crate) struct Answer {
    pub status: StatusCode,
    pub retry_after: Option<Duration>,
    pub body: Bytes,
}

impl GatewayError {
    /// For how long the gateway wants to be left alone, if it said so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status(_, retry_after) => *retry_after,
            _ => None,
        }
    }
}

impl Gateways {
    pub fn new(outbound: Outbound, request_timeout: Duration) -> Self {
        Self {
            outbound,
            request_timeout,
            hosts: DashMap::new(),
            all: Semaphore::new(ALTOGETHER_MAX),
        }
    }

    /// Tells a gateway, and returns the keys that it rejects.
    pub async fn notify(&self, url: &Url, request: &Value) -> Result<Vec<String>, GatewayError> {
        let headers =
            HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        let answer = self.post(url, headers, request.to_string().into_bytes()).await?;
        if !answer.status.is_success() {
            return Err(GatewayError::Status(answer.status.as_u16(), answer.retry_after));
        }
        super::notification::rejected(&answer.body).ok_or(GatewayError::Garbage)
    }

    /// Sends a request and reads the answer, whatever its status.
    pub async fn post(&self, url: &Url, headers: HeaderMap, body: Vec<u8>) -> Result<Answer, GatewayError> {
        let host = self.host(url);
        // Neither is ever closed. The gateway's own comes first, so that who waits for a slow one holds nothing.
        let _of_gateway = host.acquire().await;
        let _of_all = self.all.acquire().await;
        let exchange = self.exchange(url, headers, body);
        let answer = tokio::time::timeout(self.request_timeout, exchange).await;
        answer.map_err(|_| GatewayError::Timeout)?
    }

    async fn exchange(&self, url: &Url, headers: HeaderMap, body: Vec<u8>) -> Result<Answer, GatewayError> {
        let post = self
            .outbound
            .request(Method::POST, url.clone(), Redirects::Never)?
            .headers(headers)
            .body(body);
        let response = self.outbound.send(post).await?;
        let retry_after = response.headers().get(header::RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
        Ok(Answer {
            status: response.status(),
            retry_after: retry_after.map(Duration::from_secs),
            body: read_limited(response, ANSWER_BYTES_MAX).await?,
        })
    }

    fn host(&self, url: &Url) -> Arc<Semaphore> {
        if self.hosts.len() > REMEMBERED {
            self.hosts.retain(|_, semaphore| Arc::strong_count(semaphore) > 1);
        }
        let name = url.host_str().unwrap_or_default().to_owned();
        let host = self.hosts.entry(name);
        Arc::clone(&host.or_insert_with(|| Arc::new(Semaphore::new(PER_GATEWAY_MAX))))
    }
}
