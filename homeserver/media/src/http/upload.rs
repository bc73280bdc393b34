use std::time::Duration;

use axum::Json;
use axum::body::BodyDataStream;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State};
use echorift_web::{MatrixError, Ruma, Session};
use futures_util::StreamExt as _;
use http::{HeaderMap, header};
use ruma::ServerName;
use ruma::api::client::{authenticated_media, media};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::ids::MediaId;
use crate::store::media::Description;
use crate::{Media, MediaError};

/// Of an upload that is refused, so much is still taken and thrown away: a client that is busy sending would otherwise
/// see a broken connection instead of the reason.
const DRAINED_BYTES_MAX: usize = 32 << 20;
const DRAINED_WITHIN: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
pub(super) struct UploadQuery {
    filename: Option<String>,
}

type ParsedQuery = Result<Query<UploadQuery>, QueryRejection>;

/// `POST /_matrix/media/v3/upload` (CS API § Content repository). The body flows to its place as it comes.
pub(super) async fn upload(
    State(repository): State<Media>,
    session: Session,
    query: ParsedQuery,
    request: Request,
) -> Result<Json<Value>, MatrixError> {
    let (head, body) = request.into_parts();
    let mut pieces = body.into_data_stream();
    let uploaded = async {
        let user = repository.check_may_add(&session)?;
        let description = repository.check_head(&head.headers, query)?;
        Ok::<_, MatrixError>(repository.upload(user, description, &mut pieces).await?)
    };
    match uploaded.await {
        Ok(id) => Ok(Json(json!({ "content_uri": repository.uri(&id) }))),
        Err(refusal) => {
            drain(pieces);
            Err(refusal)
        }
    }
}

/// `PUT /_matrix/media/v3/upload/{serverName}/{mediaId}` (CS API § Content repository): once, by who created it.
pub(super) async fn upload_pending(
    State(repository): State<Media>,
    session: Session,
    path: Result<Path<(String, String)>, PathRejection>,
    query: ParsedQuery,
    request: Request,
) -> Result<Json<Value>, MatrixError> {
    let (head, body) = request.into_parts();
    let mut pieces = body.into_data_stream();
    let uploaded = async {
        let user = repository.check_may_add(&session)?;
        let id = repository.check_path(path)?;
        repository.check_pending(user, &id).await?;
        let description = repository.check_head(&head.headers, query)?;
        repository
            .upload_pending(user, id, description, &mut pieces)
            .await?;
        Ok::<_, MatrixError>(())
    };
    match uploaded.await {
        Ok(()) => Ok(Json(json!({}))),
        Err(refusal) => {
            drain(pieces);
            Err(refusal)
        }
    }
}

/// `POST /_matrix/media/v1/create` (CS API § Content repository).
pub(super) async fn create(
    State(repository): State<Media>,
    session: Session,
    Ruma(_): Ruma<media::create_mxc_uri::v1::Request>,
) -> Result<Json<Value>, MatrixError> {
    let user = repository.check_may_add(&session)?;
    let (id, expires) = repository.create(user).await?;
    Ok(Json(
        json!({ "content_uri": repository.uri(&id), "unused_expires_at": expires.0 }),
    ))
}

/// `GET /_matrix/client/v1/media/config` (CS API § Content repository).
pub(super) async fn config(
    State(repository): State<Media>,
    _: Session,
    Ruma(_): Ruma<authenticated_media::get_media_config::v1::Request>,
) -> Json<Value> {
    repository.limits()
}

/// `GET /_matrix/media/v3/config`, as it was before version 1.11.
#[expect(deprecated, reason = "older clients still ask there")]
pub(super) async fn config_before_v1_11(
    State(repository): State<Media>,
    _: Session,
    Ruma(_): Ruma<media::get_media_config::v3::Request>,
) -> Json<Value> {
    repository.limits()
}

impl Media {
    fn limits(&self) -> Json<Value> {
        Json(json!({ "m.upload.size": self.0.options.upload_bytes_max }))
    }

    fn uri(&self, id: &MediaId) -> String {
        format!("mxc://{}/{}", self.0.options.server_name, id.as_str())
    }

    /// Errors: `M_NOT_FOUND` for what cannot be an id that this server has given out.
    fn check_path(
        &self,
        path: Result<Path<(String, String)>, PathRejection>,
    ) -> Result<MediaId, MatrixError> {
        let Ok(Path((server_name, media_id))) = path else {
            return Err(MatrixError::invalid_param("The path is not valid UTF-8."));
        };
        let server_name = ServerName::parse(&server_name)
            .map_err(|_| MatrixError::invalid_param("The path holds no server name."))?;
        self.check_is_ours(&server_name)?;
        Ok(MediaId::parse(&media_id).ok_or(MediaError::NotFound)?)
    }

    /// What is said of the content. An upload that announces too much is refused before it begins.
    ///
    /// Errors: `M_TOO_LARGE`, `M_INVALID_PARAM`.
    fn check_head(&self, headers: &HeaderMap, query: ParsedQuery) -> Result<Description, MatrixError> {
        let Query(query) =
            query.map_err(|_| MatrixError::invalid_param("The query cannot be read: it is a file name."))?;
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let announced: Option<u64> = text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
        let bytes_max = self.0.options.upload_bytes_max;
        if announced.is_some_and(|length| length > bytes_max) {
            return Err(MediaError::TooLarge(bytes_max).into());
        }
        Ok(Description::parse(text(header::CONTENT_TYPE), query.filename)?)
    }
}

/// Takes what still comes, apart from the answer, which goes out meanwhile.
fn drain(mut pieces: BodyDataStream) {
    tokio::spawn(async move {
        let mut left = DRAINED_BYTES_MAX;
        let drained = async {
            while let Some(Ok(piece)) = pieces.next().await {
                match left.checked_sub(piece.len()) {
                    Some(fewer) => left = fewer,
                    None => return,
                }
            }
        };
        // Who is slower than that gets the broken connection.
        let _ = tokio::time::timeout(DRAINED_WITHIN, drained).await;
    });
}
