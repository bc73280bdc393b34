//! Previews of pages that users name (CS API § `GET /_matrix/client/v1/media/preview_url`).
//!
//! Everything is fetched through the outbound client, which refuses addresses that are not public. Each redirect is
//! followed here, so that the operator's patterns apply to it as well.

mod charset;
mod fetch;
mod oembed;
mod page;

use std::time::Duration;

use bytes::Bytes;
use echorift_storage::{Change, Timestamp};
use echorift_web::outbound::{Outbound, read_limited};
use quick_cache::sync::Cache;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use url::Url;

use crate::ids::ContentHash;
use crate::merge::Merge;
use crate::options::PreviewOptions;
use crate::{Media, MediaError, store, thumbnails};

use self::fetch::{Fetched, Kind};
use self::page::Page;

/// OpenGraph properties, some of them in Matrix's terms.
pub(crate) type Properties = Map<String, Value>;

/// Longest address that is previewed.
const URL_BYTES_MAX: usize = 4_096;
/// Longest `Accept-Language` that is passed on.
const LANGUAGES_BYTES_MAX: usize = 200;
/// Pages fetched at a time, for all users together.
const AT_A_TIME: usize = 32;
/// oEmbed documents are small.
const OEMBED_BYTES_MAX: usize = 256 << 10;
/// A page that failed is not asked again for this long.
const FAILURE_LIFETIME_MS: i64 = 60_000;
const FAILURES_MAX: usize = 2_000;
/// The image outlives the preview by this, for clients remember previews longer than the server.
const IMAGE_GRACE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What is being fetched, and what failed a moment ago.
pub(crate) struct Previews {
    options: PreviewOptions,
    outbound: Outbound,
    permits: Semaphore,
    running: Merge<String, Properties>,
    failures: Cache<String, (Timestamp, MediaError)>,
}

/// Where a preview is asked for, and in which languages.
#[derive(Debug, Clone)]
struct Wish {
    url: Url,
    languages: Option<String>,
    key: String,
}

impl Previews {
    pub(crate) fn new(options: PreviewOptions, outbound: Outbound) -> Self {
        Self {
            options,
            outbound,
            permits: Semaphore::new(AT_A_TIME),
            running: Merge::new(),
            failures: Cache::new(FAILURES_MAX),
        }
    }
}

impl Wish {
    fn new(url: &str, languages: Option<&str>) -> Result<Self, MediaError> {
        if url.len() > URL_BYTES_MAX {
            return Err(MediaError::BadAddress("is too long"));
        }
        let mut url = Url::parse(url).map_err(|_| MediaError::BadAddress("is not a URL"))?;
        // It never reaches the page's server.
        url.set_fragment(None);
        let languages = languages.filter(|languages| languages.len() <= LANGUAGES_BYTES_MAX);
        let mut hasher = Sha256::new();
        hasher.update(url.as_str());
        hasher.update([0]);
        hasher.update(languages.unwrap_or_default());
        Ok(Self {
            url,
            languages: languages.map(ToOwned::to_owned),
            key: ContentHash::of_digest(&hasher.finalize()).as_str().to_owned(),
        })
    }
}

impl Media {
    /// What is to be said of a page: as it was a short while ago, or fetched now, once for all who ask.
    ///
    /// Errors: `PreviewsOff`, `BadAddress`, `DeniedHost`, `PageRefused`, `PageTimeout`, `PageFailed`.
    pub(crate) async fn preview(&self, url: &str, languages: Option<&str>) -> Result<Properties, MediaError> {
        let previews = &self.0.previews;
        if !previews.options.enabled {
            return Err(MediaError::PreviewsOff);
        }
        let wish = Wish::new(url, languages)?;
        previews.check(&wish.url)?;
        let now = self.0.clock.now();
        if let Some(properties) = store::previews::find(&self.0.database, &wish.key, now).await? {
            return Ok(properties);
        }
        if let Some((until, failure)) = previews.failures.get(&wish.key)
            && until > now
        {
            return Err(failure);
        }
        let (media, key) = (self.clone(), wish.key.clone());
        let work = async move { media.make_preview(wish).await };
        previews.running.run(key, work).await
    }

    async fn make_preview(&self, wish: Wish) -> Result<Properties, MediaError> {
        let previews = &self.0.previews;
        let _permit = previews.permits.acquire().await;
        let outcome = self.describe(&wish).await;
        match &outcome {
            Ok(properties) => {
                let mut change = Change::new();
                let expires = self.after(previews.options.lifetime);
                store::previews::put(&mut change, &wish.key, properties, expires);
                self.0.database.writer().commit(change).await?;
            }
            Err(failure) => {
                tracing::debug!(%failure, "a page could not be previewed");
                let until = self.0.clock.now().plus_ms(FAILURE_LIFETIME_MS);
                previews
                    .failures
                    .insert(wish.key.clone(), (until, failure.clone()));
            }
        }
        outcome
    }

