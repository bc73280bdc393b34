//! Federation with a peer that lies, forges, stalls and floods: rooms stay right, and the server goes on answering.
//!
//! What the peer does is wrong by the specification in exactly one way each time, so a story that fails names the
//! check that is missing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests say what they expect by failing"
)]

mod access_lists;
mod answers;
mod auth_rules;
mod edus;
mod floods;
mod forks;
mod gaps;
mod joining;
mod keys;
mod membership;
mod reading;
mod signatures;
mod sizes;
mod stalling;
mod sticky;
mod transactions;

use std::sync::{Arc, Weak};

use echorift_tests::{Peer, PeerEvent, PeerRoom, ServerBuilder, Synapse, TestAuthority, TestServer, User};
use serde_json::json;
use tokio::sync::Mutex;

/// The server that the peers attack; all tests share it.
struct Shared {
    server: TestServer,
    authority: TestAuthority,
}

fn victim(authority: &TestAuthority) -> ServerBuilder {
    TestServer::builder()
        .federating(authority, "victim.test")
        .set("outbound.request_timeout", "5s")
}

async fn shared() -> Arc<Shared> {
    static SHARED: Mutex<Weak<Shared>> = Mutex::const_new(Weak::new());
    let mut shared = SHARED.lock().await;
    if let Some(shared) = shared.upgrade() {
        return shared;
    }
    let authority = TestAuthority::new();
    // See federation_synapse: to ask whether a story is right.
    let server = match std::env::var_os("ECHORIFT_TEST_STAND_IN") {
        Some(_) => Synapse::start(&authority).await,
        None => victim(&authority).start().await,
    };
    let started = Arc::new(Shared { server, authority });
    *shared = Arc::downgrade(&started);
    started
}

/// A public room of alice's that mallory, of the peer, has joined.
struct Scene {
    server: TestServer,
    authority: TestAuthority,
    alice: User,
    peer: Peer,
    room: PeerRoom,
    _shared: Option<Arc<Shared>>,
}

impl Scene {
    async fn new() -> Self {
        Self::of_version("11").await
    }

    async fn of_version(version: &str) -> Self {
        let shared = shared().await;
        let server = shared.server.for_this_test();
        Self::on(server, shared.authority.clone(), version, Some(shared)).await
    }

    /// With a server of its own.
    async fn alone(builder: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Self {
        let authority = TestAuthority::new();
        let server = builder(victim(&authority)).start().await;
        Self::on(server, authority, "11", None).await
    }

    async fn on(
        server: TestServer,
        authority: TestAuthority,
        version: &str,
        shared: Option<Arc<Shared>>,
    ) -> Self {
        let [alice] = server.register(["alice"]).await;
        let peer = Peer::start(&authority).await;
        let request = json!({ "preset": "public_chat", "room_version": version });
        let room_id = alice.create_room(request).await.unwrap();
        let room = peer.join(&server, &room_id, "mallory").await.unwrap();
        alice
            .sees_state(
                &room_id,
                "m.room.member",
                &peer.user("mallory"),
                "/membership",
                "join",
            )
            .await;
        Self {
            server,
            authority,
            alice,
            peer,
            room,
            _shared: shared,
        }
    }

    /// One more peer, with somebody in the room.
    async fn another_peer(&self, localpart: &str) -> (Peer, PeerRoom) {
        let peer = Peer::start(&self.authority).await;
        let room = peer.join(&self.server, &self.room.id, localpart).await.unwrap();
        (peer, room)
    }

    /// Gives mallory a power level.
    async fn empower_mallory(&self, level: i64) {
        let mut levels = self
            .alice
            .state(&self.room.id, "m.room.power_levels", "")
            .await
            .unwrap();
        levels["users"][self.peer.user("mallory")] = level.into();
        let id = self
            .alice
            .set_state(&self.room.id, "m.room.power_levels", "", levels)
            .await
            .unwrap();
        self.peer_knows(&id).await;
    }

    /// Waits until the peer has got an event.
    async fn peer_knows(&self, id: &str) {
        echorift_tests::until("the peer gets the event", async || {
            self.room.knows(id).then_some(())
        })
        .await;
    }

    /// Both sides can still talk in the room.
    async fn still_works(&self) {
        let said = self.room.say(&self.server, "mallory", "all is well").await;
        self.alice.sees(&self.room.id, &said.id).await;
        let answer = self.alice.send_text(&self.room.id, "so it seems").await.unwrap();
        self.peer_knows(&answer).await;
    }

    /// Sends events of which none may come into the room; the room goes on.
    async fn refuses(&self, events: &[&PeerEvent]) {
        let before = self.alice.whole_state(&self.room.id).await.unwrap();
        self.room.send(&self.server, events).await;
        self.still_works().await;
        self.has_none_of(events).await;
        let after = self.alice.whole_state(&self.room.id).await.unwrap();
        assert_eq!(before, after, "the room's state has changed");
    }

    /// Asserts that alice sees none of these events, nor builds upon them.
    async fn has_none_of(&self, events: &[&PeerEvent]) {
        let timeline = self.alice.timeline_ids(&self.room.id).await.unwrap();
        let state = self.alice.whole_state(&self.room.id).await.unwrap();
        for event in events {
            assert!(!timeline.contains(&event.id), "it is shown: {:#}", event.json);
            assert!(
                !state.values().any(|id| *id == event.id),
                "it is state: {:#}",
                event.json
            );
            let answer = self.alice.event(&self.room.id, &event.id).await;
            assert!(answer.is_err(), "it can be asked for: {:#}", event.json);
            assert!(!self.room.heads().contains(&event.id), "it was built upon");
        }
    }
}
