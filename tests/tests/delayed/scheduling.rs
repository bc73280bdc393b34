use echorift_tests::{TestServer, refused};

use super::*;

/// `PUT …?org.matrix.msc4140.delay=…`.
async fn put_with_delay(user: &User, put: &str, delay: &str, content: Value) -> Answer {
    user.put(format!("{put}?org.matrix.msc4140.delay={delay}"), content)
        .await
}

#[tokio::test]
async fn every_way_to_schedule_gives_an_id_and_sends_nothing_yet() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    let since = alice.now().await;
    let body = json!({ "delay_ms": NEVER, "content": text("later") });
    let state = json!({ "delay_ms": NEVER, "content": {}, "state_key": "a" });
    let delay = NEVER.to_string();
    let mut ids = Vec::new();
    for (kind, body) in [("m.room.message", &body), (CALL_MEMBER, &state)] {
        for rooms in [v3(["rooms", &room]), path(UNSTABLE, &["rooms", &room])] {
            let put = path(&rooms, &["delayed_event", kind, &fresh("txn")]);
            ids.push(
                alice
                    .put(put, body.clone())
                    .await
                    .unwrap()
                    .text("/delay_id")
                    .to_owned(),
            );
        }
    }
    for version in ["v3", "r0"] {
        let rooms = path(&format!("/_matrix/client/{version}/rooms"), &[&room]);
        for put in [
            path(&rooms, &["send", "m.room.message", &fresh("txn")]),
            path(&rooms, &["state", "org.example.a", "key"]),
            path(&rooms, &["state", "org.example.b"]),
            path(&rooms, &["state", "org.example.c", ""]),
        ] {
            let answer = put_with_delay(&alice, &put, &delay, text("later")).await.unwrap();
            assert!(answer.get("event_id").is_none(), "{put}: {answer}");
            ids.push(answer.text("/delay_id").to_owned());
        }
    }
    // At least 128 bits of chance, each another.
    assert!(ids.iter().all(|id| id.len() >= 22), "{ids:?}");
    assert_eq!(
        ids.iter().collect::<std::collections::BTreeSet<_>>().len(),
        ids.len()
    );
    assert_eq!(
        waiting(&alice).await,
        ids,
        "in the order in which they will be sent"
    );
    assert_eq!(look_up(&alice, &ids[2]).await["state_key"], "a");
    assert!(look_up(&alice, &ids[0]).await.get("state_key").is_none());
    assert_eq!(look_up(&alice, &ids[7]).await["state_key"], "");
    let synced = alice.sync_from(&since).await;
    assert!(
        synced.pointer(&format!("/rooms/join/{room}")).is_none(),
        "{synced}"
    );
}

#[tokio::test]
async fn the_list_tells_what_waits_and_when() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let before = now_ms();
    let second = say_later(&alice, &room, "second", NEVER).await;
    let first = set_later(
        &alice,
        &room,
        CALL_MEMBER,
        "key",
        json!({ "a": 1 }),
        NEVER - 60_000,
    )
    .await;
    let cancelled = say_later(&alice, &room, "never", NEVER).await;
    act(&alice, STABLE, &cancelled, "cancel").await.unwrap();
    say_later(&bob, &room, "bob's", NEVER).await;
    for family in FAMILIES {
        let list = alice.get(path(family, &["delayed_events"])).await.unwrap();
        let events = list.events("/delayed_events");
        assert_eq!(events.len(), 2, "{list}");
        let event = &events[0];
        assert_eq!(event["delay_id"], json!(first));
        assert_eq!(event["room_id"], json!(room));
        assert_eq!(
            (event.text("/type"), event.text("/state_key")),
            (CALL_MEMBER, "key")
        );
        assert_eq!(event["content"], json!({ "a": 1 }));
        assert_eq!(event.number("/delay_ms"), 3_540_000);
        let scheduled = event.number("/scheduled_at");
        assert!((before..=now_ms()).contains(&scheduled));
        // What other versions of the proposal call it.
        assert_eq!(event.number("/delay"), 3_540_000);
        assert_eq!(event.number("/running_since"), scheduled);
        assert_eq!(event.number("/delayed_since_ts"), scheduled);
        for finalised in ["finalised_ts", "event_id", "error", "finalised"] {
            assert!(event.get(finalised).is_none());
        }
        assert_eq!(events[1]["delay_id"], json!(second));
        let one = alice
            .get(path(family, &["delayed_events", &second]))
            .await
            .unwrap();
        assert_eq!(one, events[1]);
        refused(
            bob.get(path(family, &["delayed_events", &second])).await,
            404,
            "M_NOT_FOUND",
        );
        let nobody = server.anonymous();
        refused(
            nobody.get(path(family, &["delayed_events"])).await,
            401,
            "M_MISSING_TOKEN",
        );
        refused(
            nobody.get(path(family, &["delayed_events", &second])).await,
            401,
            "M_MISSING_TOKEN",
        );
    }
    let told = look_up(&alice, &cancelled).await;
    assert!(told.number("/finalised_ts") >= before);
    assert!(
        told.get("event_id").is_none() && told.get("error").is_none(),
        "{told}"
    );
}

