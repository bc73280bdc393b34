//! Media of other servers: fetched when somebody here first asks for it, then kept like our own, and dropped when
//! nobody has read it for long.

#[cfg(test)]
mod tests;

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use echorift_storage::{Change, Timestamp};
use echorift_web::BoxFuture;
use echorift_web::outbound::{OutboundError, Redirects};
use futures_util::{Stream, StreamExt as _, stream};
use http::{HeaderMap, Method, header};
use quick_cache::sync::Cache;
use ruma::http_headers::ContentDisposition;
use ruma::{OwnedServerName, ServerName};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use url::Url;

use crate::ids::MediaId;
use crate::merge::Merge;
use crate::options::RemoteOptions;
use crate::store::media::{Description, Stored};
use crate::{Media, MediaError, store};

/// Files fetched at a time, for all users together.
const AT_A_TIME: usize = 32;
/// A file that could not be had is not asked for again for this long.
const FAILURE_LIFETIME_MS: i64 = 60_000;
const FAILURES_MAX: usize = 2_000;
/// Readings are noted once a day: the lifetime is counted in weeks.
const READING_NOTED_MS: i64 = 24 * 60 * 60 * 1_000;
/// Longest time that another server is let wait for an upload on our behalf.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// A file piece by piece. What is an error is told as text: it is of the connection.
pub type RemoteBody = Pin<Box<dyn Stream<Item = Result<Bytes, String>> + Send>>;

/// Where media of another server is.
pub enum RemoteMediaAnswer {
    /// Here it comes, with the headers of its part.
    File { headers: HeaderMap, body: RemoteBody },
    /// At this address, which may be good for a short while only.
    Location(Url),
}

/// Which media is wanted of its server, and how much of it is taken.
#[derive(Debug, Clone, Copy)]
pub struct RemoteMediaRequest<'a> {
    pub server: &'a ServerName,
    /// Letters, digits, `-` and `_` only.
    pub media_id: &'a str,
    /// For media that is still to be uploaded there.
    pub wait: Duration,
    /// For the whole file.
    pub timeout: Duration,
    pub bytes_max: u64,
}

/// Asks other servers for media; implemented by federation.
pub trait RemoteMedia: Send + Sync {
    /// Asks the server whose media it is.
    ///
    /// Errors: `NotFound`, `NotYetUploaded`, `RemoteTooLarge`, `RemoteUnreachable`, `RemoteRefused`.
    fn fetch<'a>(
        &'a self,
        request: RemoteMediaRequest<'a>,
    ) -> BoxFuture<'a, Result<RemoteMediaAnswer, MediaError>>;
}

/// What is being fetched, and what failed a moment ago.
pub(crate) struct Remote {
    options: RemoteOptions,
    media: OnceLock<Arc<dyn RemoteMedia>>,
    permits: Semaphore,
    running: Merge<Address, Stored>,
    failures: Cache<Address, (Timestamp, MediaError)>,
}

/// `mxc://server/id` of another server.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Address {
    server: OwnedServerName,
    id: MediaId,
}

impl Remote {
    pub(crate) fn new(options: RemoteOptions) -> Self {
        Self {
            options,
            media: OnceLock::new(),
            permits: Semaphore::new(AT_A_TIME),
            running: Merge::new(),
            failures: Cache::new(FAILURES_MAX),
        }
    }
}

impl Media {
    /// Says how media of other servers is had, once; without it there is none.
    pub fn fetch_remote_with(&self, media: Arc<dyn RemoteMedia>) -> bool {
        self.0.remote.media.set(media).is_ok()
    }

    /// Media of another server: as it is kept here, or with `may_ask` fetched now, once for all who ask.
    ///
    /// Errors: `NotFound`, `NotYetUploaded`, `RemoteTooLarge`, `RemoteUnreachable`, `RemoteRefused`.
    pub(crate) async fn load_remote(
        &self,
        server: &ServerName,
        media_id: &str,
        wait: Duration,
        may_ask: bool,
    ) -> Result<Stored, MediaError> {
        let id = MediaId::parse(media_id).ok_or(MediaError::NotFound)?;
        self.check_not_quarantined(server, &id).await?;
        let address = Address {
            server: server.to_owned(),
            id,
        };
        if let Some(stored) = self.find_kept(&address).await? {
            return Ok(stored);
        }
        let remote = &self.0.remote;
        let Some(source) = remote.media.get().filter(|_| may_ask) else {
            return Err(MediaError::NotFound);
        };
        let now = self.0.clock.now();
        if let Some((until, failure)) = remote.failures.get(&address)
            && until > now
        {
            return Err(failure);
        }
        let (media, source, key) = (self.clone(), Arc::clone(source), address.clone());
        let work = async move { media.fetch(&*source, address, wait.min(WAIT_MAX)).await };
        remote.running.run(key, work).await
    }

