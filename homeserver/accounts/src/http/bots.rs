//! Bots, and the tokens by which they act.

use axum::{Json, Router, extract::State, routing};
use echorift_storage::UserNumber;
use echorift_web::{Body, InPath, MatrixError, Session};
use ruma::OwnedUserId;
use serde::{Deserialize, Serialize};

use super::access_tokens::{ListedTokens, MadeToken, MakeToken, check_logged_in, revoke_of};
use crate::{Accounts, Bot, bots::Maker};

pub(super) fn router() -> Router<Accounts> {
    Router::new()
        .route("/_echorift/v1/bots", routing::get(list).post(make))
        .route("/_echorift/v1/bots/{user_id}", routing::delete(end))
        .route(
            "/_echorift/v1/bots/{user_id}/tokens",
            routing::get(list_tokens).post(make_token),
        )
        .route(
            "/_echorift/v1/bots/{user_id}/tokens/{id}",
            routing::delete(revoke_token),
        )
}

#[derive(Debug, Deserialize)]
struct MakeBot {
    localpart: String,
    display_name: Option<String>,
}

#[derive(Debug, Serialize)]
struct ShownBot {
    user_id: OwnedUserId,
    display_name: Option<String>,
    /// Milliseconds since the epoch.
    created_at: i64,
}

impl From<Bot> for ShownBot {
    fn from(bot: Bot) -> Self {
        Self {
            user_id: bot.user_id,
            display_name: bot.display_name,
            created_at: bot.created.0,
        }
    }
}

#[derive(Debug, Serialize)]
struct ListedBots {
    bots: Vec<ShownBot>,
}

/// `POST /_echorift/v1/bots`: an account that acts by tokens alone, for which its maker answers.
async fn make(
    State(accounts): State<Accounts>,
    session: Session,
    Body(body): Body<MakeBot>,
) -> Result<Json<ShownBot>, MatrixError> {
    check_logged_in(&session)?;
    let maker = Maker {
        number: UserNumber(session.user_number),
        is_admin: session.is_admin,
    };
    let bot = accounts
        .make_bot(maker, &body.localpart, body.display_name)
        .await?;
    Ok(Json(bot.into()))
}

/// `GET /_echorift/v1/bots`: one's own.
async fn list(State(accounts): State<Accounts>, session: Session) -> Result<Json<ListedBots>, MatrixError> {
    let bots = accounts.bots_of_owner(UserNumber(session.user_number)).await?;
    Ok(Json(ListedBots {
        bots: bots.into_iter().map(ShownBot::from).collect(),
    }))
}

/// `DELETE /_echorift/v1/bots/{user_id}`: it leaves its rooms, and its name is never given out again.
async fn end(
    State(accounts): State<Accounts>,
    session: Session,
    InPath(user_id): InPath<OwnedUserId>,
) -> Result<Json<serde_json::Value>, MatrixError> {
    let bot = accounts.own_bot(&session.user_id, &user_id).await?;
    accounts.end_bot(&bot).await?;
    Ok(Json(serde_json::json!({})))
}

/// `POST /_echorift/v1/bots/{user_id}/tokens`.
async fn make_token(
    State(accounts): State<Accounts>,
    session: Session,
    InPath(user_id): InPath<OwnedUserId>,
    Body(body): Body<MakeToken>,
) -> Result<Json<MadeToken>, MatrixError> {
    check_logged_in(&session)?;
    let bot = accounts.own_bot(&session.user_id, &user_id).await?;
    let made = accounts.make_access_token(bot.number, body.into()).await?;
    Ok(Json(made.into()))
}

/// `GET /_echorift/v1/bots/{user_id}/tokens`.
async fn list_tokens(
    State(accounts): State<Accounts>,
    session: Session,
    InPath(user_id): InPath<OwnedUserId>,
) -> Result<Json<ListedTokens>, MatrixError> {
    let bot = accounts.own_bot(&session.user_id, &user_id).await?;
    Ok(Json(accounts.access_tokens(bot.number).await?.into()))
}

/// `DELETE /_echorift/v1/bots/{user_id}/tokens/{id}`.
async fn revoke_token(
    State(accounts): State<Accounts>,
    session: Session,
    InPath((user_id, id)): InPath<(OwnedUserId, String)>,
) -> Result<Json<serde_json::Value>, MatrixError> {
    let bot = accounts.own_bot(&session.user_id, &user_id).await?;
    revoke_of(&accounts, bot.number, &id).await
}