    /// The page has `timeout`, and so has its image: a slow image must not cost the words.
    async fn describe(&self, wish: &Wish) -> Result<Properties, MediaError> {
        let limit = self.0.previews.options.timeout;
        let (mut properties, image) = timeout(limit, self.words(wish))
            .await
            .unwrap_or(Err(MediaError::PageTimeout))?;
        let image = match image {
            Some(Image::Here(bytes)) => Some(bytes),
            Some(Image::At(url)) => timeout(limit, self.fetch_image(wish, url)).await.ok().flatten(),
            None => None,
        };
        if let Some(bytes) = image {
            self.add_image(&mut properties, bytes).await?;
        }
        Ok(properties)
    }

    /// What the page says of itself, and where its image is.
    async fn words(&self, wish: &Wish) -> Result<(Properties, Option<Image>), MediaError> {
        let previews = &self.0.previews;
        let Fetched { url, response, kind } = previews.fetch(wish, wish.url.clone(), Kind::PAGE).await?;
        match kind {
            Kind::Image => {
                let image_max = usize::try_from(previews.options.image_bytes_max).unwrap_or(usize::MAX);
                let bytes = read_limited(response, image_max).await?;
                Ok((Properties::new(), Some(Image::Here(bytes))))
            }
            Kind::Other => Ok((Properties::new(), None)),
            Kind::Page { charset } => {
                let page_max = usize::try_from(previews.options.page_bytes_max).unwrap_or(usize::MAX);
                let start = fetch::read_start(response, page_max).await?;
                let page = spawn_blocking(move || {
                    let text = charset::decode(&start, charset.as_deref());
                    Page::parse(&text, &url)
                })
                .await?;
                Ok(self.with_oembed(wish, page).await)
            }
        }
    }

    /// Fills what the page leaves open from the description that it points to.
    async fn with_oembed(&self, wish: &Wish, mut page: Page) -> (Properties, Option<Image>) {
        let lacks = page.image.is_none() || !page.properties.contains_key("og:title");
        if let Some(url) = page.oembed.take().filter(|_| lacks) {
            match self.fetch_oembed(wish, url).await {
                Ok(document) => oembed::fill(&mut page, &document),
                Err(error) => tracing::debug!(%error, "an oEmbed description could not be fetched"),
            }
        }
        (page.properties, page.image.map(Image::At))
    }

    async fn fetch_oembed(&self, wish: &Wish, url: Url) -> Result<Value, MediaError> {
        let fetched = self.0.previews.fetch(wish, url, Kind::JSON).await?;
        let bytes = read_limited(fetched.response, OEMBED_BYTES_MAX).await?;
        serde_json::from_slice(&bytes).map_err(|error| MediaError::PageFailed(error.to_string()))
    }

    async fn fetch_image(&self, wish: &Wish, url: Url) -> Option<Bytes> {
        let previews = &self.0.previews;
        let image_max = usize::try_from(previews.options.image_bytes_max).unwrap_or(usize::MAX);
        let fetched = async {
            let fetched = previews.fetch(wish, url, Kind::IMAGE).await?;
            Ok::<_, MediaError>(read_limited(fetched.response, image_max).await?)
        };
        match fetched.await {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                tracing::debug!(%error, "the image of a page could not be fetched");
                None
            }
        }
    }

    /// Keeps the image, if it is one, and names it.
    async fn add_image(&self, properties: &mut Properties, bytes: Bytes) -> Result<(), MediaError> {
        let pixels_max = self.0.options.thumbnails.source_pixels_max;
        let (size, measured) = (bytes.len(), thumbnails::measure(&bytes, pixels_max));
        let Some((format, width, height)) = measured else {
            return Ok(());
        };
        let Some(content_type) = thumbnails::inline_type(format) else {
            return Ok(());
        };
        let lifetime = self.0.previews.options.lifetime.saturating_add(IMAGE_GRACE);
        let id = self
            .keep_fetched(bytes, content_type, self.after(lifetime))
            .await?;
        let uri = format!("mxc://{}/{}", self.0.options.server_name, id.as_str());
        for (name, value) in [
            ("og:image", Value::from(uri)),
            ("og:image:type", content_type.into()),
            ("og:image:width", width.into()),
            ("og:image:height", height.into()),
            ("matrix:image:size", size.into()),
        ] {
            properties.insert(name.to_owned(), value);
        }
        Ok(())
    }
}

enum Image {
    /// What was asked for is an image itself.
    Here(Bytes),
    At(Url),
}
