use bytes::{Bytes, BytesMut};
use echorift_web::outbound::{OutboundError, Redirects};
use http::{HeaderMap, Method, header};
use reqwest::Response;
use url::Url;

use super::{Previews, Wish};
use crate::MediaError;

/// How many redirects are followed; the usual chain (http, https, www, language) is shorter.
const REDIRECTS_MAX: usize = 5;

/// What an answer holds, as far as it matters here.
pub(super) enum Kind {
    Page { charset: Option<String> },
    Image,
    Other,
}

impl Kind {
    /// What is asked for, as `Accept` says it.
    pub(super) const PAGE: &'static str = "text/html,application/xhtml+xml,image/*;q=0.9,*/*;q=0.5";
    pub(super) const IMAGE: &'static str = "image/webp,image/png,image/jpeg,image/gif,image/*;q=0.5";
    pub(super) const JSON: &'static str = "application/json";

    fn of(headers: &HeaderMap) -> Self {
        let content_type = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let Some(content_type) = content_type else {
            return Self::Page { charset: None };
        };
        let mut parts = content_type.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
        match essence.as_str() {
            "text/html" | "application/xhtml+xml" => {
                let charset = parts.find_map(|parameter| {
                    let (name, value) = parameter.split_once('=')?;
                    name.trim()
                        .eq_ignore_ascii_case("charset")
                        .then(|| value.trim().trim_matches('"').to_owned())
                });
                Self::Page { charset }
            }
            _ if essence.starts_with("image/") => Self::Image,
            _ => Self::Other,
        }
    }
}

/// An answer whose body is still to be read, and where it came from in the end.
pub(super) struct Fetched {
    pub(super) url: Url,
    pub(super) response: Response,
    pub(super) kind: Kind,
}

impl Previews {
    /// Whether the operator lets pages of this host be previewed. Errors: `DeniedHost`.
    pub(super) fn check(&self, url: &Url) -> Result<(), MediaError> {
        let is_denied = self.options.deny.iter().any(|pattern| pattern.matches(url));
        let is_allowed =
            self.options.allow.is_empty() || self.options.allow.iter().any(|pattern| pattern.matches(url));
        if is_denied || !is_allowed {
            return Err(MediaError::DeniedHost(
                url.host_str().unwrap_or_default().to_owned(),
            ));
        }
        Ok(())
    }

    /// Asks for what is at an address, and where that points elsewhere, there.
    pub(super) async fn fetch(
        &self,
        wish: &Wish,
        mut url: Url,
        accept: &'static str,
    ) -> Result<Fetched, MediaError> {
        for _ in 0..=REDIRECTS_MAX {
            self.check(&url)?;
            let mut request = self
                .outbound
                .request(Method::GET, url.clone(), Redirects::Never)?
                .header(header::ACCEPT, accept);
            if let Some(languages) = &wish.languages {
                request = request.header(header::ACCEPT_LANGUAGE, languages);
            }
            let response = self.outbound.send(request).await?;
            let status = response.status();
            if status.is_redirection()
                && let Some(location) = response.headers().get(header::LOCATION)
            {
                let location = location
                    .to_str()
                    .ok()
                    .and_then(|location| url.join(location).ok());
                url = location.ok_or_else(|| MediaError::PageFailed("it points nowhere".to_owned()))?;
                continue;
            }
            if !status.is_success() {
                return Err(MediaError::PageRefused(status.as_u16()));
            }
            let kind = Kind::of(response.headers());
            return Ok(Fetched { url, response, kind });
        }
        Err(MediaError::PageFailed("it points in circles".to_owned()))
    }
}

/// The first `bytes_max` bytes of an answer: what pages say of themselves stands at their beginning.
pub(super) async fn read_start(mut response: Response, bytes_max: usize) -> Result<Bytes, MediaError> {
    let mut start = BytesMut::new();
    while start.len() < bytes_max
        && let Some(chunk) = response.chunk().await.map_err(OutboundError::from)?
    {
        start.extend_from_slice(&chunk);
    }
    start.truncate(bytes_max);
    Ok(start.freeze())
}
