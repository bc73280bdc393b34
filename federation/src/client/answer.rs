use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use ruma::OwnedServerName;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::FederationError;

/// How long a body may stand still.
const STALL_MAX: Duration = Duration::from_secs(30);
/// An error says little, and nobody is made to read more.
const ERROR_BYTES_MAX: usize = 64 * 1024;

/// An answer whose body is still to be read, within its bounds of size and time.
pub struct Answer {
    server: OwnedServerName,
    pub status: StatusCode,
    pub headers: HeaderMap,
    body: Incoming,
    bytes_max: usize,
    bytes_read: usize,
    deadline: Instant,
}

impl Answer {
    pub(super) fn new(
        server: OwnedServerName,
        response: http::Response<Incoming>,
        bytes_max: usize,
        deadline: Instant,
    ) -> Self {
        let (head, body) = response.into_parts();
        Self {
            server,
            status: head.status,
            headers: head.headers,
            body,
            bytes_max,
            bytes_read: 0,
            deadline,
        }
    }

    /// The next piece of the body; `None` at its end.
    ///
    /// Errors: `Unreachable` if it breaks off or comes too slowly, `BadAnswer` if it is too large.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, FederationError> {
        loop {
            let until = self.deadline.min(Instant::now() + STALL_MAX);
            let frame = timeout_at(until, self.body.frame()).await;
            let frame = frame.map_err(|_| self.unreachable("the answer's body did not come in time"))?;
            let data = match frame {
                None => return Ok(None),
                Some(Err(error)) => return Err(self.unreachable(&super::innermost(&error))),
                Some(Ok(frame)) => frame.into_data(),
            };
            // Trailers are no part of the body.
            let Ok(data) = data else { continue };
            self.bytes_read = self.bytes_read.saturating_add(data.len());
            if self.bytes_read > self.bytes_max {
                return Err(self.too_large());
            }
            return Ok(Some(data));
        }
    }

    /// The whole body. Errors as [`Answer::chunk`].
    pub async fn bytes(&mut self) -> Result<Bytes, FederationError> {
        let announced = self.body.size_hint().exact().unwrap_or_default();
        if usize::try_from(announced).map_or(true, |length| length > self.bytes_max) {
            return Err(self.too_large());
        }
        let Some(first) = self.chunk().await? else {
            return Ok(Bytes::new());
        };
        if self.body.is_end_stream() {
            return Ok(first);
        }
        let mut body = BytesMut::from(first);
        while let Some(chunk) = self.chunk().await? {
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }

    /// What an answer of 4xx or 5xx says.
    pub(super) async fn refusal(mut self) -> FederationError {
        self.bytes_max = ERROR_BYTES_MAX;
        let body = match self.bytes().await {
            Ok(body) => serde_json::from_slice(&body).unwrap_or(Value::Null),
            Err(_) => Value::Null,
        };
        let text = |field: &str| body.get(field).and_then(Value::as_str).map(ToOwned::to_owned);
        FederationError::Refused {
            errcode: text("errcode").unwrap_or_else(|| "M_UNKNOWN".to_owned()),
            message: text("error").unwrap_or_else(|| "The other server gave no reason.".to_owned()),
            server: self.server,
            status: self.status,
            body,
        }
    }

    fn unreachable(&self, reason: &str) -> FederationError {
        FederationError::Unreachable {
            server: self.server.clone(),
            reason: reason.to_owned(),
        }
    }

    fn too_large(&self) -> FederationError {
        FederationError::BadAnswer {
            server: self.server.clone(),
            reason: format!("its answer is larger than {} bytes", self.bytes_max),
        }
    }
}
