use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use echorift_storage::{Clock, Timestamp};
use echorift_web::{
    BoxFuture,
    outbound::{Outbound, OutboundError, Redirects, read_limited},
};
use http::{HeaderMap, Method, header};
use quick_cache::sync::Cache;
use ruma::{OwnedServerName, ServerName};
use serde::Deserialize;
use url::Url;

/// `m.server` is a name; nobody needs more than this to say it.
const PAGE_BYTES_MAX: usize = 50 * 1024;
/// A page is one of several steps before a request; whoever is slower counts as without one.
const PAGE_TIMEOUT: Duration = Duration::from_secs(15);
/// Hosts remembered. An entry is some 200 bytes.
const CACHED_HOSTS: usize = 20_000;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
/// How long an answer holds: as its headers say, within bounds (SS API § Resolving server names, step 3).
const LIFETIME_MS: i64 = 24 * HOUR;
const LIFETIME_MS_MAX: i64 = 48 * HOUR;
const LIFETIME_MS_MIN: i64 = 5 * MINUTE;
/// How long a failure holds; doubles with each, up to an hour.
const FAILURE_MS: i64 = 5 * MINUTE;
const FAILURE_MS_MAX: i64 = HOUR;

/// Fetches `/.well-known/matrix/server`.
pub(crate) trait Pages: Send + Sync {
    /// The page of a host over HTTPS, redirects followed, with the headers that say how long it holds.
    fn page<'a>(&'a self, host: &'a str) -> BoxFuture<'a, Result<Page, String>>;
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Page {
    pub body: Bytes,
    pub headers: HeaderMap,
}

/// Pages by the client for addresses that others name.
pub(crate) struct OutboundPages(pub Outbound);

impl Pages for OutboundPages {
    fn page<'a>(&'a self, host: &'a str) -> BoxFuture<'a, Result<Page, String>> {
        Box::pin(async move {
            let url = Url::parse(&format!("https://{host}/.well-known/matrix/server"))
                .map_err(|error| error.to_string())?;
            let page = tokio::time::timeout(PAGE_TIMEOUT, fetch(&self.0, url)).await;
            page.map_err(|_| "there was no answer in time".to_owned())?
        })
    }
}

async fn fetch(outbound: &Outbound, url: Url) -> Result<Page, String> {
    let told = |error: OutboundError| error.to_string();
    let request = outbound
        .request(Method::GET, url, Redirects::Follow)
        .map_err(told)?;
    let response = outbound.send(request).await.map_err(told)?;
    if response.status() != http::StatusCode::OK {
        return Err(format!("the answer was {}", response.status()));
    }
    let headers = response.headers().clone();
    let body = read_limited(response, PAGE_BYTES_MAX).await.map_err(told)?;
    Ok(Page { body, headers })
}

/// What a host's page says, for as long as it holds.
pub(crate) struct WellKnown {
    pages: Box<dyn Pages>,
    clock: Clock,
    cache: Cache<String, Arc<Held>>,
}

struct Held {
    delegation: Option<OwnedServerName>,
    until: Timestamp,
    /// Until when the delegation is believed although the page cannot be fetched any more.
    believed_until: Timestamp,
    failures: u32,
}

/// What a page was found to say, for `echorift check`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delegation {
    pub server: OwnedServerName,
    pub lifetime_ms: i64,
}

impl WellKnown {
    pub(crate) fn new(pages: Box<dyn Pages>, clock: Clock) -> Self {
        Self {
            pages,
            clock,
            cache: Cache::new(CACHED_HOSTS),
        }
    }

    /// The name that `host` delegates to; `None` if it does not, or says nothing valid.
    pub(crate) async fn delegation(&self, host: &str) -> Option<OwnedServerName> {
        let earlier = self.cache.get(host);
        if let Some(held) = &earlier {
            if held.until > self.clock.now() {
                return held.delegation.clone();
            }
            self.cache.remove(host);
        }
        let ask =
            async { Ok::<_, std::convert::Infallible>(Arc::new(self.ask(host, earlier.as_deref()).await)) };
        let held = self.cache.get_or_insert_async(host, ask).await;
        held.map_or(None, |held| held.delegation.clone())
    }

