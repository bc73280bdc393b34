//! Media of other servers, for people here (SS API § Content Repository).

use bytes::Bytes;
use echorift_media::{MediaError, RemoteMedia, RemoteMediaAnswer, RemoteMediaRequest};
use echorift_web::BoxFuture;
use futures_util::{Stream, StreamExt as _, stream};
use http::{HeaderMap, Method, StatusCode, header};
use url::Url;

use super::multipart::{Bad, boundary_of, read};
use crate::{
    Federation, FederationError,
    client::{Answer, SendOptions},
    policy::Crossing,
};

impl RemoteMedia for Federation {
    fn fetch<'a>(
        &'a self,
        request: RemoteMediaRequest<'a>,
    ) -> BoxFuture<'a, Result<RemoteMediaAnswer, MediaError>> {
        Box::pin(async move {
            if !self.policy().allows(request.server, Crossing::Media) {
                return Err(MediaError::RemoteRefused {
                    status: StatusCode::FORBIDDEN,
                    errcode: "M_FORBIDDEN".to_owned(),
                    message: format!("This server takes no media from {}.", request.server),
                });
            }
            let (id, wait_ms) = (request.media_id, request.wait.as_millis());
            let path = format!("/_matrix/federation/v1/media/download/{id}?timeout_ms={wait_ms}");
            match self.ask_for_media(request, &path).await {
                Ok(answer) => in_two_parts(answer).await,
                // A server from before Matrix 1.11.
                Err(FederationError::Refused { status, errcode, .. })
                    if status == StatusCode::NOT_FOUND && errcode == "M_UNRECOGNIZED" =>
                {
                    let server = request.server;
                    let path = format!(
                        "/_matrix/media/v3/download/{server}/{id}?allow_remote=false&timeout_ms={wait_ms}"
                    );
                    let answer = self.ask_for_media(request, &path).await;
                    answer
                        .map(plain)
                        .map_err(|error| media_error(error, request.bytes_max))
                }
                Err(error) => Err(media_error(error, request.bytes_max)),
            }
        })
    }
}

impl Federation {
    async fn ask_for_media(
        &self,
        request: RemoteMediaRequest<'_>,
        path: &str,
    ) -> Result<Answer, FederationError> {
        let options = SendOptions {
            timeout: Some(request.timeout),
            // The repository stops reading where the file grows too large.
            answer_bytes_max: usize::MAX,
            ..SendOptions::default()
        };
        self.client()
            .send_raw(request.server, Method::GET, path, None, options)
            .await
    }
}

/// The file, or where it is, of an answer with two parts.
async fn in_two_parts(answer: Answer) -> Result<RemoteMediaAnswer, MediaError> {
    let unreachable = |bad: Bad| MediaError::RemoteUnreachable(bad.to_string());
    let content_type = answer
        .headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let boundary = boundary_of(content_type.unwrap_or_default()).map_err(unreachable)?;
    let (headers, body) = read(&boundary, pieces(answer).boxed())
        .await
        .map_err(unreachable)?;
    match headers.get(header::LOCATION) {
        None => Ok(RemoteMediaAnswer::File { headers, body }),
        Some(location) => {
            let url = location
                .to_str()
                .ok()
                .and_then(|location| Url::parse(location).ok());
            let url = url.ok_or_else(|| MediaError::RemoteUnreachable("it points nowhere".to_owned()))?;
            Ok(RemoteMediaAnswer::Location(url))
        }
    }
}

/// The file that is the whole of an answer.
fn plain(answer: Answer) -> RemoteMediaAnswer {
    let headers: HeaderMap = answer.headers.clone();
    RemoteMediaAnswer::File {
        headers,
        body: pieces(answer).boxed(),
    }
}

fn pieces(answer: Answer) -> impl Stream<Item = Result<Bytes, String>> + Send + 'static {
    stream::unfold(Some(answer), |answer| async move {
        let mut answer = answer?;
        match answer.chunk().await {
            Ok(piece) => piece.map(|piece| (Ok(piece), Some(answer))),
            Err(error) => Some((Err(error.to_string()), None)),
        }
    })
}

fn media_error(error: FederationError, bytes_max: u64) -> MediaError {
    match error {
        FederationError::Refused {
            status,
            errcode,
            message,
            ..
        } => match errcode.as_str() {
            "M_NOT_YET_UPLOADED" => MediaError::NotYetUploaded,
            "M_TOO_LARGE" => MediaError::RemoteTooLarge(bytes_max),
            _ if status == StatusCode::NOT_FOUND => MediaError::NotFound,
            // What is wrong between the two servers is none of the client's doing: a 401 would even log it out.
            _ if status == StatusCode::UNAUTHORIZED || status.is_server_error() => {
                MediaError::RemoteUnreachable(format!("{status}: {errcode}: {message}"))
            }
            _ => MediaError::RemoteRefused {
                status,
                errcode,
                message,
            },
        },
        FederationError::Denied(server) => MediaError::RemoteRefused {
            status: StatusCode::FORBIDDEN,
            errcode: "M_FORBIDDEN".to_owned(),
            message: format!("This server does not federate with {server}."),
        },
        error => MediaError::RemoteUnreachable(error.to_string()),
    }
}
