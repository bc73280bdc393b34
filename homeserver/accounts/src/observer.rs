use echorift_storage::UserNumber;
use echorift_web::BoxFuture;
use ruma::UserId;

use crate::Profile;

/// Is told when a local user's display name or avatar has changed; `rooms` writes it into the joined rooms (CS API
/// § Events on Change of Profile Information). The change is durable by then.
pub trait ProfileObserver: Send + Sync {
    fn profile_changed<'a>(&'a self, user: &'a UserId, profile: &'a Profile) -> BoxFuture<'a, ()>;
}

/// Is told when an account ends, for good or until it is unlocked; after the former `rooms` leaves all its rooms.
pub trait AccountObserver: Send + Sync {
    /// With `erase` the user also wishes their messages to be hidden from those who join later (CS API § Account
    /// deactivation).
    fn deactivated<'a>(&'a self, user: &'a UserId, erase: bool) -> BoxFuture<'a, ()>;

    /// The account was locked because its owner has left; it may come back, so nothing of it is erased.
    fn locked<'a>(&'a self, user: &'a UserId) -> BoxFuture<'a, ()> {
        let _ = user;
        Box::pin(async {})
    }
}

/// Is told after the commit that ended sessions of a user or locked their account, so that what they wait for ends, too
/// ([`Accounts::check_still_valid`](crate::Accounts::check_still_valid)). Must be quick.
pub trait SessionObserver: Send + Sync {
    fn sessions_ended(&self, user: UserNumber);
}
