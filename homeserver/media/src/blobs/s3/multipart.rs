//! Large contents go to S3 in parts, so that a failure costs a part and not the whole.

use std::path::Path;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::header;
use rusty_s3::S3Action as _;
use rusty_s3::actions::{CompleteMultipartUploadResponse, CreateMultipartUpload};

use super::{S3, SIGNED_FOR, file_body};
use crate::MediaError;
use crate::ids::BlobKey;

/// Contents up to this size go in one request, larger ones in parts of this size at least (S3 wants 5 MiB or more).
pub(super) const PART_BYTES: u64 = 16 << 20;
/// S3 takes no more parts than this.
const PARTS_MAX: u64 = 10_000;
/// Parts on their way at a time.
const PARTS_AT_A_TIME: usize = 3;
/// Answers about uploads are small.
const ANSWER_BYTES_MAX: usize = 64 << 10;

impl S3 {
    /// Sends a file in parts; if that fails, S3 is told to forget those that it has.
    pub(super) async fn put_in_parts(&self, key: &BlobKey, path: &Path, size: u64) -> Result<(), MediaError> {
        let upload_id = self.begin(key).await?;
        let done = async {
            let etags = self.send_parts(key, &upload_id, path, size).await?;
            self.complete(key, &upload_id, &etags).await
        }
        .await;
        if done.is_err() {
            self.abort(key, &upload_id).await;
        }
        done
    }

    async fn begin(&self, key: &BlobKey) -> Result<String, MediaError> {
        let action = self
            .bucket
            .create_multipart_upload(Some(&self.credentials), key.as_str());
        let response = self
            .send(key, || self.client.post(action.sign(SIGNED_FOR)))
            .await?;
        let answer = text(response).await?;
        let answer = CreateMultipartUpload::parse_response(&answer).map_err(MediaError::blobs)?;
        Ok(answer.upload_id().to_owned())
    }

    /// The parts' entity tags, in the parts' order.
    async fn send_parts(
        &self,
        key: &BlobKey,
        upload_id: &str,
        path: &Path,
        size: u64,
    ) -> Result<Vec<String>, MediaError> {
        let part_bytes = PART_BYTES.max(size.div_ceil(PARTS_MAX));
        let parts = (1_u16..).zip(0..size.div_ceil(part_bytes));
        let sent = parts.map(|(number, index)| async move {
            let start = index * part_bytes;
            let range = start..(start + part_bytes).min(size);
            let credentials = Some(&self.credentials);
            let action = self
                .bucket
                .upload_part(credentials, key.as_str(), number, upload_id);
            let response = self
                .send(key, || {
                    let url = action.sign(SIGNED_FOR);
                    file_body(self.client.put(url), path, range.clone())
                })
                .await?;
            let etag = response.headers().get(header::ETAG);
            let etag = etag.and_then(|etag| etag.to_str().ok());
            let etag = etag.ok_or_else(|| MediaError::blobs("S3 gave no tag for a part"))?;
            Ok::<_, MediaError>(etag.to_owned())
        });
        stream::iter(sent).buffered(PARTS_AT_A_TIME).try_collect().await
    }

    async fn complete(&self, key: &BlobKey, upload_id: &str, etags: &[String]) -> Result<(), MediaError> {
        let action = || {
            self.bucket.complete_multipart_upload(
                Some(&self.credentials),
                key.as_str(),
                upload_id,
                etags.iter().map(String::as_str),
            )
        };
        let body = action().body();
        let response = self
            .send(key, || {
                self.client.post(action().sign(SIGNED_FOR)).body(body.clone())
            })
            .await?;
        // S3 may begin its answer before it knows how it ends.
        CompleteMultipartUploadResponse::parse(&text(response).await?).map_err(MediaError::blobs)?;
        Ok(())
    }

    async fn abort(&self, key: &BlobKey, upload_id: &str) {
        let action = self
            .bucket
            .abort_multipart_upload(Some(&self.credentials), key.as_str(), upload_id);
        let aborted = self
            .send(key, || self.client.delete(action.sign(SIGNED_FOR)))
            .await;
        if let Err(error) = aborted {
            tracing::warn!(%error, %key, "the parts of a failed upload stay in the media store");
        }
    }
}

async fn text(response: reqwest::Response) -> Result<String, MediaError> {
    let body = echorift_web::outbound::read_limited(response, ANSWER_BYTES_MAX)
        .await
        .map_err(MediaError::blobs)?;
    Ok(String::from_utf8_lossy(&body).into_owned())
}
