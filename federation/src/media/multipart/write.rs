use axum::{
    body::Body,
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use echorift_media::{MediaError, OutgoingFile};
use futures_util::{StreamExt as _, stream};
use http::{HeaderValue, header};
use rand::{Rng as _, distr::Alphanumeric};

/// Letters of a boundary: 178 bits, so that no file holds it.
const BOUNDARY_LETTERS: usize = 30;

/// The answer with a file, which flows as it is read.
pub(in super::super) fn answer(file: OutgoingFile) -> Response {
    let boundary: String = rand::rng()
        .sample_iter(Alphanumeric)
        .take(BOUNDARY_LETTERS)
        .map(char::from)
        .collect();
    // A content type is what somebody said at the upload.
    let content_type = HeaderValue::from_str(&file.content_type);
    let content_type = content_type
        .ok()
        .and_then(|value| value.to_str().ok().map(ToOwned::to_owned));
    let content_type = content_type.unwrap_or_else(|| "application/octet-stream".to_owned());
    let disposition = file.disposition.to_str().unwrap_or("attachment");
    let start = format!(
        "--{boundary}\r\nContent-Type: application/json\r\n\r\n{{}}\r\n\
         --{boundary}\r\nContent-Type: {content_type}\r\nContent-Disposition: {disposition}\r\n\r\n"
    );
    let end = format!("\r\n--{boundary}--\r\n");
    let around = u64::try_from(start.len().saturating_add(end.len())).unwrap_or(u64::MAX);
    let length = file.size.saturating_add(around);
    let piece = |text: String| stream::iter([Ok::<_, MediaError>(Bytes::from(text))]);
    let body = piece(start).chain(file.body).chain(piece(end));
    let mut response = Body::from_stream(body).into_response();
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&format!("multipart/mixed; boundary={boundary}")) {
        headers.insert(header::CONTENT_TYPE, value);
    }
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    response
}
