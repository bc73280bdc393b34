//! Files: who has how much, and what is done to them.

use axum::{Json, extract::State};
use echorift_media::{MediaOverview, MediaOwner, MediaPlace, MediaUsage};
use echorift_storage::{Timestamp, UserNumber};
use echorift_web::{Body, InPath, MatrixError};
use ruma::{OwnedServerName, OwnedUserId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::ReasonBody;
use crate::{
    Admin,
    administrator::{Administrator, Deed},
    extract::{InQuery, Told},
    paging::{Page, PageQuery, limit_of, place_of, unknown_page},
};

pub(super) fn routes() -> OpenApiRouter<Admin> {
    OpenApiRouter::new()
        .routes(routes!(usage))
        .routes(routes!(list))
        .routes(routes!(delete))
        .routes(routes!(quarantine))
        .routes(routes!(unquarantine))
        .routes(routes!(purge_remote))
}

/// How much there is of files.
#[derive(Serialize, ToSchema)]
struct Usage {
    files: i64,
    bytes: i64,
}

impl From<MediaUsage> for Usage {
    fn from(usage: MediaUsage) -> Self {
        Self {
            files: usage.files,
            bytes: usage.bytes,
        }
    }
}

/// How much one user has uploaded.
#[derive(Serialize, ToSchema)]
struct UserUsage {
    user_id: String,
    files: i64,
    bytes: i64,
}

/// Who has uploaded how much, and how much there is.
#[derive(Serialize, ToSchema)]
struct AllUsage {
    /// What users of this server have uploaded, and what the server has fetched for previews.
    local: Usage,
    /// What was fetched from other servers.
    remote: Usage,
    #[serde(flatten)]
    users: Page<UserUsage>,
}

/// How much there is of files, and whose they are: those with the most first.
#[utoipa::path(get, path = "/media/usage", tag = "media", params(PageQuery),
    responses((status = 200, body = AllUsage)))]
async fn usage(
    State(admin): State<Admin>,
    _: Administrator,
    InQuery(query): InQuery<PageQuery>,
) -> Result<Json<AllUsage>, MatrixError> {
    let limit = limit_of(query.limit);
    let after = place_of(query.from.as_deref())?;
    let after = after.map(|place| {
        let (bytes, user) = place.split_once(':')?;
        Some((bytes.parse().ok()?, UserNumber(user.parse().ok()?)))
    });
    let after = after.map(|place| place.ok_or_else(unknown_page)).transpose()?;
    let (local, remote) = admin.media().usage().await?;
    let users = admin
        .media()
        .usage_by_user(after, limit.saturating_add(1))
        .await?;
    let page = Page::cut(users, limit, |user| {
        format!("{}:{}", user.usage.bytes, user.number)
    });
    Ok(Json(AllUsage {
        local: local.into(),
        remote: remote.into(),
        users: page.map(|user| UserUsage {
            user_id: user.user_id,
            files: user.usage.files,
            bytes: user.usage.bytes,
        }),
    }))
}

/// A file.
#[derive(Serialize, ToSchema)]
struct File {
    server_name: String,
    media_id: String,
    name: Option<String>,
    content_type: String,
    bytes: i64,
    /// When it came to this server.
    created_ts: i64,
    /// When it was last read, to the day; known of files of other servers only.
    last_access_ts: Option<i64>,
    /// Nobody for what the server fetched itself.
    uploader: Option<String>,
    is_quarantined: bool,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only what this user of this server has uploaded.
    #[param(value_type = Option<String>)]
    user_id: Option<OwnedUserId>,
    /// The files that are kept of this server; those of this one if left out.
    #[param(value_type = Option<String>)]
    origin: Option<OwnedServerName>,
    /// How many items at most: 50 if left out, never more than 500.
    limit: Option<u32>,
    /// The `next` of the page before.
    from: Option<String>,
}

/// Files, newest first.
#[utoipa::path(get, path = "/media", tag = "media", params(ListQuery), responses((status = 200, body = Page<File>)))]
async fn list(
    State(admin): State<Admin>,
    _: Administrator,
    InQuery(query): InQuery<ListQuery>,
) -> Result<Json<Page<File>>, MatrixError> {
    let limit = limit_of(query.limit);
    let after = place_of(query.from.as_deref())?;
    let after = after.map(|place| {
        let (created, media_id) = place.split_once(':')?;
        Some(MediaPlace {
            created: Timestamp(created.parse().ok()?),
            media_id: media_id.to_owned(),
        })
    });
    let after = after.map(|place| place.ok_or_else(unknown_page)).transpose()?;
    let own = admin.rooms().server_name().to_owned();
    let (owner, server_name) = match (query.user_id, query.origin) {
        (Some(user_id), _) => {
            let user = admin.accounts().user_overview(&user_id).await?;
            (MediaOwner::User(user.number), own)
        }
        (None, Some(origin)) if origin != own => (MediaOwner::Server(origin.clone()), origin),
        (None, _) => (MediaOwner::Local, own),
    };
    let wanted = limit.saturating_add(1);
    let files = admin.media().list_media(&owner, after.as_ref(), wanted).await?;
    let place = |file: &MediaOverview| format!("{}:{}", file.created.0, file.media_id);
    Ok(Json(Page::cut(files, limit, place).map(|file| File {
        server_name: server_name.to_string(),
        media_id: file.media_id,
        name: file.name,
        content_type: file.content_type,
        bytes: file.bytes,
        created_ts: file.created.0,
        last_access_ts: file.read.map(|read| read.0),
        uploader: file.uploader,
        is_quarantined: file.is_quarantined,
    })))
}

