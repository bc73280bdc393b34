//! What a room says of somebody holds in its calls at once.

use echorift_tests::{ScriptedSfu, TestServer, User, refused, until};
use livekit_protocol::TrackSource;
use reqwest::Method;
use serde_json::json;

use crate::caller::{server_with_calls, sfu_get, token};

/// Alice, who may do everything, and Bob, who is in a call.
struct Call {
    server: TestServer,
    sfu: ScriptedSfu,
    alice: User,
    bob: User,
    room: String,
    jwt: String,
}

impl Call {
    async fn start() -> Self {
        let (server, sfu) = server_with_calls().await;
        let [alice, bob] = server.register(["alice", "bob"]).await;
        let room = alice.create_room_with(&[&bob]).await;
        let jwt = token(&server, &bob, &room).await;
        sfu.join(&server, &jwt, "PA_one").await;
        Self {
            server,
            sfu,
            alice,
            bob,
            room,
            jwt,
        }
    }

    async fn bob_is_put_out(&self) {
        until("Bob is put out of the call", async || {
            self.sfu.participant(&self.jwt).await.is_none().then_some(())
        })
        .await;
    }

    /// Waits until Bob may send this and nothing else.
    async fn bob_may_send(&self, sources: &[TrackSource]) {
        let wanted: Vec<i32> = sources.iter().map(|source| i32::from(*source)).collect();
        until("the SFU knows what Bob may send", async || {
            let bob = self
                .sfu
                .participant(&self.jwt)
                .await
                .expect("Bob stays in the call");
            let may = bob.permission.expect("he has permissions");
            let is_so = may.can_publish != wanted.is_empty() && may.can_publish_sources == wanted;
            (may.can_subscribe && is_so).then_some(())
        })
        .await;
    }

    /// Comes in with the token from before, and is put out again.
    async fn the_old_token_is_of_no_use(&self) {
        self.sfu.join(&self.server, &self.jwt, "PA_again").await;
        assert!(self.sfu.participant(&self.jwt).await.is_none());
    }
}

#[tokio::test]
async fn who_is_kicked_is_put_out_and_stays_out() {
    let call = Call::start().await;
    call.alice.kick(&call.room, &call.bob).await.unwrap();
    call.bob_is_put_out().await;
    call.the_old_token_is_of_no_use().await;
    refused(
        sfu_get(&call.server, &call.bob, &call.room).await,
        403,
        "M_FORBIDDEN",
    );
    // Who is invited again starts anew.
    call.alice.invite(&call.room, &call.bob).await.unwrap();
    call.bob.join(&call.room).await.unwrap();
    let jwt = token(&call.server, &call.bob, &call.room).await;
    call.sfu.join(&call.server, &jwt, "PA_three").await;
    assert!(call.sfu.participant(&jwt).await.is_some());
}

#[tokio::test]
async fn who_is_banned_is_put_out() {
    let call = Call::start().await;
    call.alice.ban(&call.room, &call.bob).await.unwrap();
    call.bob_is_put_out().await;
    call.the_old_token_is_of_no_use().await;
}

#[tokio::test]
async fn who_leaves_the_room_leaves_its_call() {
    let call = Call::start().await;
    call.bob.leave(&call.room).await.unwrap();
    call.bob_is_put_out().await;
}

#[tokio::test]
async fn who_logs_out_leaves_the_call_with_that_device() {
    let call = Call::start().await;
    let other = call.bob.on_another_device().await;
    let jwt = token(&call.server, &other, &call.room).await;
    call.sfu.join(&call.server, &jwt, "PA_other").await;
    call.bob
        .post("/_matrix/client/v3/logout", json!({}))
        .await
        .unwrap();
    call.bob_is_put_out().await;
    assert!(call.sfu.participant(&jwt).await.is_some());
    call.the_old_token_is_of_no_use().await;
}

#[tokio::test]
async fn who_is_locked_is_put_out_and_who_is_suspended_falls_silent() {
    let call = Call::start().await;
    let admin = call.server.register_admin().await;
    let mark = async |kind: &str, content: serde_json::Value| {
        let path = format!("/_matrix/client/v1/admin/{kind}/{}", call.bob.id);
        admin.call(Method::PUT, path, Some(content)).await.unwrap();
    };
    mark("suspend", json!({ "suspended": true })).await;
    call.bob_may_send(&[]).await;
    mark("suspend", json!({ "suspended": false })).await;
    call.bob_may_send_everything().await;
    mark("lock", json!({ "locked": true })).await;
    call.bob_is_put_out().await;
}

impl Call {
    async fn bob_may_send_everything(&self) {
        until("Bob may send everything", async || {
            let bob = self
                .sfu
                .participant(&self.jwt)
                .await
                .expect("Bob stays in the call");
            let may = bob.permission.expect("he has permissions");
            (may.can_publish && may.can_publish_sources.is_empty()).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn power_levels_say_who_may_send_what() {
    let call = Call::start().await;
    let levels = async |changes: serde_json::Value| {
        call.alice
            .change_state(&call.room, "m.room.power_levels", changes)
            .await
            .unwrap();
    };
    // A channel to listen to.
    levels(json!({ "events_default": 50 })).await;
    call.bob_may_send(&[]).await;
    // A stage that Bob is called onto.
    levels(json!({ "users": { &call.bob.id: 50 } })).await;
    call.bob_may_send_everything().await;
    // A voice channel without cameras.
    levels(json!({
        "events_default": 0,
        "users": {},
        "events": { "org.echorift.call.camera": 50, "org.echorift.call.screen_share": 50 },
    }))
    .await;
    call.bob_may_send(&[TrackSource::Microphone]).await;
    let claims = ScriptedSfu::claims(&token(&call.server, &call.bob, &call.room).await);
    assert!(claims.video.can_publish());
    assert_eq!(claims.video.can_publish_sources, ["microphone"]);
    // With the token of before, which let him send everything, he gets no more.
    call.sfu.join(&call.server, &call.jwt, "PA_again").await;
    call.bob_may_send(&[TrackSource::Microphone]).await;
}

/// A kick that happened while the SFU could not be told, and before a restart of the server.
#[tokio::test]
async fn rights_that_ended_meanwhile_are_enforced_later() {
    let call = Call::start().await;
    call.sfu.set_down(true).await;
    call.alice.kick(&call.room, &call.bob).await.unwrap();
    call.server.kill();
    call.sfu.set_down(false).await;
    call.server.restart().await;
    call.bob_is_put_out().await;
}

#[tokio::test]
async fn who_has_nothing_to_do_with_the_call_is_left_alone() {
    let call = Call::start().await;
    let alice = token(&call.server, &call.alice, &call.room).await;
    call.sfu.join(&call.server, &alice, "PA_alice").await;
    call.alice.kick(&call.room, &call.bob).await.unwrap();
    call.bob_is_put_out().await;
    assert_eq!(call.sfu.orders("RemoveParticipant", &alice).await, 0);
    assert_eq!(call.sfu.orders("UpdateParticipant", &alice).await, 0);
}
