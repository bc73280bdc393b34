//! A bucket of a service that speaks S3. Requests are signed in their query (AWS Signature Version 4), so bodies can
//! flow through unread.

mod multipart;

use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use echorift_web::BoxFuture;
use echorift_web::outbound::read_certificates;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::{StatusCode, header};
use reqwest::{Body, Client, RequestBuilder, Response};
use rusty_s3::{Bucket, Credentials, S3Action as _, UrlStyle};
use url::Url;

use super::chunks::read_file;
use super::{BlobStore, BlobStream};
use crate::MediaError;
use crate::ids::BlobKey;
use crate::options::S3Options;
use crate::staging::Staged;

/// How long a signed request may be used: longer than any attempt takes.
const SIGNED_FOR: Duration = Duration::from_secs(15 * 60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// For one part on its way out, and for each piece on its way in.
const READ_TIMEOUT: Duration = Duration::from_secs(120);
/// A request is made so often before the store counts as failed.
const ATTEMPTS: u32 = 4;
/// The pause after the first failure; it doubles.
const RETRY_PAUSE: Duration = Duration::from_millis(200);
/// How much of a refusal goes into the log.
const REFUSAL_LETTERS_MAX: usize = 300;

pub(super) struct S3 {
    client: Client,
    bucket: Bucket,
    credentials: Credentials,
}

impl S3 {
    pub(super) fn new(options: &S3Options) -> Result<Self, MediaError> {
        let certificates = read_certificates(&options.ca_files).map_err(MediaError::blobs)?;
        // The operator names this service, so the filter for addresses of strangers does not stand before it.
        let client = Client::builder()
            .tls_certs_merge(certificates)
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .tcp_nodelay(true)
            .build()
            .map_err(MediaError::blobs)?;
        let style = if options.path_style {
            UrlStyle::Path
        } else {
            UrlStyle::VirtualHost
        };
        let bucket = Bucket::new(
            options.endpoint.clone(),
            style,
            options.bucket.clone(),
            options.region.clone(),
        )
        .map_err(MediaError::blobs)?;
        Ok(Self {
            client,
            bucket,
            credentials: Credentials::new(options.access_key.clone(), options.secret_key.clone()),
        })
    }

    async fn put(&self, key: &BlobKey, path: &Path, size: u64) -> Result<(), MediaError> {
        let action = self.bucket.put_object(Some(&self.credentials), key.as_str());
        self.send(key, || {
            let url = action.sign(SIGNED_FOR);
            file_body(self.client.put(url), path, 0..size)
        })
        .await?;
        Ok(())
    }

    /// Makes a request until it succeeds, a few times at most. What the service refuses for good is not asked again.
    async fn send(
        &self,
        key: &BlobKey,
        request: impl Fn() -> RequestBuilder + Send,
    ) -> Result<Response, MediaError> {
        let mut pause = RETRY_PAUSE;
        for attempt in 1.. {
            let failure = match request().send().await {
                Ok(response) if response.status().is_success() => return Ok(response),
                Ok(response) if response.status() == StatusCode::NOT_FOUND => {
                    return Err(MediaError::Lost(key.to_string()));
                }
                Ok(response) => {
                    let status = response.status();
                    let refusal = refusal(response).await;
                    if !status.is_server_error() && status != StatusCode::TOO_MANY_REQUESTS {
                        return Err(refusal);
                    }
                    refusal
                }
                // Without the URL: it holds the signature.
                Err(error) => MediaError::blobs(error.without_url()),
            };
            if attempt == ATTEMPTS {
                return Err(failure);
            }
            tracing::warn!(%failure, attempt, "the media store is asked again");
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        Err(MediaError::Lost(key.to_string()))
    }
}

impl BlobStore for S3 {
    fn place(&self, key: BlobKey, staged: Staged) -> BoxFuture<'_, Result<(), MediaError>> {
        Box::pin(async move {
            let path = staged.file.path();
            if staged.size > multipart::PART_BYTES {
                self.put_in_parts(&key, path, staged.size).await
            } else {
                self.put(&key, path, staged.size).await
            }
        })
    }

    fn read(&self, key: BlobKey, range: Range<u64>) -> BoxFuture<'_, Result<BlobStream, MediaError>> {
        Box::pin(async move {
            if range.is_empty() {
                return Ok(stream::empty().boxed());
            }
            let action = self.bucket.get_object(Some(&self.credentials), key.as_str());
            let wanted = format!("bytes={}-{}", range.start, range.end - 1);
            let response = self
                .send(&key, || {
                    let url: Url = action.sign(SIGNED_FOR);
                    self.client.get(url).header(header::RANGE, &wanted)
                })
                .await?;
            let length = range.end - range.start;
            if response
                .content_length()
                .is_some_and(|announced| announced != length)
            {
                tracing::error!(%key, length, "the media store answers with another length");
                return Err(MediaError::Lost(key.to_string()));
            }
            let pieces = response.bytes_stream();
            Ok(pieces
                .map_err(|error| MediaError::blobs(error.without_url()))
                .boxed())
        })
    }

    fn remove(&self, key: BlobKey) -> BoxFuture<'_, Result<(), MediaError>> {
        Box::pin(async move {
            let action = self.bucket.delete_object(Some(&self.credentials), key.as_str());
            let removed = self
                .send(&key, || self.client.delete(action.sign(SIGNED_FOR)))
                .await;
            match removed {
                Ok(_) | Err(MediaError::Lost(_)) => Ok(()),
                Err(error) => Err(error),
            }
        })
    }
}

/// A request whose body is a part of a file, read as it is sent.
fn file_body(request: RequestBuilder, path: &Path, range: Range<u64>) -> RequestBuilder {
    let length = range.end.saturating_sub(range.start);
    request
        .header(header::CONTENT_LENGTH, length)
        .body(Body::wrap_stream(read_file(path.to_owned(), range)))
}

async fn refusal(response: Response) -> MediaError {
    let status = response.status();
    let said = echorift_web::outbound::read_limited(response, 64 << 10).await;
    let said = said.unwrap_or_default();
    let said: String = String::from_utf8_lossy(&said)
        .chars()
        .take(REFUSAL_LETTERS_MAX)
        .collect();
    MediaError::blobs(format!("S3 answered {status}: {said}"))
}
