use std::{sync::Arc, time::Duration};

use dashmap::DashMap;
use echorift_web::outbound::{Outbound, OutboundError, Redirects, read_limited};
use http::{Method, header};
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

/// The way to push gateways.
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
    #[error("the gateway answered {0}")]
    Status(u16),
    #[error("the gateway did not answer in time")]
    Timeout,
    #[error("the gateway's answer is not one")]
    Garbage,
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
        let host = self.host(url);
        // Neither is ever closed. The gateway's own comes first, so that who waits for a slow one holds nothing.
        let _of_gateway = host.acquire().await;
        let _of_all = self.all.acquire().await;
        let exchange = self.exchange(url, request);
        let answer = tokio::time::timeout(self.request_timeout, exchange).await;
        let answer = answer.map_err(|_| GatewayError::Timeout)??;
        super::notification::rejected(&answer).ok_or(GatewayError::Garbage)
    }

    async fn exchange(&self, url: &Url, request: &Value) -> Result<Vec<u8>, GatewayError> {
        let post = self
            .outbound
            .request(Method::POST, url.clone(), Redirects::Never)?
            .header(header::CONTENT_TYPE, "application/json")
            .body(request.to_string());
        let response = self.outbound.send(post).await?;
        if !response.status().is_success() {
            return Err(GatewayError::Status(response.status().as_u16()));
        }
        Ok(read_limited(response, ANSWER_BYTES_MAX).await?.to_vec())
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
