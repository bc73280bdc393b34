//! The routes: `/config.json`, and all that is no endpoint.

use axum::{
    Router,
    response::{IntoResponse as _, Response},
    routing::get,
};
use echorift_web::MatrixError;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};

use crate::{
    WebClient, content_type,
    files::Found,
    negotiation::{accepts_html, encodings, has_current},
    page,
    place::{Place, is_asset},
};

/// Its content is in its name, so that it never changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// To be kept, and asked for again each time.
const ASK_AGAIN: &str = "no-cache";

/// Marks an answer, in its extensions, that pages of other origins have no business to read.
#[derive(Debug, Clone, Copy)]
pub struct OwnOrigin;

impl WebClient {
    /// The endpoints. What is none of anybody's is for [`WebClient::answer`].
    pub fn router(&self) -> Router {
        let client = self.clone();
        Router::new().route(
            "/config.json",
            get(async move |headers: HeaderMap| client.config(&headers).await),
        )
    }

    /// Answers for a path without an endpoint: with a file of the client, or with its page where somebody opens one of the
    /// client's own routes. All else is `M_UNRECOGNIZED` (CS API § Common error codes).
    pub async fn answer(&self, method: Method, uri: Uri, headers: HeaderMap) -> Response {
        let found = match method {
            Method::GET | Method::HEAD => self.find(uri.path(), &headers).await,
            _ => Ok(None),
        };
        match found {
            Ok(Some(response)) => response,
            Ok(None) => MatrixError::unrecognized("There is nothing at this path.").into_response(),
            Err(error) => MatrixError::internal(error).into_response(),
        }
    }

    async fn find(&self, path: &str, headers: &HeaderMap) -> std::io::Result<Option<Response>> {
        match Place::read(path) {
            Place::Endpoint => return Ok(None),
            Place::Page => {
                let page = self.page().await?;
                return Ok(Some(page.unwrap_or_else(|| self.without_client())));
            }
            Place::File(name) => {
                if let Some(found) = self.0.files.find(&name, &encodings(headers)).await? {
                    return Ok(Some(self.file(&name, found, headers)));
                }
                if is_asset(&name) {
                    return Ok(None);
                }
            }
            Place::Route => {}
        }
        if accepts_html(headers) {
            self.page().await
        } else {
            Ok(None)
        }
    }

    fn file(&self, name: &str, found: Found, asked: &HeaderMap) -> Response {
        let mut headers = HeaderMap::new();
        self.0.policy.add_to(&mut headers, None);
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        let caching = if is_asset(name) { FOR_EVER } else { ASK_AGAIN };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
        if let Ok(etag) = HeaderValue::try_from(&found.etag) {
            headers.insert(header::ETAG, etag);
        }
        if has_current(asked, &found.etag) {
            return own_origin((StatusCode::NOT_MODIFIED, headers).into_response());
        }
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(content_type::of(name)),
        );
        headers.insert(header::CONTENT_LENGTH, found.length.into());
        if let Some(encoding) = found.encoding {
            headers.insert(
                header::CONTENT_ENCODING,
                HeaderValue::from_static(encoding.name()),
            );
        }
        own_origin((headers, found.into_body()).into_response())
    }

    /// The client's page. It has no tag: its nonce is another each time.
    async fn page(&self) -> std::io::Result<Option<Response>> {
        let Some(page) = self.0.files.page().await? else {
            return Ok(None);
        };
        let nonce = page::fresh_nonce();
        Ok(Some(self.html(page::filled_in(&page, &nonce), Some(&nonce))))
    }

    fn without_client(&self) -> Response {
        self.html(page::WITHOUT_CLIENT.to_owned(), None)
    }

    fn html(&self, text: String, nonce: Option<&str>) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert(header::VARY, HeaderValue::from_static("Accept"));
        self.0.policy.add_to(&mut headers, nonce);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(ASK_AGAIN));
        headers.insert(header::CONTENT_LENGTH, text.len().into());
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        );
        own_origin((headers, text).into_response())
    }

    /// `GET /config.json`. Clients that come from elsewhere may read it, too.
    async fn config(&self, asked: &HeaderMap) -> Response {
        let is_first = (self.0.first_account.0)().await;
        let config = if is_first {
            &self.0.config_for_first
        } else {
            &self.0.config
        };
        let mut headers = HeaderMap::new();
        self.0.policy.add_to(&mut headers, None);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(ASK_AGAIN));
        if let Ok(etag) = HeaderValue::try_from(&config.etag) {
            headers.insert(header::ETAG, etag);
        }
        if has_current(asked, &config.etag) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        (headers, config.text.clone()).into_response()
    }
}

fn own_origin(mut response: Response) -> Response {
    response.extensions_mut().insert(OwnOrigin);
    response
}
