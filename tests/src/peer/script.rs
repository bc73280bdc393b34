use std::convert::Infallible;
use std::fmt;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use serde_json::Value;

/// A request that the peer got.
#[derive(Debug, Clone)]
pub struct Heard {
    pub method: String,
    /// Percent-decoded, without the query.
    pub path: String,
    /// As sent.
    pub query: String,
    pub body: Value,
    pub authorization: String,
}

/// What the peer says.
#[derive(Debug, Clone)]
pub enum Reply {
    Json(u16, Value),
    /// 200 and this text, whatever it is.
    Text(String),
    /// Nothing, for ever.
    Silence,
    /// 200 and blanks for ever, one at a time: valid JSON may still come.
    Drip,
    /// 200 and data for ever, as fast as they are taken.
    Flood,
    /// What the peer would have said anyway.
    Usual,
}

/// The test's rules, the newest last.
#[derive(Default)]
pub(super) struct Script(Vec<(String, Rule)>);

type Rule = Box<dyn Fn(&Heard) -> Reply + Send>;

impl Script {
    pub(super) fn add(&mut self, path_holds: &str, reply: impl Fn(&Heard) -> Reply + Send + 'static) {
        self.0.push((path_holds.to_owned(), Box::new(reply)));
    }

    pub(super) fn reply(&self, heard: &Heard) -> Reply {
        let rule = self.0.iter().rev().find(|(part, _)| heard.path.contains(part));
        rule.map_or(Reply::Usual, |(_, reply)| reply(heard))
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(part, _)| part))
            .finish()
    }
}

impl Reply {
    /// `None` if it is what the peer would have said anyway.
    pub(super) async fn into_response(self) -> Option<Response> {
        let response = match self {
            Self::Usual => return None,
            Self::Json(status, body) => {
                let status = StatusCode::from_u16(status).expect("a status");
                (status, axum::Json(body)).into_response()
            }
            Self::Text(text) => ([("content-type", "application/json")], text).into_response(),
            Self::Silence => std::future::pending().await,
            Self::Drip => streamed(|| async {
                tokio::time::sleep(Duration::from_millis(100)).await;
                Bytes::from_static(b" ")
            }),
            Self::Flood => streamed(|| async { Bytes::from_static(&[b' '; 64 * 1024]) }),
        };
        Some(response)
    }
}

fn streamed<F: Future<Output = Bytes> + Send + 'static>(next: impl Fn() -> F + Send + 'static) -> Response {
    let endless = stream::unfold(next, |next| async move {
        let bytes = next().await;
        Some((Ok::<_, Infallible>(bytes), next))
    });
    ([("content-type", "application/json")], Body::from_stream(endless)).into_response()
}