    async fn ask(&self, host: &str, earlier: Option<&Held>) -> Held {
        let page = self.pages.page(host).await;
        let now = self.clock.now();
        let failure = match page.and_then(|page| read(&page, now)) {
            Ok(found) => {
                let until = now.plus_ms(found.lifetime_ms);
                return Held {
                    delegation: Some(found.server),
                    until,
                    believed_until: now.plus_ms(LIFETIME_MS_MAX),
                    failures: 0,
                };
            }
            Err(failure) => failure,
        };
        let failures = earlier.map_or(0, |held| held.failures);
        let wait = FAILURE_MS
            .saturating_mul(1 << failures.min(8))
            .min(FAILURE_MS_MAX);
        // A web server that is down for an hour has not moved the homeserver.
        let believed = earlier.filter(|held| held.believed_until > now);
        tracing::debug!(host, failure, "a server's well-known page was not found");
        Held {
            delegation: believed.and_then(|held| held.delegation.clone()),
            until: now.plus_ms(wait),
            believed_until: earlier.map_or(now, |held| held.believed_until),
            failures: failures.saturating_add(1),
        }
    }
}

/// What a page says and how long that holds.
fn read(page: &Page, now: Timestamp) -> Result<Delegation, String> {
    #[derive(Deserialize)]
    struct Document {
        #[serde(rename = "m.server")]
        server: String,
    }
    // Whatever its Content-Type, it is read as JSON.
    let document: Document = serde_json::from_slice(&page.body).map_err(|error| error.to_string())?;
    let server = ServerName::parse(&document.server).map_err(|error| error.to_string())?;
    let lifetime_ms = lifetime_ms(&page.headers, now)
        .unwrap_or(LIFETIME_MS)
        .clamp(LIFETIME_MS_MIN, LIFETIME_MS_MAX);
    Ok(Delegation { server, lifetime_ms })
}

/// How long the headers let an answer be kept (RFC 9111 § Calculating Freshness Lifetime).
fn lifetime_ms(headers: &HeaderMap, now: Timestamp) -> Option<i64> {
    let texts = |name| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
    };
    let directives = texts(header::CACHE_CONTROL).flat_map(|text| text.split(','));
    let mut max_age = None;
    for directive in directives {
        let directive = directive.trim();
        if directive.eq_ignore_ascii_case("no-store") || directive.eq_ignore_ascii_case("no-cache") {
            return Some(0);
        }
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        if name.trim().eq_ignore_ascii_case("max-age") {
            max_age = value.trim().trim_matches('"').parse::<i64>().ok();
        }
    }
    if let Some(seconds) = max_age {
        let age = texts(header::AGE)
            .next()
            .and_then(|age| age.trim().parse::<i64>().ok());
        return Some(
            seconds
                .saturating_sub(age.unwrap_or(0).max(0))
                .saturating_mul(1000),
        );
    }
    let expires = texts(header::EXPIRES).next()?;
    // A date that is none means "already expired".
    let Some(expires) = crate::client::http_date(expires) else {
        return Some(0);
    };
    let sent = texts(header::DATE)
        .next()
        .and_then(crate::client::http_date)
        .unwrap_or(now);
    Some(expires.0.saturating_sub(sent.0))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn lifetime(headers: &[(&'static str, &'static str)]) -> Option<i64> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        lifetime_ms(&map, Timestamp(784_111_777_000))
    }

    #[test]
    fn headers_say_how_long_an_answer_holds() {
        assert_eq!(lifetime(&[]), None);
        assert_eq!(lifetime(&[("cache-control", "public, max-age=60")]), Some(60_000));
        assert_eq!(
            lifetime(&[("cache-control", "Max-Age=\"60\""), ("age", "20")]),
            Some(40_000)
        );
        assert_eq!(
            lifetime(&[("cache-control", "max-age=60"), ("cache-control", "no-store")]),
            Some(0)
        );
        assert_eq!(
            lifetime(&[("expires", "Sun, 06 Nov 1994 08:50:37 GMT")]),
            Some(60_000)
        );
        assert_eq!(
            lifetime(&[
                ("expires", "Sun, 06 Nov 1994 08:50:37 GMT"),
                ("date", "Sun, 06 Nov 1994 08:50:27 GMT")
            ]),
            Some(10_000)
        );
        assert_eq!(lifetime(&[("expires", "0")]), Some(0));
    }

    #[test]
    fn a_page_is_read_whatever_else_it_holds_and_refused_without_a_name() {
        let server = |body: &'static str| {
            let page = Page {
                body: Bytes::from_static(body.as_bytes()),
                ..Page::default()
            };
            read(&page, Timestamp(0))
                .ok()
                .map(|found| (found.server.to_string(), found.lifetime_ms))
        };
        assert_eq!(
            server(r#"{"m.server":"hs.example:443","x":1}"#),
            Some(("hs.example:443".to_owned(), LIFETIME_MS))
        );
        for wrong in [
            "",
            "{}",
            "<html>",
            r#"{"m.server":3}"#,
            r#"{"m.server":"https://a"}"#,
            r#"{"m.server":""}"#,
        ] {
            assert_eq!(server(wrong), None, "{wrong}");
        }
    }
}
