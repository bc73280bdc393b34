//! A company's regions: servers of our own make, on different databases, that federate. They tell each other everything,
//! whatever the network does, and whichever of them dies.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests say what they expect by failing"
)]

mod crashes;
mod gaps;
mod network;
mod sticky;
mod weather;

// The stories that are told with a Synapse hold here as well.
#[path = "../federation_synapse/encryption.rs"]
mod encryption;
#[path = "../federation_synapse/ephemeral.rs"]
mod ephemeral;
#[path = "../federation_synapse/finding.rs"]
mod finding;
#[path = "../federation_synapse/history.rs"]
mod history;
#[path = "../federation_synapse/media.rs"]
mod media;
#[path = "../federation_synapse/membership.rs"]
mod membership;
#[path = "../federation_synapse/rooms.rs"]
mod rooms;
#[path = "../federation_synapse/spaces.rs"]
mod spaces;
#[path = "../federation_synapse/versions.rs"]
mod versions;

use std::sync::{Arc, Weak};

use echorift_tests::{DatabaseKind, TestAuthority, TestServer, free_port};
use tokio::sync::Mutex;

/// The two regions that the stories share. They live as long as one of them uses them.
struct Pair {
    one: TestServer,
    two: TestServer,
}

/// Two regions, and what keeps them.
async fn pair() -> (TestServer, TestServer, impl Sized) {
    static SHARED: Mutex<Weak<Pair>> = Mutex::const_new(Weak::new());
    let mut shared = SHARED.lock().await;
    let pair = match shared.upgrade() {
        Some(pair) => pair,
        None => {
            let pair = Arc::new(start().await);
            *shared = Arc::downgrade(&pair);
            pair
        }
    };
    (pair.one.for_this_test(), pair.two.for_this_test(), pair)
}

async fn start() -> Pair {
    let authority = TestAuthority::new();
    let ports = [free_port(), free_port()];
    let hosts = [("region1.test", ports[0]), ("region2.test", ports[1])];
    let region = |index: usize, database| {
        let (name, port) = hosts[index];
        let builder = TestServer::builder().federating_at(&authority, name, port);
        builder.hosts(&hosts).on(database).start()
    };
    let (one, two) = tokio::join!(region(0, DatabaseKind::usual()), region(1, DatabaseKind::other()));
    Pair { one, two }
}

/// Runs each of these stories, `async fn(near, far)`, twice: begun in either region.
macro_rules! both_ways {
    ($($story:ident),+ $(,)?) => {
        mod begun_in_one {
            $(
                #[tokio::test]
                async fn $story() {
                    let (one, two, _pair) = crate::pair().await;
                    super::$story(&one, &two).await;
                }
            )+
        }

        mod begun_in_two {
            $(
                #[tokio::test]
                async fn $story() {
                    let (one, two, _pair) = crate::pair().await;
                    super::$story(&two, &one).await;
                }
            )+
        }
    };
}
pub(crate) use both_ways;
