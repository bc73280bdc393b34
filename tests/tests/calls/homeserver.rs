//! The endpoints of one's own server (MSC4195), for SFUs of its own; those of others are in `federation`.

use echorift_tests::{Look as _, ScriptedSfu, refused};
use serde_json::{Value, json};

use crate::caller::{server_with_calls, with};

const PREFIXES: [&str; 2] = [
    "/_matrix/client/unstable/io.element.msc4195",
    "/_matrix/client/v1",
];

fn request(sfu: &ScriptedSfu, room: &str) -> Value {
    json!({ "url": sfu.url(), "room_id": room, "slot_id": "m.call#ROOM" })
}

#[tokio::test]
async fn members_get_tokens_from_their_own_server() {
    let (server, sfu) = server_with_calls().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[]).await;
    for prefix in PREFIXES {
        let path = format!("{prefix}/rtc/livekit/get_token");
        let member = json!({ "member": { "id": "0b9c", "claimed_device_id": alice.device_id } });
        let by_member = alice
            .post(&path, with(request(&sfu, &room), &member))
            .await
            .unwrap();
        assert_eq!(by_member.text("/url"), sfu.url());
        let by_member = ScriptedSfu::claims(by_member.text("/jwt"));
        let by_id = with(
            request(&sfu, &room),
            &json!({ "member_id": "0b9c", "server_name": "test.example" }),
        );
        let by_id = ScriptedSfu::claims(alice.post(&path, by_id.clone()).await.unwrap().text("/jwt"));
        assert_ne!(by_member.sub, by_id.sub);
        assert_eq!(by_member.video, by_id.video);
        assert!(by_id.video.can_publish());

        let other = with(request(&sfu, &room), &member);
        refused(bob.post(&path, other.clone()).await, 403, "M_FORBIDDEN");
        refused(
            server.anonymous().post(&path, other.clone()).await,
            401,
            "M_MISSING_TOKEN",
        );
        let foreign = with(other.clone(), &json!({ "url": "wss://elsewhere.example/sfu" }));
        refused(alice.post(&path, foreign).await, 400, "M_INVALID_PARAM");
        // A device of somebody else's.
        let device = json!({ "member": { "id": "0b9c", "claimed_device_id": bob.device_id } });
        refused(
            alice.post(&path, with(other.clone(), &device)).await,
            403,
            "M_FORBIDDEN",
        );
        for field in ["url", "room_id", "slot_id", "member"] {
            let mut lacking = other.clone();
            lacking.as_object_mut().unwrap().remove(field);
            refused(alice.post(&path, lacking).await, 400, "M_BAD_JSON");
        }
    }
}

/// What Element Call asks without a token to learn whether delayed events can be left to the server.
#[tokio::test]
async fn the_probe_is_answered_with_anything_but_absence() {
    let (server, _sfu) = server_with_calls().await;
    let refusal = server
        .anonymous()
        .post("/livekit/jwt/delegate_delayed_leave", json!({}))
        .await;
    assert_eq!(refusal.unwrap_err().status, 400);
    for prefix in PREFIXES {
        let path = format!("{prefix}/rtc/livekit/delegate_delayed_leave");
        refused(
            server.anonymous().post(path, json!({})).await,
            401,
            "M_MISSING_TOKEN",
        );
    }
}
