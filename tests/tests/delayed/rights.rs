use echorift_tests::TestServer;

use super::*;

#[tokio::test]
async fn guests_may_schedule_and_manage() {
    let server = TestServer::builder()
        .set("registration.allow_guests", true)
        .start()
        .await;
    let [alice] = server.register(["alice"]).await;
    let room = alice
        .create_room(json!({
            "preset": "public_chat",
            "initial_state": [
                { "type": "m.room.guest_access", "content": { "guest_access": "can_join" } },
            ],
        }))
        .await
        .unwrap();
    let registered = server
        .anonymous()
        .post("/_matrix/client/v3/register?kind=guest", json!({}))
        .await
        .unwrap();
    let guest = server.with_token(registered.text("/access_token"));
    guest.post(v3(["rooms", &room, "join"]), json!({})).await.unwrap();
    let key = format!("_{}_m.call", registered.text("/user_id"));
    for family in FAMILIES {
        let rooms = if family == STABLE {
            "/_matrix/client/v3"
        } else {
            UNSTABLE
        };
        let put = path(
            rooms,
            &["rooms", &room, "delayed_event", CALL_MEMBER, &fresh("txn")],
        );
        let body = json!({ "delay_ms": NEVER, "state_key": key, "content": {} });
        let answer = guest.put(put, body).await.unwrap();
        let delay_id = answer.text("/delay_id");
        act(&guest, family, delay_id, "restart").await.unwrap();
        guest.get(path(family, &["delayed_events"])).await.unwrap();
        guest
            .get(path(family, &["delayed_events", delay_id]))
            .await
            .unwrap();
        act(&guest, family, delay_id, "send").await.unwrap();
    }
    // A room that takes no guests in any more takes nothing from them either.
    let put = v3(["rooms", &room, "delayed_event", "m.room.message", "last"]);
    let answer = guest
        .put(put, json!({ "delay_ms": NEVER, "content": text("x") }))
        .await
        .unwrap();
    alice
        .set_state(
            &room,
            "m.room.guest_access",
            "",
            json!({ "guest_access": "forbidden" }),
        )
        .await
        .unwrap();
    let refusal = act(&guest, STABLE, answer.text("/delay_id"), "send")
        .await
        .unwrap_err();
    assert_eq!(refusal.status, 403);
}

#[tokio::test]
async fn who_is_suspended_says_nothing_more_but_leaves_calls() {
    let server = TestServer::shared().await;
    let admin = server.register_admin().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    let message = say_later(&alice, &room, "spam", 1_200).await;
    let leave = set_later(&alice, &room, CALL_MEMBER, "_alice_m.call", json!({}), 1_200).await;
    let suspend = path("/_matrix/client/v1/admin/suspend", &[&alice.id]);
    admin.put(suspend, json!({ "suspended": true })).await.unwrap();
    assert_eq!(
        finalised(&alice, &message).await["error"]["errcode"],
        "M_USER_SUSPENDED"
    );
    finalised(&alice, &leave).await.text("/event_id");
    let body = json!({ "delay_ms": 1, "content": text("x") });
    let refusal = schedule(&alice, &room, "m.room.message", body).await.unwrap_err();
    assert_eq!(
        (refusal.status, refusal.errcode.as_str()),
        (403, "M_USER_SUSPENDED")
    );
}
