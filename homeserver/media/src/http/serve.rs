//! Contents going out, as browsers may be trusted with them.

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use super::range::Part;
use crate::store::Content;
use crate::{Media, MediaError};

/// CS API § Content repository.
const CONTENT_SECURITY_POLICY: &str = "sandbox; default-src 'none'; script-src 'none'; plugin-types application/pdf; \
                                       style-src 'unsafe-inline'; object-src 'self';";
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
/// What stands under a media id never changes. A day bounds how long it outlives its removal.
const CACHE_PRIVATELY: &str = "private, max-age=86400, immutable";
const CACHE_PUBLICLY: &str = "public, max-age=86400, immutable";

/// How a request asks for a content: its method and its headers.
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
    /// Without a token, so that caches on the way may share the answer.
    pub(super) openly: bool,
}

/// A content and how it is to be taken.
pub(super) struct Served {
    pub(super) content: Content,
    pub(super) content_type: String,
    pub(super) disposition: HeaderValue,
}

impl Media {
    /// Answers with the content, with the part of it that was asked for, or with the word that the client has it already.
    pub(super) async fn serve(&self, asked: &Asked, served: Served) -> Result<Response, MediaError> {
        let size = served.content.size;
        // Contents are named by their hash.
        let etag = format!("\"{}\"", served.content.hash.as_str());
        let mut response = if asked.has(&etag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            match asked.part(&etag, size) {
                Part::Unsatisfiable => unsatisfiable(size),
                Part::Whole => self.body(asked, &served.content, 0..size, StatusCode::OK).await?,
                Part::One(range) => {
                    let told = format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1));
                    let status = StatusCode::PARTIAL_CONTENT;
                    let mut response = self.body(asked, &served.content, range, status).await?;
                    insert(response.headers_mut(), header::CONTENT_RANGE, &told);
                    response
                }
            }
        };
        let headers = response.headers_mut();
        insert(headers, header::ETAG, &etag);
        if response.status().is_success() {
            describe(response.headers_mut(), served);
        }
        protect(response.headers_mut(), asked.openly);
        Ok(response)
    }

    async fn body(
        &self,
        asked: &Asked,
        content: &Content,
        range: std::ops::Range<u64>,
        status: StatusCode,
    ) -> Result<Response, MediaError> {
        let length = range.end.saturating_sub(range.start);
        let body = if asked.method == Method::HEAD || length == 0 {
            Body::empty()
        } else {
            metrics::counter!("echorift_media_sent_bytes_total").increment(length);
            Body::from_stream(self.read(content, range).await?)
        };
        let mut response = (status, body).into_response();
        response
            .headers_mut()
            .insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        Ok(response)
    }
}

impl Asked {
    fn text(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether the client has this content (`If-None-Match`).
    fn has(&self, etag: &str) -> bool {
        self.text(&header::IF_NONE_MATCH).is_some_and(|known| {
            let mut tags = known.split(',').map(str::trim);
            tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
        })
    }

    /// A part is of use only to who has the rest of the same content (`If-Range`).
    fn part(&self, etag: &str, size: u64) -> Part {
        match self.text(&header::IF_RANGE) {
            Some(known) if known.trim() != etag => Part::Whole,
            _ => Part::parse(self.text(&header::RANGE), size),
        }
    }
}

fn unsatisfiable(size: u64) -> Response {
    let mut response = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
    insert(
        response.headers_mut(),
        header::CONTENT_RANGE,
        &format!("bytes */{size}"),
    );
    response
}

fn describe(headers: &mut HeaderMap, served: Served) {
    let unknown = HeaderValue::from_static("application/octet-stream");
    let content_type = HeaderValue::from_str(&served.content_type).unwrap_or(unknown);
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(header::CONTENT_DISPOSITION, served.disposition);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
}

/// So that a content that is opened as a page can do nothing, and web clients can use it all the same.
fn protect(headers: &mut HeaderMap, openly: bool) {
    let cache = if openly { CACHE_PUBLICLY } else { CACHE_PRIVATELY };
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (CROSS_ORIGIN_RESOURCE_POLICY, "cross-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, cache),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

impl axum::extract::FromRequestParts<Media> for Asked {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut http::request::Parts,
        _: &Media,
    ) -> Result<Self, Self::Rejection> {
        Ok(Self {
            method: parts.method.clone(),
            headers: parts.headers.clone(),
            openly: false,
        })
    }
}
