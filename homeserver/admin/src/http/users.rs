//! Accounts: the list, one of them, and how one is made.

use axum::{Json, extract::State};
use echorift_accounts::{AccountError, AccountSource, UserOverview, UserQuery, UserState, UserToCreate};
use echorift_rooms::RoomError;
use echorift_web::{Body, InPath, MatrixError};
use ruma::{OwnedUserId, UserId, events::room::member::MembershipState};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Admin,
    administrator::{Administrator, Deed},
    extract::InQuery,
    paging::{Page, limit_of, place_of},
};

pub(super) fn routes() -> OpenApiRouter<Admin> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(one))
}

/// An account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct User {
    user_id: String,
    displayname: Option<String>,
    avatar_url: Option<String>,
    is_administrator: bool,
    is_locked: bool,
    is_suspended: bool,
    is_deactivated: bool,
    is_guest: bool,
    source: Source,
    created_ts: i64,
    /// When one of the devices was last heard of, to the minute.
    last_seen_ts: Option<i64>,
    /// How many there are.
    devices: i64,
}

/// Who vouches for the account's owner.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Source {
    /// A password that this server keeps.
    Local,
    Directory,
    /// A sign-in service (OpenID Connect).
    SignInService,
    /// Nobody: somebody has made the account for a program.
    Bot,
    /// Nobody: the server itself acts by this account.
    Server,
}

impl From<UserOverview> for User {
    fn from(user: UserOverview) -> Self {
        Self {
            user_id: user.user_id.to_string(),
            displayname: user.display_name,
            avatar_url: user.avatar_url,
            is_administrator: user.is_administrator,
            is_locked: user.is_locked,
            is_suspended: user.is_suspended,
            is_deactivated: user.is_deactivated,
            is_guest: user.is_guest,
            source: match user.source {
                AccountSource::Local => Source::Local,
                AccountSource::Directory => Source::Directory,
                AccountSource::SignInService => Source::SignInService,
                AccountSource::Bot => Source::Bot,
                AccountSource::Server => Source::Server,
            },
            created_ts: user.created.0,
            last_seen_ts: user.last_seen.map(|seen| seen.0),
            devices: user.devices,
        }
    }
}

/// How the accounts of a list stand. Active ones are neither locked nor suspended nor deactivated.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Standing {
    Active,
    Locked,
    Suspended,
    Deactivated,
    Administrator,
    Guest,
}