#[tokio::test]
async fn a_repeated_request_schedules_once() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    let body = json!({ "delay_ms": NEVER, "content": text("once") });
    let put = v3(["rooms", &room, "delayed_event", "m.room.message", "one"]);
    let [first, second] = [
        alice.put(&put, body.clone()).await,
        alice.put(&put, body.clone()).await,
    ];
    assert_eq!(first.unwrap(), second.unwrap());
    assert_eq!(waiting(&alice).await.len(), 1);
    // Another session has transactions of its own.
    alice.on_another_device().await.put(&put, body).await.unwrap();
    assert_eq!(waiting(&alice).await.len(), 2);
}

#[tokio::test]
async fn clients_are_told_what_the_server_allows() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let capabilities = alice.get(v3(["capabilities"])).await.unwrap();
    for name in ["m.delayed_events", "org.matrix.msc4140.delayed_events"] {
        let told = &capabilities["capabilities"][name];
        assert_eq!(told, &json!({ "max_delay_ms": 86_400_000, "max_scheduled": 100 }));
    }
    let versions = alice.get("/_matrix/client/versions").await.unwrap();
    for flag in ["org.matrix.msc4140", "org.matrix.msc4140.stable"] {
        assert_eq!(versions["unstable_features"][flag], true);
    }
    let room = alice.create_room_with(&[]).await;
    for delay_ms in [86_400_001, u64::MAX] {
        let body = json!({ "delay_ms": delay_ms, "content": {} });
        let refusal = schedule(&alice, &room, "m.room.message", body).await.unwrap_err();
        assert_eq!((refusal.status, refusal.errcode.as_str()), (403, "M_FORBIDDEN"));
    }
    let put = v3(["rooms", &room, "send", "m.room.message", "txn"]);
    refused(
        put_with_delay(&alice, &put, "86400001", text("x")).await,
        403,
        "M_FORBIDDEN",
    );
    say_later(&alice, &room, "the longest", 86_400_000).await;
}

#[tokio::test]
async fn a_server_that_delays_nothing_never_sends_at_once_instead() {
    for (key, value) in [
        ("calls.max_delay", json!("0s")),
        ("calls.max_delayed_events_per_user", json!(0)),
    ] {
        let server = TestServer::builder().set(key, value).start().await;
        let [alice] = server.register(["alice"]).await;
        let room = alice.create_room_with(&[]).await;
        let body = json!({ "delay_ms": 1, "content": text("x") });
        let refusal = schedule(&alice, &room, "m.room.message", body).await.unwrap_err();
        assert_eq!((refusal.status, refusal.errcode.as_str()), (403, "M_FORBIDDEN"));
        for put in [
            v3(["rooms", &room, "send", "m.room.message", "txn"]),
            v3(["rooms", &room, "state", "org.example.a", "key"]),
        ] {
            refused(
                put_with_delay(&alice, &put, "1", text("x")).await,
                403,
                "M_FORBIDDEN",
            );
        }
        assert!(alice.newest(&room, 1).await.bodies("/chunk").is_empty());
        let capabilities = alice.get(v3(["capabilities"])).await.unwrap();
        assert!(capabilities["capabilities"].get("m.delayed_events").is_none());
        let versions = alice.get("/_matrix/client/versions").await.unwrap();
        assert!(versions["unstable_features"].get("org.matrix.msc4140").is_none());
    }
}

