//! The meeting point of two devices as MSC4108 had it in 2024, which today's clients speak: any text, guarded by
//! ETags.

use axum::{
    body::Bytes,
    extract::State,
    response::{IntoResponse, Response},
};
use echorift_storage::Timestamp;
use echorift_web::{ClientAddress, InPath, MatrixError};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use ruma::http_headers::system_time_to_http_date;
use serde_json::json;

use super::rendezvous::{judge_size, limit, refuse, refuse_navigation};
use crate::{
    Accounts,
    oauth::rendezvous::{Meeting, MeetingRefusal},
};

pub(super) const PATH: &str = "/_matrix/client/unstable/org.matrix.msc4108/rendezvous";

/// `POST …/unstable/org.matrix.msc4108/rendezvous`.
pub(super) async fn open(
    State(accounts): State<Accounts>,
    address: ClientAddress,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, MatrixError> {
    limit(&accounts, address)?;
    let (data, media_type) = read_body(&headers, &body)?;
    let now = accounts.0.clock.now();
    let opened = accounts.0.oauth.rendezvous.open(data, Some(media_type), now);
    let (id, meeting) = opened.map_err(|refusal| refuse(&refusal))?;
    let url = accounts.page_url(&format!("{PATH}/{id}"));
    let mut response = (StatusCode::CREATED, axum::Json(json!({ "url": url }))).into_response();
    describe(response.headers_mut(), &meeting);
    Ok(response)
}

/// `PUT …/unstable/org.matrix.msc4108/rendezvous/{id}`: `If-Match` names the message that was seen last.
pub(super) async fn write(
    State(accounts): State<Accounts>,
    address: ClientAddress,
    InPath(id): InPath<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, MatrixError> {
    limit(&accounts, address)?;
    let seen = etag(&headers, header::IF_MATCH);
    let seen = seen.ok_or_else(|| MatrixError::missing_param("The header If-Match is missing."))?;
    let (data, media_type) = read_body(&headers, &body)?;
    let now = accounts.0.clock.now();
    let rendezvous = &accounts.0.oauth.rendezvous;
    let refusal = match rendezvous.write(&id, seen, data, Some(media_type), false, now) {
        Ok(meeting) => {
            let mut response = StatusCode::ACCEPTED.into_response();
            describe(response.headers_mut(), &meeting);
            return Ok(response);
        }
        Err(refusal) => refusal,
    };
    let error = refuse(&refusal);
    let MeetingRefusal::ConcurrentWrite(meeting) = &refusal else {
        return Err(error);
    };
    let mut response = error.with_status(StatusCode::PRECONDITION_FAILED).into_response();
    describe(response.headers_mut(), meeting);
    Ok(response)
}

/// `GET …/unstable/org.matrix.msc4108/rendezvous/{id}`: 304 if nothing is newer than what `If-None-Match` names.
pub(super) async fn read(
    State(accounts): State<Accounts>,
    address: ClientAddress,
    InPath(id): InPath<String>,
    headers: HeaderMap,
) -> Result<Response, MatrixError> {
    limit(&accounts, address)?;
    refuse_navigation(&headers)?;
    let meeting = accounts.0.oauth.rendezvous.find(&id, accounts.0.clock.now());
    let meeting = meeting.ok_or_else(|| refuse(&MeetingRefusal::NotFound))?;
    let mut response = if etag(&headers, header::IF_NONE_MATCH) == Some(meeting.sequence_token.as_str()) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let media_type = meeting.media_type.as_deref().unwrap_or("text/plain");
        let headers = [
            (header::CONTENT_TYPE, media_type),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"),
        ];
        (headers, meeting.data.clone()).into_response()
    };
    describe(response.headers_mut(), &meeting);
    Ok(response)
}

/// `DELETE …/unstable/org.matrix.msc4108/rendezvous/{id}`.
pub(super) async fn close(
    State(accounts): State<Accounts>,
    address: ClientAddress,
    InPath(id): InPath<String>,
) -> Result<StatusCode, MatrixError> {
    limit(&accounts, address)?;
    if accounts.0.oauth.rendezvous.close(&id, accounts.0.clock.now()) {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(refuse(&MeetingRefusal::NotFound))
    }
}

/// Plain text alone, so that nothing that is read here can be more.
fn read_body(headers: &HeaderMap, body: &[u8]) -> Result<(String, String), MatrixError> {
    let media_type = headers.get(header::CONTENT_TYPE);
    let media_type = media_type
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if media_type.split(';').next().unwrap_or_default().trim() != "text/plain" {
        return Err(MatrixError::invalid_param("The message is not text/plain."));
    }
    let text = std::str::from_utf8(body);
    let text = text.map_err(|_| MatrixError::invalid_param("The message is not UTF-8."))?;
    judge_size(text)?;
    Ok((text.to_owned(), media_type.to_owned()))
}

fn etag(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let value = headers.get(name)?.to_str().ok()?.trim();
    Some(value.trim_start_matches("W/").trim_matches('"'))
}

fn describe(headers: &mut HeaderMap, meeting: &Meeting) {
    let fields = [
        (
            header::ETAG,
            HeaderValue::try_from(format!("\"{}\"", meeting.sequence_token)).ok(),
        ),
        (header::EXPIRES, http_date(meeting.expires)),
        (header::LAST_MODIFIED, http_date(meeting.written)),
        (header::CACHE_CONTROL, Some(HeaderValue::from_static("no-store"))),
        (header::PRAGMA, Some(HeaderValue::from_static("no-cache"))),
        // Web clients read it.
        (
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            Some(HeaderValue::from_static("ETag")),
        ),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            headers.insert(name, value);
        }
    }
}

fn http_date(time: Timestamp) -> Option<HeaderValue> {
    let milliseconds = u64::try_from(time.0).ok()?;
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_millis(milliseconds);
    system_time_to_http_date(&time).ok()
}
