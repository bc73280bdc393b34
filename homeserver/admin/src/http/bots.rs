//! The accounts that people have made for programs. They are locked and ended as all accounts are.

use axum::{Json, extract::State};
use echorift_accounts::Bot;
use echorift_storage::UserNumber;
use echorift_web::MatrixError;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Admin,
    administrator::Administrator,
    extract::InQuery,
    paging::{Page, PageQuery, limit_of, number_of},
};

pub(super) fn routes() -> OpenApiRouter<Admin> {
    OpenApiRouter::new().routes(routes!(list))
}

/// An account that somebody has made for a program.
#[derive(Serialize, ToSchema)]
struct ListedBot {
    user_id: String,
    displayname: Option<String>,
    /// Who answers for it: while they are locked, its tokens are of no use.
    owner: String,
    /// Milliseconds since the epoch.
    created_ts: i64,
}

impl From<Bot> for ListedBot {
    fn from(bot: Bot) -> Self {
        Self {
            user_id: bot.user_id.to_string(),
            displayname: bot.display_name,
            owner: bot.owner.to_string(),
            created_ts: bot.created.0,
        }
    }
}

/// All bots that have not ended, in the order in which this server came to know them.
#[utoipa::path(get, path = "/bots", tag = "users", params(PageQuery),
    responses((status = 200, body = Page<ListedBot>)))]
async fn list(
    State(admin): State<Admin>,
    _: Administrator,
    InQuery(query): InQuery<PageQuery>,
) -> Result<Json<Page<ListedBot>>, MatrixError> {
    let limit = limit_of(query.limit);
    let after = number_of(query.from.as_deref())?.map(UserNumber);
    let bots = admin.accounts().bots(after, limit.saturating_add(1)).await?;
    let page = Page::cut(bots, limit, |bot| bot.number.to_string());
    Ok(Json(page.map(ListedBot::from)))
}
