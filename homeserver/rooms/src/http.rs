//! The endpoints of rooms. Handlers take a request apart, ask the domain once, and answer.

mod aliases;
mod create;
mod directory;
mod filter_text;
mod json_text;
mod later;
mod members;
mod membership;
mod notices;
mod receipts;
mod relations;
mod reports;
mod send;
mod spaces;
mod state;
mod thread_subscriptions;
mod timeline;
mod upgrade;

use std::sync::Arc;

use axum::Router;
use echorift_accounts::Accounts;
use echorift_storage::UserNumber;
use echorift_web::{MatrixError, RateLimits, Session};
use ruma::RoomAliasId;

pub use self::filter_text::FilterText;
use self::json_text::JsonText;
pub use self::later::Later;
use crate::{Reader, Room, RoomError, Rooms, Scheduler};

/// What the endpoints work with.
#[derive(Clone)]
pub struct RoomsApi {
    pub rooms: Rooms,
    pub accounts: Accounts,
    pub limits: Arc<RateLimits>,
    /// Who keeps the events that are to be sent later; without, they are refused.
    pub scheduler: Option<Arc<dyn Scheduler>>,
}

/// All endpoints of this crate. The server adds the token verifier as an extension.
pub fn router(api: RoomsApi) -> Router {
    Router::new()
        .merge(aliases::routes())
        .merge(create::routes())
        .merge(directory::routes())
        .merge(members::routes())
        .merge(membership::routes())
        .merge(notices::routes())
        .merge(receipts::routes())
        .merge(relations::routes())
        .merge(reports::routes())
        .merge(send::routes())
        .merge(spaces::routes())
        .merge(state::routes())
        .merge(thread_subscriptions::routes())
        .merge(timeline::routes())
        .merge(upgrade::routes())
        .with_state(api)
}

impl RoomsApi {
    /// Errors: `M_USER_SUSPENDED` for accounts that may look but not act (CS API § Account suspension).
    fn check_may_act(&self, session: &Session) -> Result<(), MatrixError> {
        if self.accounts.is_suspended(UserNumber(session.user_number)) {
            return Err(MatrixError::user_suspended(
                "You cannot perform this action while suspended.",
            ));
        }
        Ok(())
    }

    /// As [`RoomsApi::check_may_act`], but where the server writes to them suspended users may answer (CS API § Account
    /// suspension).
    async fn check_may_speak(&self, session: &Session, room: &Room) -> Result<(), MatrixError> {
        let Err(suspended) = self.check_may_act(session) else {
            return Ok(());
        };
        let user = UserNumber(session.user_number);
        let is_notices = self.rooms.is_notice_room(room, user).await;
        if is_notices.map_err(RoomError::from)? {
            return Ok(());
        }
        Err(suspended)
    }

    /// Errors: `M_EXCLUSIVE` for aliases of this server that are a service's alone, and for services outside of their
    /// namespaces.
    fn check_alias(&self, session: &Session, alias: &RoomAliasId) -> Result<(), MatrixError> {
        let service = session.service.as_ref().map(|service| &*service.id);
        if alias.server_name() != self.rooms.server_name() || self.rooms.may_manage_alias(alias, service) {
            return Ok(());
        }
        Err(MatrixError::exclusive(
            "This alias is in the namespace of an application service, or outside of yours.",
        ))
    }

    /// For whom events are selected and written in the answer to this session.
    async fn reader(&self, session: &Session) -> Result<Reader, MatrixError> {
        Ok(Reader::of_session(session, &self.accounts).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestRooms;

    /// Two handlers for one path make axum panic when the routes come together.
    #[tokio::test]
    async fn no_two_endpoints_claim_one_path() {
        let server = TestRooms::start().await;
        let api = RoomsApi {
            rooms: server.rooms.clone(),
            accounts: server.accounts.clone(),
            limits: Arc::new(RateLimits::off()),
            scheduler: None,
        };
        assert!(router(api).has_routes());
    }
}
