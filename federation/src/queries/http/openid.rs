use axum::{
    Json, Router,
    extract::{Query, State, rejection::QueryRejection},
    routing::get,
};
use echorift_web::MatrixError;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Federation;

pub(super) fn routes() -> Router<Federation> {
    Router::new().route("/_matrix/federation/v1/openid/userinfo", get(userinfo))
}

#[derive(Deserialize)]
struct Token {
    access_token: Option<String>,
}

/// `GET /_matrix/federation/v1/openid/userinfo` (SS API § OpenID). Services ask it, so that it takes no signature.
async fn userinfo(
    State(federation): State<Federation>,
    query: Result<Query<Token>, QueryRejection>,
) -> Result<Json<Value>, MatrixError> {
    let token = query.ok().and_then(|Query(token)| token.access_token);
    let token = token.ok_or_else(|| MatrixError::missing_token("An OpenID access token is needed."))?;
    match federation.accounts().openid_user(&token).await? {
        Some(user) => Ok(Json(json!({ "sub": user }))),
        None => Err(MatrixError::unknown_token_hard("This token is unknown or over.")),
    }
}