/// That it was done.
#[derive(Serialize, ToSchema)]
struct FileDone {
    server_name: String,
    media_id: String,
}

/// Deletes a file. One of another server may be fetched again when somebody asks for it.
#[utoipa::path(delete, path = "/media/{server}/{media_id}", tag = "media",
    params(("server" = String, Path), ("media_id" = String, Path)),
    request_body = Option<ReasonBody>, responses((status = 200, body = FileDone)))]
async fn delete(
    State(admin): State<Admin>,
    administrator: Administrator,
    InPath((server, media_id)): InPath<(OwnedServerName, String)>,
    Told(body): Told<ReasonBody>,
) -> Result<Json<FileDone>, MatrixError> {
    let deed = Deed::new("media.delete", &address(&server, &media_id), body.reason);
    let remember = administrator.audit(&admin, deed).await?;
    if !admin.media().delete_media(&server, &media_id, remember).await? {
        return Err(MatrixError::not_found("There is no such file here."));
    }
    Ok(done(&server, media_id))
}

/// Puts a file under lock: nobody is given it any more, and it is kept.
///
/// Files of other servers need not have been fetched yet.
#[utoipa::path(post, path = "/media/{server}/{media_id}/quarantine", tag = "media",
    params(("server" = String, Path), ("media_id" = String, Path)),
    request_body = Option<ReasonBody>, responses((status = 200, body = FileDone)))]
async fn quarantine(
    State(admin): State<Admin>,
    administrator: Administrator,
    InPath((server, media_id)): InPath<(OwnedServerName, String)>,
    Told(body): Told<ReasonBody>,
) -> Result<Json<FileDone>, MatrixError> {
    let deed = Deed::new("media.quarantine", &address(&server, &media_id), body.reason);
    let remember = administrator.audit(&admin, deed).await?;
    let media = admin.media();
    media.set_quarantined(&server, &media_id, true, remember).await?;
    Ok(done(&server, media_id))
}

/// Gives a file free again.
#[utoipa::path(post, path = "/media/{server}/{media_id}/unquarantine", tag = "media",
    params(("server" = String, Path), ("media_id" = String, Path)),
    request_body = Option<ReasonBody>, responses((status = 200, body = FileDone)))]
async fn unquarantine(
    State(admin): State<Admin>,
    administrator: Administrator,
    InPath((server, media_id)): InPath<(OwnedServerName, String)>,
    Told(body): Told<ReasonBody>,
) -> Result<Json<FileDone>, MatrixError> {
    let deed = Deed::new("media.unquarantine", &address(&server, &media_id), body.reason);
    let remember = administrator.audit(&admin, deed).await?;
    let media = admin.media();
    media.set_quarantined(&server, &media_id, false, remember).await?;
    Ok(done(&server, media_id))
}

#[derive(Deserialize, ToSchema)]
struct Purge {
    /// Files of other servers that nobody has read since then go.
    not_used_since_ts: i64,
    /// Only tells how many there are.
    #[serde(default)]
    dry_run: bool,
    /// Kept in the audit log.
    reason: Option<String>,
}

/// Deletes the files of other servers that nobody has read of late. They are fetched again when they are wanted.
///
/// When files are read is noted to the day. The bytes are free within an hour.
#[utoipa::path(post, path = "/media/purge_remote", tag = "media", request_body = Purge,
    responses((status = 200, body = Usage)))]
async fn purge_remote(
    State(admin): State<Admin>,
    administrator: Administrator,
    Body(body): Body<Purge>,
) -> Result<Json<Usage>, MatrixError> {
    let since = Timestamp(body.not_used_since_ts);
    let usage = admin.media().unread_remote(since).await?;
    if !body.dry_run {
        let server = admin.rooms().server_name();
        let deed = Deed::new("media.purge_remote", server, body.reason)
            .with("not_used_since_ts", since.0)
            .with("files", usage.files);
        let remember = administrator.audit(&admin, deed).await?;
        admin.media().purge_remote(since, remember).await?;
    }
    Ok(Json(usage.into()))
}

fn address(server: &OwnedServerName, media_id: &str) -> String {
    format!("mxc://{server}/{media_id}")
}

fn done(server: &OwnedServerName, media_id: String) -> Json<FileDone> {
    Json(FileDone {
        server_name: server.to_string(),
        media_id,
    })
}