impl From<Standing> for UserState {
    fn from(standing: Standing) -> Self {
        match standing {
            Standing::Active => Self::Active,
            Standing::Locked => Self::Locked,
            Standing::Suspended => Self::Suspended,
            Standing::Deactivated => Self::Deactivated,
            Standing::Administrator => Self::Administrator,
            Standing::Guest => Self::Guest,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// A part of the user ID, of the display name, or of the e-mail address that the directory says.
    search: Option<String>,
    #[param(inline)]
    state: Option<Standing>,
    /// How many items at most: 50 if left out, never more than 500.
    limit: Option<u32>,
    /// The `next` of the page before.
    from: Option<String>,
}

/// The accounts of this server, by name.
///
/// The first page of a list without `search` says how many there are.
#[utoipa::path(get, path = "/users", tag = "users", params(ListQuery), responses((status = 200, body = Page<User>)))]
async fn list(
    State(admin): State<Admin>,
    _: Administrator,
    InQuery(query): InQuery<ListQuery>,
) -> Result<Json<Page<User>>, MatrixError> {
    let limit = limit_of(query.limit);
    let search = query.search.filter(|text| !text.trim().is_empty());
    let state = query.state.map(UserState::from);
    let is_counted = query.from.is_none() && search.is_none();
    let wanted = UserQuery {
        search,
        state,
        after: place_of(query.from.as_deref())?,
        limit: limit.saturating_add(1),
    };
    let users = admin.accounts().users(&wanted).await?;
    let total = match is_counted {
        true => Some(admin.accounts().count_users(state).await?),
        false => None,
    };
    let page = Page::cut(users, limit, |user| user.user_id.localpart().to_owned());
    Ok(Json(page.with_total(total).map(User::from)))
}

#[derive(Deserialize, ToSchema)]
struct NewUser {
    localpart: String,
    password: String,
    /// The localpart if left out.
    displayname: Option<String>,
    #[serde(default)]
    is_administrator: bool,
    /// Kept in the audit log.
    reason: Option<String>,
}

/// Makes an account with a password that this server keeps.
#[utoipa::path(post, path = "/users", tag = "users", request_body = NewUser, responses((status = 200, body = User)))]
async fn create(
    State(admin): State<Admin>,
    administrator: Administrator,
    Body(body): Body<NewUser>,
) -> Result<Json<User>, MatrixError> {
    let user_id = admin.accounts().new_user_id(&body.localpart).await?;
    let deed =
        Deed::new("user.create", &user_id, body.reason).with("is_administrator", body.is_administrator);
    let remember = administrator.audit(&admin, deed).await?;
    let wanted = UserToCreate {
        localpart: body.localpart,
        password: body.password,
        display_name: body.displayname,
        is_administrator: body.is_administrator,
    };
    admin.accounts().create_user(wanted, remember).await?;
    shown(&admin, &user_id).await
}

/// An account, with what else is known of it.
#[derive(Serialize, ToSchema)]
struct UserDetail {
    #[serde(flatten)]
    user: User,
    /// E-mail addresses, that of the directory first.
    emails: Vec<String>,
    /// How many rooms the user is in.
    rooms: usize,
    /// How much the user has uploaded.
    media_bytes: i64,
    sessions: Vec<DeviceSession>,
}

/// A device that somebody is logged in on.
#[derive(Serialize, ToSchema)]
struct DeviceSession {
    device_id: String,
    display_name: Option<String>,
    last_seen_ts: Option<i64>,
    last_seen_ip: Option<String>,
}

/// One account.
#[utoipa::path(get, path = "/users/{user_id}", tag = "users", params(("user_id" = String, Path)),
    responses((status = 200, body = UserDetail)))]
async fn one(
    State(admin): State<Admin>,
    _: Administrator,
    InPath(user_id): InPath<OwnedUserId>,
) -> Result<Json<UserDetail>, MatrixError> {
    let accounts = admin.accounts();
    let user = accounts.user_overview(&user_id).await?;
    let number = user.number;
    let memberships = admin.rooms().rooms_of(number).await.map_err(RoomError::from)?;
    let joined = memberships
        .values()
        .filter(|mine| mine.membership == MembershipState::Join);
    let devices = accounts.device_overviews(number).await?.into_iter();
    let sessions = devices.map(|device| DeviceSession {
        device_id: device.device_id,
        display_name: device.display_name,
        last_seen_ts: device.last_seen.map(|seen| seen.0),
        last_seen_ip: device.last_seen_ip,
    });
    Ok(Json(UserDetail {
        user: user.into(),
        emails: accounts.email_addresses(number).await?,
        rooms: joined.count(),
        media_bytes: admin.media().usage_of(number).await?.bytes,
        sessions: sessions.collect(),
    }))
}

/// Errors: `M_NOT_FOUND`, `M_USER_DEACTIVATED`.
pub(super) async fn check_is_active(admin: &Admin, user_id: &UserId) -> Result<(), MatrixError> {
    let user = admin.accounts().user_overview(user_id).await?;
    match user.is_deactivated {
        true => Err(AccountError::Deactivated.into()),
        false => Ok(()),
    }
}

/// The account as it is now.
pub(super) async fn shown(admin: &Admin, user_id: &UserId) -> Result<Json<User>, MatrixError> {
    Ok(Json(admin.accounts().user_overview(user_id).await?.into()))
}
