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
        let Some(datum) = data.get("m.ignored_user_list") else { return Ok(Self::default()) };
        let Ok(list) = serde_json::from_str::<List>(datum.content.get()) else { return Ok(Self::default()) };
        Ok(list.ignored_users.keys().filter_map(|user| UserId::parse(user.as_str()).ok()).collect())
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
