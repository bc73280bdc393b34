//! Tokens that people make for programs. Only who has logged in makes them: a token begets no token.

use axum::{Json, Router, extract::State, routing};
use echorift_storage::{Timestamp, UserNumber};
use echorift_web::{Body, InPath, MatrixError, Session};
use serde::{Deserialize, Serialize};

use crate::{AccessToken, Accounts, access_tokens::TokenRequest};

pub(super) fn router() -> Router<Accounts> {
    Router::new()
        .route("/_echorift/v1/tokens", routing::get(list).post(make))
        .route("/_echorift/v1/tokens/{id}", routing::delete(revoke))
}

/// What a token is asked for with.
#[derive(Debug, Deserialize)]
pub(super) struct MakeToken {
    name: String,
    scopes: Vec<String>,
    /// Milliseconds since the epoch.
    expires_at: Option<i64>,
}

impl From<MakeToken> for TokenRequest {
    fn from(body: MakeToken) -> Self {
        Self {
            name: body.name,
            scopes: body.scopes,
            expires: body.expires_at.map(Timestamp),
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct ShownToken {
    id: String,
    name: String,
    scopes: Vec<String>,
    /// Milliseconds since the epoch, as all times here.
    created_at: i64,
    expires_at: Option<i64>,
    last_used_at: Option<i64>,
    last_used_ip: Option<String>,
}

impl From<AccessToken> for ShownToken {
    fn from(token: AccessToken) -> Self {
        Self {
            id: token.id.to_string(),
            name: token.name,
            scopes: token.scopes,
            created_at: token.created.0,
            expires_at: token.expires.map(|at| at.0),
            last_used_at: token.last_used.map(|at| at.0),
            last_used_ip: token.last_used_ip,
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct MadeToken {
    /// Shown this once.
    token: String,
    #[serde(flatten)]
    shown: ShownToken,
}

impl From<(AccessToken, String)> for MadeToken {
    fn from((shown, token): (AccessToken, String)) -> Self {
        Self {
            token,
            shown: shown.into(),
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct ListedTokens {
    tokens: Vec<ShownToken>,
}

impl From<Vec<AccessToken>> for ListedTokens {
    fn from(tokens: Vec<AccessToken>) -> Self {
        Self {
            tokens: tokens.into_iter().map(ShownToken::from).collect(),
        }
    }
}

/// `POST /_echorift/v1/tokens`: a token for one's own account.
async fn make(
    State(accounts): State<Accounts>,
    session: Session,
    Body(body): Body<MakeToken>,
) -> Result<Json<MadeToken>, MatrixError> {
    check_logged_in(&session)?;
    accounts.check_personal_tokens()?;
    let made = accounts
        .make_access_token(UserNumber(session.user_number), body.into())
        .await?;
    Ok(Json(made.into()))
}

/// `GET /_echorift/v1/tokens`: those of one's own account.
async fn list(State(accounts): State<Accounts>, session: Session) -> Result<Json<ListedTokens>, MatrixError> {
    let tokens = accounts.access_tokens(UserNumber(session.user_number)).await?;
    Ok(Json(tokens.into()))
}

/// `DELETE /_echorift/v1/tokens/{id}`: it is good for nothing from then on.
async fn revoke(
    State(accounts): State<Accounts>,
    session: Session,
    InPath(id): InPath<String>,
) -> Result<Json<serde_json::Value>, MatrixError> {
    revoke_of(&accounts, UserNumber(session.user_number), &id).await
}

/// Ends a token of this account. Error: `M_NOT_FOUND`.
pub(super) async fn revoke_of(
    accounts: &Accounts,
    user: UserNumber,
    id: &str,
) -> Result<Json<serde_json::Value>, MatrixError> {
    let unknown = || MatrixError::not_found("There is no such token.");
    let id = id.parse().map_err(|_| unknown())?;
    if accounts.revoke_access_token(user, id).await? {
        Ok(Json(serde_json::json!({})))
    } else {
        Err(unknown())
    }
}

/// Refuses programs: what was given to one is not to become more.
pub(super) fn check_logged_in(session: &Session) -> Result<(), MatrixError> {
    if session.scopes.is_some() || session.is_guest {
        return Err(MatrixError::forbidden(
            "Only people who have logged in can do this: this is an access token for a program.",
        ));
    }
    Ok(())
}
