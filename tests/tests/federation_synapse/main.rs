//! Federation with another make of homeserver, Synapse: whatever people do reaches the other side, whichever side it
//! began on.
//!
//! Needs `ECHORIFT_TEST_SYNAPSE`, which `make test` prepares. Whether a story is itself right can be asked of two
//! Synapses: with `ECHORIFT_TEST_STAND_IN=synapse` a second one stands in for EchoRift.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests say what they expect by failing"
)]

mod encryption;
mod ephemeral;
mod finding;
mod history;
mod media;
mod membership;
mod rooms;
mod spaces;
mod traffic;
mod versions;

use std::sync::{Arc, Weak};

use echorift_tests::{Synapse, TestAuthority, TestServer};
use tokio::sync::Mutex;

/// The two servers that the tests of this binary share. They live as long as one of them uses them.
struct Pair {
    ours: TestServer,
    theirs: TestServer,
    _authority: TestAuthority,
}

/// `(ours, theirs)`, and what keeps them.
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
    (pair.ours.for_this_test(), pair.theirs.for_this_test(), pair)
}

async fn start() -> Pair {
    let authority = TestAuthority::new();
    let ours = async {
        match std::env::var_os("ECHORIFT_TEST_STAND_IN") {
            Some(_) => Synapse::start(&authority).await,
            None => {
                TestServer::builder()
                    .federating_by_address(&authority)
                    .start()
                    .await
            }
        }
    };
    let (ours, theirs) = tokio::join!(ours, Synapse::start(&authority));
    Pair {
        ours,
        theirs,
        _authority: authority,
    }
}

/// Runs each of these stories, `async fn(near, far)`, twice: with EchoRift as the near server and as the far one.
macro_rules! both_ways {
    ($($story:ident),+ $(,)?) => {
        mod begun_here {
            $(
                #[tokio::test]
                async fn $story() {
                    let (ours, theirs, _pair) = crate::pair().await;
                    super::$story(&ours, &theirs).await;
                }
            )+
        }

        mod begun_there {
            $(
                #[tokio::test]
                async fn $story() {
                    let (ours, theirs, _pair) = crate::pair().await;
                    super::$story(&theirs, &ours).await;
                }
            )+
        }
    };
}
pub(crate) use both_ways;
