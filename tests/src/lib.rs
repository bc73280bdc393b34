//! What the black-box tests stand on: the real binary, started on its own data and a free port, and people who
//! talk to it over HTTP as any client would.
//!
//! ```no_run
//! # use echorift_tests::TestServer;
//! # async fn story() {
//! let server = TestServer::shared().await;
//! let [alice, bob] = server.register(["alice", "bob"]).await;
//! let room = alice.create_room_with(&[&bob]).await;
//! bob.send_text(&room, "hello").await.unwrap();
//! # }
//! ```
//!
//! `ECHORIFT_BIN` names the binary (otherwise it is built), `ECHORIFT_TEST_DATABASE` is `sqlite` or `postgres`, and
//! `ECHORIFT_TEST_POSTGRES` is the URL of an administrator under whom each server gets a database of its own.
//! `ECHORIFT_TEST_SYNAPSE` names a Python that has Synapse, to federate with, and `ECHORIFT_TEST_LIVEKIT` a livekit-server.
//! `make test` prepares and sets them all.
//!
//! Other servers are a [`Synapse`], more of ours ([`ServerBuilder::federating`]) with a bad wire between them ([`Link`]),
//! and a [`Peer`] that says what the test wants.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "this crate holds tests and nothing else: what it cannot do, it should say by failing"
)]

mod agreement;
mod answer;
mod authority;
mod binary;
mod database;
mod directory;
mod feed;
mod json;
mod link;
mod logs;
mod openid;
mod peer;
mod port;
mod process;
mod reader;
mod scripted_sfu;
mod server;
mod settings;
mod sfu;
mod synapse;
mod sync;
mod user;
mod user_rooms;

pub use agreement::{State, assert_agreement, assert_agreement_within, until, within};
pub use answer::{Answer, Refusal, refused};
pub use authority::{TestAuthority, TestCertificate};
pub use binary::{binary, run_cli};
pub use database::DatabaseKind;
pub use directory::TestDirectory;
pub use echorift_events::SigningKey;
pub use feed::TestFeed;
pub use json::{Look, fresh, path, query_json, v1, v3};
pub use link::{Link, Weather};
pub use openid::OpenIdProvider;
pub use peer::{Heard, Peer, PeerEvent, PeerRoom, Reply, authorization, key_of, now_ms, rules_of, signed};
pub use port::free_port;
pub use reader::Reader;
pub use scripted_sfu::{ScriptedSfu, Webhook, sign, tell};
pub use server::TestServer;
pub use settings::{SHARED_SECRET, ServerBuilder};
pub use sfu::{RunningSfu, SFU_KEY, SFU_SECRET, sfu_token};
pub use synapse::Synapse;
pub use sync::Sync;
pub use user::{Caller, User, register_by_secret};

/// Longest wait for a condition. Nothing waits that long unless it is broken.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);
