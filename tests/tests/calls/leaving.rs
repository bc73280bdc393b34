//! Leaving for certain: a client leaves its delayed departure to the server, and the SFU says when it is gone.

use axum::http::StatusCode;
use echorift_tests::{Look as _, ScriptedSfu, TestServer, User, Webhook, refused, until, v3};
use serde_json::{Value, json};

use crate::caller::{member_request, openid, server_with_calls, service, with};

const MEMBER: &str = "org.matrix.msc3401.call.member";
const HOUR_MS: u64 = 3_600_000;

/// Alice, whose membership of a call stands in the room, and whose departure is delayed.
struct Call {
    server: TestServer,
    sfu: ScriptedSfu,
    alice: User,
    room: String,
    delay_id: String,
}

impl Call {
    async fn start() -> Self {
        Self::with_delay(HOUR_MS).await
    }

    async fn with_delay(delay_ms: u64) -> Self {
        let (server, sfu) = server_with_calls().await;
        let [alice] = server.register(["alice"]).await;
        let room = alice.create_room_with(&[]).await;
        let delay_id = delay_departure(&alice, &room, delay_ms).await;
        let content = json!({ "application": "m.call", "call_id": "", "device_id": alice.device_id });
        alice
            .set_state(&room, MEMBER, &state_key(&alice), content)
            .await
            .unwrap();
        Self {
            server,
            sfu,
            alice,
            room,
            delay_id,
        }
    }

    /// Hands the departure over together with the request for a token, as Element Call does.
    async fn token(&self) -> String {
        let body = json!({
            "room": self.room, "openid_token": openid(&self.alice).await, "device_id": self.alice.device_id,
            "delay_id": self.delay_id, "delay_timeout": HOUR_MS,
        });
        let answer = self
            .server
            .anonymous()
            .post(service("sfu/get"), body)
            .await
            .unwrap();
        answer.text("/jwt").to_owned()
    }

    async fn is_member(&self) -> bool {
        let content = self
            .alice
            .state(&self.room, MEMBER, &state_key(&self.alice))
            .await
            .unwrap();
        content != json!({})
    }

    async fn membership_ends(&self) {
        until("the membership of the call ends", async || {
            (!self.is_member().await).then_some(())
        })
        .await;
    }

    /// Whether the delayed event still waits, and for how long it has, in the server's words.
    async fn waits(&self) -> Option<Value> {
        let path = "/_matrix/client/unstable/org.matrix.msc4140/delayed_events?status=scheduled";
        let list = self.alice.get(path).await.unwrap();
        let events = ["scheduled", "delayed_events"]
            .iter()
            .find_map(|key| list[*key].as_array().cloned());
        events
            .unwrap_or_default()
            .into_iter()
            .find(|event| event["delay_id"] == self.delay_id.as_str())
    }
}

fn state_key(user: &User) -> String {
    format!("_{}_{}_m.call", user.id, user.device_id)
}

async fn delay_departure(user: &User, room: &str, delay_ms: u64) -> String {
    let path = v3(["rooms", room, "state", MEMBER, &state_key(user)]);
    let path = format!("{path}?org.matrix.msc4140.delay={delay_ms}");
    user.put(path, json!({}))
        .await
        .unwrap()
        .text("/delay_id")
        .to_owned()
}

#[tokio::test]
async fn who_is_gone_from_the_sfu_is_gone_from_the_room() {
    let call = Call::start().await;
    let jwt = call.token().await;
    call.sfu.join(&call.server, &jwt, "PA_one").await;
    assert!(call.is_member().await);
    call.sfu.leave(&call.server, &jwt, "PA_one").await;
    call.membership_ends().await;
    assert!(call.waits().await.is_none());
}

