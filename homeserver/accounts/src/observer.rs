use echorift_web::BoxFuture;
use ruma::UserId;

use crate::Profile;

/// Is told when a local user's display name or avatar has changed; `rooms` writes it into the joined rooms (CS API
/// § Events on Change of Profile Information). The change is durable by then.
pub trait ProfileObserver: Send + Sync {
    fn profile_changed<'a>(&'a self, user: &'a UserId, profile: &'a Profile) -> BoxFuture<'a, ()>;
}

/// Is told when an account ends; `rooms` leaves all its rooms.
pub trait AccountObserver: Send + Sync {
    /// With `erase` the user also wishes their messages to be hidden from those who join later (CS API § Account
    /// deactivation).
    fn deactivated<'a>(&'a self, user: &'a UserId, erase: bool) -> BoxFuture<'a, ()>;
}
