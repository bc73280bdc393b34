//! What becomes of a request's body that nobody has read: a refusal often needs no more than the head.
//!
//! A connection of HTTP/1.1 can take the next request only once the body of the last one is through. So a short body is read
//! and thrown away, and for a long one the client is told that the connection ends here, instead of finding it closed under
//! its next request.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderValue, Version, header};
use hyper::body::{Frame, SizeHint};
use tokio::sync::oneshot;

/// How much is read and thrown away.
const DISCARDED_BYTES_MAX: usize = 64 * 1024;
/// How long that may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// A body that hands over what was not read of it.
struct Leaving {
    body: Body,
    rest: Option<oneshot::Sender<Body>>,
}

impl HttpBody for Leaving {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        if let Some(rest) = self.rest.take().filter(|_| !self.body.is_end_stream()) {
            // Nobody takes it where the whole request was given up.
            let _ = rest.send(std::mem::take(&mut self.body));
        }
    }
}

/// Answers, and sees to it that the connection can go on or is known to end.
pub(super) async fn pass_over(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() || request.version() > Version::HTTP_11 {
        return next.run(request).await;
    }
    let (rest, mut left) = oneshot::channel();
    let leaving = |body| {
        Body::new(Leaving {
            body,
            rest: Some(rest),
        })
    };
    let mut response = next.run(request.map(leaving)).await;
    if let Ok(body) = left.try_recv()
        && !discard(body).await
    {
        let closes = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, closes);
    }
    response
}

/// Reads the rest. Whether it was short enough, and came soon.
async fn discard(mut body: Body) -> bool {
    let most = u64::try_from(DISCARDED_BYTES_MAX).unwrap_or(u64::MAX);
    if body.size_hint().lower() > most {
        return false;
    }
    let read = async {
        let mut left = DISCARDED_BYTES_MAX;
        while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            let Ok(frame) = frame else { return false };
            let length = frame.data_ref().map_or(0, Bytes::len);
            let Some(less) = left.checked_sub(length) else {
                return false;
            };
            left = less;
        }
        true
    };
    tokio::time::timeout(PATIENCE, read).await.unwrap_or(false)
}