#[tokio::test]
async fn what_could_never_be_sent_is_refused_at_once() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    let refusal = async |body: Value| {
        let refusal = schedule(&alice, &room, "m.room.message", body).await.unwrap_err();
        (refusal.status, refusal.errcode)
    };
    let expect = |status: u16, errcode: &str| (status, errcode.to_owned());
    assert_eq!(refusal(json!({ "content": {} })).await, expect(400, "M_BAD_JSON"));
    assert_eq!(refusal(json!({ "delay_ms": 1 })).await, expect(400, "M_BAD_JSON"));
    assert_eq!(
        refusal(json!({ "delay_ms": -1, "content": {} })).await,
        expect(400, "M_BAD_JSON")
    );
    assert_eq!(
        refusal(json!({ "delay_ms": 1.5, "content": {} })).await,
        expect(400, "M_BAD_JSON")
    );
    assert_eq!(
        refusal(json!({ "delay_ms": 0, "content": {} })).await,
        expect(400, "M_INVALID_PARAM")
    );
    assert_eq!(
        refusal(json!({ "delay_ms": 1, "content": [] })).await,
        expect(400, "M_INVALID_PARAM")
    );
    assert_eq!(
        refusal(json!({ "delay_ms": 1, "content": { "n": 1.5 } })).await,
        expect(400, "M_BAD_JSON")
    );
    let large = json!({ "delay_ms": 1, "content": text(&"x".repeat(70_000)) });
    assert_eq!(refusal(large).await, expect(413, "M_TOO_LARGE"));
    let long_key = json!({ "delay_ms": 1, "content": {}, "state_key": "k".repeat(256) });
    assert_eq!(refusal(long_key).await, expect(413, "M_TOO_LARGE"));
    let nul = json!({ "delay_ms": 1, "content": {}, "state_key": "a\0b" });
    assert_eq!(refusal(nul).await, expect(400, "M_INVALID_PARAM"));

    let put = v3(["rooms", &room, "send", "m.room.message", "txn"]);
    for delay in ["0", "-5", "soon", ""] {
        refused(
            put_with_delay(&alice, &put, delay, text("x")).await,
            400,
            "M_INVALID_PARAM",
        );
    }
    let put = path(
        UNSTABLE,
        &["rooms", "nowhere", "delayed_event", "m.room.message", "txn"],
    );
    refused(
        alice.put(put, json!({ "delay_ms": 1, "content": {} })).await,
        400,
        "M_INVALID_PARAM",
    );
    let put = v3(["rooms", &room, "delayed_event", "m.room.message", "txn"]);
    refused(
        server
            .anonymous()
            .put(put, json!({ "delay_ms": 1, "content": {} }))
            .await,
        401,
        "M_MISSING_TOKEN",
    );
    assert!(waiting(&alice).await.is_empty());
}

#[tokio::test]
async fn the_rate_of_messages_is_the_rate_of_scheduling() {
    let server = TestServer::builder()
        .set("rate_limits.enabled", true)
        .set("rate_limits.messages.per_second", 0.01)
        .set("rate_limits.messages.burst", 2)
        .start()
        .await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    say_later(&alice, &room, "one", NEVER).await;
    let put = v3(["rooms", &room, "send", "m.room.message", "txn"]);
    put_with_delay(&alice, &put, "3600000", text("two"))
        .await
        .unwrap();
    let put = v3(["rooms", &room, "state", CALL_MEMBER, "key"]);
    refused(
        put_with_delay(&alice, &put, "3600000", json!({})).await,
        429,
        "M_LIMIT_EXCEEDED",
    );
}
