use std::sync::{Arc, OnceLock};

use echorift_accounts::Accounts;
use echorift_rooms::Rooms;
use echorift_storage::{Database, LogListener, Position, Record};
use parking_lot::Mutex;
use ruma::UserId;

use crate::{
    ServiceKeys, maintenance,
    recent::{News, Recent},
    remote::Remote,
    transactions::Transactions,
    user_keys::KeyCache,
    users::Users,
};

/// Everything that this server keeps for end-to-end encryption. Clones share it.
#[derive(Clone)]
pub struct Encryption(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) database: Database,
    pub(crate) rooms: Rooms,
    pub(crate) accounts: Accounts,
    /// What is known of local users' devices. Its locks are taken alone.
    pub(crate) users: Users,
    /// The latest changes that device lists follow from. Its lock is taken alone.
    pub(crate) recent: Mutex<Recent>,
    pub(crate) keys: KeyCache,
    pub(crate) transactions: Transactions,
    pub(crate) remote: Remote,
    /// Empty until the services are read.
    pub(crate) services: OnceLock<Arc<dyn ServiceKeys>>,
}

impl Encryption {
    /// Starts the housekeeping, which ends when the last clone is dropped.
    ///
    /// [`Encryption::listener`] must be made a listener of the log, before that of syncs, before the first change.
    pub fn start(database: &Database, rooms: &Rooms, accounts: &Accounts) -> Self {
        let encryption = Self(Arc::new(Inner {
            database: database.clone(),
            rooms: rooms.clone(),
            accounts: accounts.clone(),
            users: Users::new(),
            recent: Mutex::new(Recent::new(database.log().visible())),
            keys: KeyCache::new(),
            transactions: Transactions::new(),
            remote: Remote::default(),
            services: OnceLock::new(),
        }));
        tokio::spawn(maintenance::run(Arc::downgrade(&encryption.0)));
        encryption
    }

    /// All endpoints of this crate.
    pub fn router(&self) -> axum::Router {
        crate::http::router().with_state(self.clone())
    }

    pub(crate) fn accounts(&self) -> &Accounts {
        &self.0.accounts
    }

    pub(crate) fn is_local(&self, user: &UserId) -> bool {
        self.0.rooms.is_local(user)
    }

    /// Up to where everything is visible.
    pub(crate) fn now(&self) -> Position {
        self.0.database.log().visible()
    }

    /// What follows the log in memory.
    pub fn listener(&self) -> Arc<dyn LogListener> {
        Arc::clone(&self.0) as Arc<dyn LogListener>
    }
}

impl LogListener for Inner {
    fn on_records(&self, records: &[(Position, Record)]) {
        let news = records.iter().filter_map(|(position, record)| {
            let news = match *record {
                Record::DeviceList { user } => {
                    self.users.forget(user);
                    self.keys.forget(user);
                    News::DeviceList(user)
                }
                Record::KeySignature { user } => {
                    self.keys.forget_signatures(user);
                    News::Signature(user)
                }
                Record::Event {
                    room,
                    event,
                    member: Some(user),
                    ..
                } if self.rooms.may_change_sharing(event) => News::Member { room, user },
                // Memberships may come and go without an event of the moment.
                Record::Membership { room, user } => News::Member { room, user },
                _ => return None,
            };
            Some((*position, news))
        });
        let news: Vec<_> = news.collect();
        if !news.is_empty() {
            self.recent.lock().extend(news);
        }
    }
}