#[tokio::test]
async fn who_comes_back_stays_whatever_is_heard_of_before() {
    let call = Call::start().await;
    let jwt = call.token().await;
    call.sfu.join(&call.server, &jwt, "PA_one").await;
    // A new connection, of which the old one's end is told only afterwards.
    call.sfu.join(&call.server, &jwt, "PA_two").await;
    let late = Webhook::of(&jwt, "participant_left", "PA_one");
    assert_eq!(call.sfu.tell(&call.server, &late).await, StatusCode::OK);
    let mut replaced = Webhook::of(&jwt, "participant_left", "PA_two");
    replaced.reason = "DUPLICATE_IDENTITY".to_owned();
    assert_eq!(call.sfu.tell(&call.server, &replaced).await, StatusCode::OK);
    // Also where the word of the new connection was lost.
    call.sfu.admit(&jwt, "PA_three").await;
    let lost = Webhook::of(&jwt, "participant_left", "PA_two");
    assert_eq!(call.sfu.tell(&call.server, &lost).await, StatusCode::OK);
    assert!(call.is_member().await);
    assert!(call.waits().await.is_some());
}

#[tokio::test]
async fn a_departure_that_nobody_told_of_is_found() {
    let call = Call::with_delay(6_000).await;
    let jwt = call.token().await;
    call.sfu.join(&call.server, &jwt, "PA_one").await;
    // The room goes on, and no webhook comes.
    call.sfu.drop_out(&jwt).await;
    call.membership_ends().await;
}

#[tokio::test]
async fn who_stays_is_kept_in_the_room_beyond_the_delay() {
    let call = Call::with_delay(3_000).await;
    let jwt = call.token().await;
    call.sfu.join(&call.server, &jwt, "PA_one").await;
    let first = call.waits().await.expect("the event waits");
    until("the event was put off again twice", async || {
        let now = call.waits().await.expect("the event still waits");
        let by = now.number("/running_since") - first.number("/running_since");
        (by > 4_000).then_some(())
    })
    .await;
    assert!(call.is_member().await);
}

/// The SFU has lost its rooms: who was in them finds them again, and is given time to come.
#[tokio::test]
async fn a_restart_of_the_sfu_ends_no_call() {
    let call = Call::start().await;
    let jwt = call.token().await;
    call.sfu.join(&call.server, &jwt, "PA_one").await;
    call.sfu.lose_everything().await;
    let gone = Webhook::of(&jwt, "participant_left", "PA_one");
    assert_eq!(call.sfu.tell(&call.server, &gone).await, StatusCode::OK);
    let room = ScriptedSfu::claims(&jwt).video.room;
    until("the room is open again", async || {
        call.sfu.rooms().await.contains(&room).then_some(())
    })
    .await;
    assert!(call.is_member().await);
    call.sfu.join(&call.server, &jwt, "PA_two").await;
    assert!(call.is_member().await);
    // Who does not come back is gone in the end.
    call.sfu.leave(&call.server, &jwt, "PA_two").await;
    call.membership_ends().await;
}

/// Somebody else was quicker to come back, so that the room is open again.
#[tokio::test]
async fn who_is_slower_after_a_restart_of_the_sfu_is_waited_for() {
    let call = Call::start().await;
    let jwt = call.token().await;
    call.sfu.join(&call.server, &jwt, "PA_one").await;
    let [bob] = call.server.register(["bob"]).await;
    call.alice.invite(&call.room, &bob).await.unwrap();
    bob.join(&call.room).await.unwrap();
    call.sfu.lose_everything().await;
    crate::caller::token(&call.server, &bob, &call.room).await;
    let gone = Webhook::of(&jwt, "participant_left", "PA_one");
    assert_eq!(call.sfu.tell(&call.server, &gone).await, StatusCode::OK);
    assert!(call.is_member().await);
    call.sfu.join(&call.server, &jwt, "PA_two").await;
    assert!(call.is_member().await);
}

#[tokio::test]
async fn a_restart_of_the_server_ends_no_call() {
    // Long over when the server comes back, had nobody taken care of it.
    let call = Call::with_delay(4_000).await;
    let jwt = call.token().await;
    call.sfu.join(&call.server, &jwt, "PA_one").await;
    call.server.kill();
    tokio::time::sleep(std::time::Duration::from_millis(4_500)).await;
    call.server.restart().await;
    let first = call.waits().await.expect("the event waits");
    until("the event was put off", async || {
        let now = call.waits().await.expect("the event still waits");
        (now.number("/running_since") > first.number("/running_since")).then_some(())
    })
    .await;
    assert!(call.is_member().await);
    // And who went meanwhile is gone.
    call.server.kill();
    call.sfu.drop_out(&jwt).await;
    call.server.restart().await;
    call.membership_ends().await;
}

