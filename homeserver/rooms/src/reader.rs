use std::{collections::HashSet, sync::Arc};

use echorift_accounts::{AccountError, Accounts};
use echorift_storage::UserNumber;
use echorift_web::Session;
use ruma::{OwnedUserId, UserId};
use serde::Deserialize;

use crate::Event;

/// For whom events are selected and written.
#[derive(Debug, Clone)]
pub struct Reader {
    pub user: UserNumber,
    pub user_id: OwnedUserId,
    /// The session that asks; it recognises its own events by their transaction IDs.
    pub session_number: Option<i64>,
    pub ignored: IgnoredUsers,
}

impl Reader {
    pub fn new(session: &Session, ignored: IgnoredUsers) -> Self {
        Self {
            user: UserNumber(session.user_number),
            user_id: session.user_id.clone(),
            session_number: Some(session.session_number),
            ignored,
        }
    }

    /// The reader of a request, with the users that they ignore.
    pub async fn of_session(session: &Session, accounts: &Accounts) -> Result<Self, AccountError> {
        let ignored = IgnoredUsers::of(accounts, UserNumber(session.user_number)).await?;
        Ok(Self::new(session, ignored))
    }
}

/// The users that somebody ignores (CS API § Ignoring users). Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct IgnoredUsers(Arc<HashSet<OwnedUserId>>);

impl IgnoredUsers {
    /// What the user's `m.ignored_user_list` says; one that cannot be read ignores nobody.
    pub async fn of(accounts: &Accounts, user: UserNumber) -> Result<Self, AccountError> {
        #[derive(Deserialize)]
        struct List {
            ignored_users: serde_json::Map<String, serde_json::Value>,
        }
        let data = accounts.global_account_data(user).await?;
        let Some(datum) = data.get("m.ignored_user_list") else {
            return Ok(Self::default());
        };
        let Ok(list) = serde_json::from_str::<List>(datum.content.get()) else {
            return Ok(Self::default());
        };
        Ok(list
            .ignored_users
            .keys()
            .filter_map(|user| UserId::parse(user.as_str()).ok())
            .collect())
    }

    /// Whether the event is kept from who ignores its sender. State is always shown.
    pub fn hides(&self, event: &Event) -> bool {
        !self.0.is_empty() && !event.pdu.is_state() && self.0.contains(&event.pdu.sender)
    }

    pub fn contains(&self, user: &UserId) -> bool {
        self.0.contains(user)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &UserId> {
        self.0.iter().map(|user| &**user)
    }
}

impl FromIterator<OwnedUserId> for IgnoredUsers {
    fn from_iter<T: IntoIterator<Item = OwnedUserId>>(users: T) -> Self {
        Self(Arc::new(users.into_iter().collect()))
    }
}

#[cfg(test)]
mod testing {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use serde_json::{Value, value::to_raw_value};

    use super::*;
    use crate::{EventDraft, Room, testing::TestRooms};

    impl TestRooms {
        /// The user as a reader whose session has the number 1.
        pub(crate) async fn reader(&self, user: &UserId) -> Reader {
            let ignored = IgnoredUsers::default();
            Reader {
                user: self.number(user).await,
                user_id: user.to_owned(),
                session_number: Some(1),
                ignored,
            }
        }

        /// Sends a message event with any content.
        pub(crate) async fn say(
            &self,
            room: &Arc<Room>,
            sender: &UserId,
            event_type: &str,
            content: Value,
        ) -> Arc<Event> {
            let draft = EventDraft::message(sender, event_type.into(), to_raw_value(&content).unwrap());
            self.rooms.append(room, draft).await.unwrap()
        }

        /// The texts of all messages of the room that the user may see, oldest first.
        pub(crate) async fn texts_seen_by(&self, room: &Room, user: &UserId) -> Vec<String> {
            let all = (
                echorift_storage::Position(i64::MIN),
                echorift_storage::Position(i64::MAX),
            );
            let events = self
                .rooms
                .timeline(room, all, crate::Order::OldestFirst, 1_000)
                .await
                .unwrap();
            let visible = self
                .rooms
                .visible(room, &self.reader(user).await, events)
                .await
                .unwrap();
            let body = |event: &Arc<Event>| {
                let content: Value = event.pdu.content_as().unwrap();
                content.get("body").and_then(Value::as_str).map(ToOwned::to_owned)
            };
            visible.iter().filter_map(body).collect()
        }
    }
}