    /// What is kept here, and a note that it is read.
    async fn find_kept(&self, address: &Address) -> Result<Option<Stored>, MediaError> {
        let kept = store::remote::find(&self.0.database, &address.server, &address.id).await?;
        let Some(kept) = kept else { return Ok(None) };
        let now = self.0.clock.now();
        if kept.read.plus_ms(READING_NOTED_MS) <= now {
            let mut change = Change::new();
            store::remote::note_reading(&mut change, &address.server, &address.id, now);
            self.0.database.writer().commit(change).await?;
        }
        Ok(Some(kept.into_stored(self.0.options.unauthenticated_downloads)))
    }

    async fn fetch(
        &self,
        source: &dyn RemoteMedia,
        address: Address,
        wait: Duration,
    ) -> Result<Stored, MediaError> {
        let remote = &self.0.remote;
        let _permit = remote.permits.acquire().await;
        // Another may have fetched it since the caller looked.
        if let Some(stored) = self.find_kept(&address).await? {
            return Ok(stored);
        }
        let within = remote.options.timeout.saturating_add(wait);
        let fetched = timeout(within, self.receive_remote(source, &address, wait));
        let late = || MediaError::RemoteUnreachable("it did not come in time".to_owned());
        let fetched = fetched.await.unwrap_or_else(|_| Err(late()));
        if let Err(failure) = &fetched {
            tracing::debug!(%failure, server = %address.server, "media could not be fetched");
            metrics::counter!("echorift_media_remote_failures_total").increment(1);
            // What is still to be uploaded may come at any moment.
            if !matches!(failure, MediaError::NotYetUploaded) {
                let until = self.0.clock.now().plus_ms(FAILURE_LIFETIME_MS);
                remote.failures.insert(address, (until, failure.clone()));
            }
        }
        fetched
    }

    async fn receive_remote(
        &self,
        source: &dyn RemoteMedia,
        address: &Address,
        wait: Duration,
    ) -> Result<Stored, MediaError> {
        let options = self.0.remote.options;
        let request = RemoteMediaRequest {
            server: &address.server,
            media_id: address.id.as_str(),
            wait,
            timeout: options.timeout.saturating_add(wait),
            bytes_max: options.bytes_max,
        };
        let (headers, body) = match source.fetch(request).await? {
            RemoteMediaAnswer::File { headers, body } => (headers, body),
            RemoteMediaAnswer::Location(url) => self.follow(url).await?,
        };
        let staged = self
            .0
            .staging
            .receive(body, options.bytes_max)
            .await
            .map_err(|error| match error {
                MediaError::TooLarge(bytes_max) => MediaError::RemoteTooLarge(bytes_max),
                MediaError::BrokenOff(reason) => MediaError::RemoteUnreachable(reason),
                error => error,
            })?;
        metrics::counter!("echorift_media_fetched_bytes_total").increment(staged.size);
        let (now, hash) = (self.0.clock.now(), staged.hash.clone());
        let row = Arc::new((address.clone(), hash, described(&headers)));
        self.with_content(staged, move |tx| {
            let row = Arc::clone(&row);
            Box::pin(async move {
                let (address, hash, description) = &*row;
                Ok(store::remote::put(tx, &address.server, &address.id, hash, description, now).await?)
            })
        })
        .await?;
        let kept = self.find_kept(address).await?;
        kept.ok_or_else(|| MediaError::Lost(format!("mxc://{}/{}", address.server, address.id.as_str())))
    }

    /// The file at an address that another server named. Only the checked client goes there.
    async fn follow(&self, url: Url) -> Result<(HeaderMap, RemoteBody), MediaError> {
        let failed = |error: OutboundError| MediaError::RemoteUnreachable(error.to_string());
        let outbound = &self.0.outbound;
        let request = outbound
            .request(Method::GET, url, Redirects::Follow)
            .map_err(failed)?;
        let response = outbound.send(request).await.map_err(failed)?;
        if !response.status().is_success() {
            let reason = format!("where it should be, the answer is {}", response.status());
            return Err(MediaError::RemoteUnreachable(reason));
        }
        let headers = response.headers().clone();
        let pieces = stream::unfold(response, async |mut response| match response.chunk().await {
            Ok(piece) => piece.map(|piece| (Ok(piece), response)),
            Err(error) => Some((Err(OutboundError::from(error).to_string()), response)),
        });
        Ok((headers, pieces.boxed()))
    }
}

/// What the other server says of the file; what cannot be kept of it is left out.
fn described(headers: &HeaderMap) -> Description {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let disposition = headers.get(header::CONTENT_DISPOSITION);
    let disposition = disposition.and_then(|value| ContentDisposition::try_from(value.as_bytes()).ok());
    let named = Description::parse(
        content_type,
        disposition.and_then(|disposition| disposition.filename),
    );
    named
        .or_else(|_| Description::parse(content_type, None))
        .unwrap_or_else(|_| Description::unknown())
}