#[tokio::test]
async fn who_never_gets_through_is_left_to_the_events_own_time() {
    let call = Call::with_delay(3_000).await;
    let jwt = call.token().await;
    let aborted = Webhook::of(&jwt, "participant_connection_aborted", "PA_one");
    assert_eq!(call.sfu.tell(&call.server, &aborted).await, StatusCode::OK);
    assert!(call.is_member().await);
    call.membership_ends().await;
}

#[tokio::test]
async fn departures_can_be_handed_over_by_all_dialects() {
    let call = Call::start().await;
    let body = member_request(&call.alice, &call.room, "0b9c").await;
    let jwt = call
        .server
        .anonymous()
        .post(service("get_token"), body.clone())
        .await
        .unwrap();
    let jwt = jwt.text("/jwt").to_owned();
    call.sfu.join(&call.server, &jwt, "PA_one").await;
    let delegate = service("delegate_delayed_leave");
    refused(
        call.server.anonymous().post(&delegate, body.clone()).await,
        400,
        "M_BAD_JSON",
    );
    let pair = json!({ "delay_id": call.delay_id, "delay_timeout": HOUR_MS });
    let answer = call
        .server
        .anonymous()
        .post(&delegate, with(body, &pair))
        .await
        .unwrap();
    assert_eq!(answer, json!({}));
    call.sfu.leave(&call.server, &jwt, "PA_one").await;
    call.membership_ends().await;
}

#[tokio::test]
async fn departures_can_be_handed_over_to_ones_own_server() {
    let call = Call::start().await;
    let member = json!({
        "url": call.sfu.url(), "room_id": call.room, "slot_id": "m.call#ROOM",
        "member": { "id": "0b9c", "claimed_device_id": call.alice.device_id },
    });
    let base = "/_matrix/client/unstable/io.element.msc4195/rtc/livekit";
    let jwt = call
        .alice
        .post(format!("{base}/get_token"), member.clone())
        .await
        .unwrap();
    let jwt = jwt.text("/jwt").to_owned();
    call.sfu.join(&call.server, &jwt, "PA_one").await;
    let delegate = format!("{base}/delegate_delayed_leave");
    let unknown = with(member.clone(), &json!({ "delay_id": "unknown" }));
    refused(call.alice.post(&delegate, unknown).await, 400, "M_INVALID_PARAM");
    let known = with(member, &json!({ "delay_id": call.delay_id }));
    assert_eq!(call.alice.post(&delegate, known).await.unwrap(), json!({}));
    call.sfu.leave(&call.server, &jwt, "PA_one").await;
    call.membership_ends().await;
}

#[tokio::test]
async fn only_ones_own_departure_from_the_room_can_be_handed_over() {
    let call = Call::start().await;
    let [bob] = call.server.register(["bob"]).await;
    let other_room = call.alice.create_room_with(&[&bob]).await;
    let ask = async |user: &User, room: &str, delay_id: &str| {
        let body = json!({
            "room": room, "openid_token": openid(user).await, "device_id": user.device_id,
            "delay_id": delay_id, "delay_timeout": HOUR_MS,
        });
        call.server.anonymous().post(service("sfu/get"), body).await
    };
    // Clients ask again without the departure then.
    refused(ask(&call.alice, &call.room, "unknown").await, 400, "M_BAD_JSON");
    refused(ask(&bob, &other_room, &call.delay_id).await, 400, "M_BAD_JSON");
    refused(
        ask(&call.alice, &other_room, &call.delay_id).await,
        400,
        "M_BAD_JSON",
    );
    ask(&call.alice, &call.room, &call.delay_id).await.unwrap();
}
