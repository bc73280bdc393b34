//! What follows when an account ends, in the one order that works.

use echorift_accounts::AccountObserver;
use echorift_calls::DelayedEvents;
use echorift_rooms::Rooms;
use echorift_web::BoxFuture;
use ruma::UserId;

/// Calls first: who has left their rooms can no longer say there that they have left the call.
pub(crate) struct Farewell {
    pub(crate) delayed_events: DelayedEvents,
    pub(crate) rooms: Rooms,
}

impl AccountObserver for Farewell {
    fn deactivated<'a>(&'a self, user: &'a UserId, erase: bool) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if let Err(error) = self.end_delayed_events(user).await {
                tracing::error!(user_id = %user, %error, "the delayed events of an account could not be ended");
            }
            self.rooms.deactivated(user, erase).await;
        })
    }

    fn locked<'a>(&'a self, user: &'a UserId) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if let Err(error) = self.end_delayed_events(user).await {
                tracing::error!(user_id = %user, %error, "the delayed events of a locked account could not be ended");
            }
        })
    }
}

impl Farewell {
    async fn end_delayed_events(&self, user: &UserId) -> Result<(), echorift_calls::DelayedError> {
        let number = self.rooms.user_number(user).await?;
        self.delayed_events.end_of_user(number).await
    }
}
