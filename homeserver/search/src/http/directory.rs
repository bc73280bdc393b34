use axum::{Router, extract::State};
use echorift_rooms::Reader;
use echorift_web::{LimitKind, MatrixError, Routes as _, Ruma, Session};
use ruma::{UserId, api::client::user_directory::search_users};

use super::SearchApi;
use crate::{directory, person::Person};

pub(super) fn routes() -> Router<SearchApi> {
    Router::new().ruma::<search_users::v3::Request, _, _>(search)
}

/// `POST /_matrix/client/v3/user_directory/search` (CS API § User Directory).
async fn search(
    State(api): State<SearchApi>,
    session: Session,
    Ruma(request): Ruma<search_users::v3::Request>,
) -> Result<Ruma<search_users::v3::Response>, MatrixError> {
    api.limits.check_session(LimitKind::DirectorySearch, &session)?;
    let reader = Reader::of_session(&session, &api.accounts).await?;
    let limit = usize::try_from(u64::from(request.limit)).unwrap_or(usize::MAX);
    let found = directory::search(&api.rooms, &reader, api.visible, &request.search_term, limit).await?;
    Ok(Ruma(search_users::v3::Response {
        results: found.people.into_iter().filter_map(shown).collect(),
        limited: found.is_limited,
    }))
}

fn shown(person: Person) -> Option<search_users::v3::User> {
    Some(search_users::v3::User {
        user_id: UserId::parse(person.user_id).ok()?,
        display_name: person.display_name,
        avatar_url: person.avatar_url.map(Into::into),
    })
}
