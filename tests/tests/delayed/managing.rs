use echorift_tests::{TestServer, refused};

use super::*;

#[tokio::test]
async fn an_event_can_be_cancelled_restarted_and_sent_by_either_path() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    for family in FAMILIES {
        let [cancelled, sent, restarted] = [
            say_later(&alice, &room, "cancelled", NEVER).await,
            say_later(&alice, &room, "sent", NEVER).await,
            say_later(&alice, &room, "restarted", NEVER).await,
        ];
        let before = look_up(&alice, &restarted).await.number("/scheduled_at");
        let done = act(&alice, family, &cancelled, "cancel").await.unwrap();
        assert_eq!(done, json!({}));
        assert_eq!(act(&alice, family, &sent, "send").await.unwrap(), json!({}));
        assert_eq!(
            act(&alice, family, &restarted, "restart").await.unwrap(),
            json!({})
        );
        assert!(look_up(&alice, &restarted).await.number("/scheduled_at") >= before);
        assert_eq!(waiting(&alice).await, [restarted.as_str()]);
        let newest = alice.newest(&room, 1).await;
        assert_eq!(newest.bodies("/chunk"), ["sent"]);
        let told = look_up(&alice, &sent).await;
        assert_eq!(told["event_id"], newest.events("/chunk")[0]["event_id"]);
        assert!(
            told.number("/finalised_ts") < told.number("/scheduled_at") + told.number("/delay_ms"),
            "it can be told that it was sent by hand"
        );
        // Clients send no body at all.
        let path = path(family, &["delayed_events", &restarted, "cancel"]);
        alice.call(reqwest::Method::POST, path, None).await.unwrap();
    }
}

#[tokio::test]
async fn a_heartbeat_holds_an_event_back_and_its_absence_lets_it_go() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    let delay_id = say_later(&alice, &room, "gone", 1_500).await;
    for _ in 0..8 {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        act(&alice, UNSTABLE, &delay_id, "restart").await.unwrap();
    }
    let last = look_up(&alice, &delay_id).await;
    assert!(last.get("finalised_ts").is_none(), "{last}");
    let told = finalised(&alice, &delay_id).await;
    assert!(told.number("/finalised_ts") >= last.number("/scheduled_at") + 1_500);
    assert_eq!(alice.newest(&room, 1).await.bodies("/chunk"), ["gone"]);
}

#[tokio::test]
async fn repeating_an_action_changes_nothing_and_contradicting_it_is_refused() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    let [cancelled, sent] = [
        say_later(&alice, &room, "never", NEVER).await,
        say_later(&alice, &room, "once", NEVER).await,
    ];
    for family in FAMILIES {
        for _ in 0..2 {
            act(&alice, family, &cancelled, "cancel").await.unwrap();
            act(&alice, family, &sent, "send").await.unwrap();
        }
    }
    let all = alice.whole_timeline(&room, 100).await;
    let bodies = json!(all).bodies("");
    assert_eq!(bodies, ["once"]);

    refused(act(&alice, STABLE, &sent, "cancel").await, 409, "M_UNKNOWN");
    refused(act(&alice, STABLE, &sent, "restart").await, 409, "M_UNKNOWN");
    refused(act(&alice, STABLE, &cancelled, "restart").await, 409, "M_UNKNOWN");
    refused(act(&alice, STABLE, &cancelled, "send").await, 409, "M_UNKNOWN");
    // Clients that use the paths from before would end their call after anything but 404.
    refused(act(&alice, UNSTABLE, &sent, "cancel").await, 404, "M_NOT_FOUND");
    refused(act(&alice, UNSTABLE, &sent, "restart").await, 404, "M_NOT_FOUND");
    refused(
        act(&alice, UNSTABLE, &cancelled, "restart").await,
        404,
        "M_NOT_FOUND",
    );
    refused(act(&alice, UNSTABLE, &cancelled, "send").await, 409, "M_UNKNOWN");
}

#[tokio::test]
async fn two_who_send_at_once_send_once() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    let delay_id = say_later(&alice, &room, "once", NEVER).await;
    let sends = (0..10).map(|_| act(&alice, STABLE, &delay_id, "send"));
    for sent in futures_util::future::join_all(sends).await {
        sent.unwrap();
    }
    let cancels = act(&alice, STABLE, &delay_id, "cancel").await;
    refused(cancels, 409, "M_UNKNOWN");
    assert_eq!(json!(alice.whole_timeline(&room, 100).await).bodies(""), ["once"]);
}

#[tokio::test]
async fn nobody_else_manages_ones_events() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let delay_id = say_later(&alice, &room, "mine", NEVER).await;
    for family in FAMILIES {
        for action in ["cancel", "restart", "send"] {
            refused(act(&bob, family, &delay_id, action).await, 404, "M_NOT_FOUND");
            refused(act(&alice, family, "nothing", action).await, 404, "M_NOT_FOUND");
            let stranger = server.with_token("unknown");
            refused(
                act(&stranger, family, &delay_id, action).await,
                401,
                "M_UNKNOWN_TOKEN",
            );
        }
        refused(
            act(&alice, family, &delay_id, "postpone").await,
            404,
            "M_UNRECOGNIZED",
        );
    }
    // On another device they are still one's own.
    let tablet = alice.on_another_device().await;
    act(&tablet, STABLE, &delay_id, "cancel").await.unwrap();
}

#[tokio::test]
async fn who_was_given_the_id_needs_no_token_on_the_paths_from_before() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    let nobody = server.anonymous();
    let delay_id = say_later(&alice, &room, "by another hand", NEVER).await;
    for action in ["restart", "send"] {
        refused(
            act(&nobody, STABLE, &delay_id, action).await,
            401,
            "M_MISSING_TOKEN",
        );
        act(&nobody, UNSTABLE, &delay_id, action).await.unwrap();
    }
    refused(
        act(&nobody, UNSTABLE, "guessed", "send").await,
        404,
        "M_NOT_FOUND",
    );
    assert_eq!(alice.newest(&room, 1).await.bodies("/chunk"), ["by another hand"]);

    let server = TestServer::builder()
        .set("calls.delayed_events_unauthenticated", false)
        .start()
        .await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    let delay_id = say_later(&alice, &room, "mine alone", NEVER).await;
    let legacy = path(UNSTABLE, &["delayed_events", &delay_id]);
    let nobody = server.anonymous();
    refused(
        act(&nobody, UNSTABLE, &delay_id, "send").await,
        401,
        "M_MISSING_TOKEN",
    );
    refused(
        nobody.post(&legacy, json!({ "action": "send" })).await,
        401,
        "M_MISSING_TOKEN",
    );
    act(&alice, UNSTABLE, &delay_id, "send").await.unwrap();
}

#[tokio::test]
async fn the_action_may_stand_in_the_body_as_it_did_before() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let delay_id = say_later(&alice, &room, "later", NEVER).await;
    let legacy = path(UNSTABLE, &["delayed_events", &delay_id]);
    let nobody = server.anonymous();
    nobody
        .post(&legacy, json!({ "action": "restart" }))
        .await
        .unwrap();
    refused(
        bob.post(&legacy, json!({ "action": "restart" })).await,
        404,
        "M_NOT_FOUND",
    );
    refused(
        alice.post(&legacy, json!({ "action": "postpone" })).await,
        400,
        "M_INVALID_PARAM",
    );
    refused(alice.post(&legacy, json!({})).await, 400, "M_BAD_JSON");
    alice.post(&legacy, json!({ "action": "cancel" })).await.unwrap();
    refused(
        alice.post(&legacy, json!({ "action": "restart" })).await,
        404,
        "M_NOT_FOUND",
    );
    // The stable paths have never had it.
    let stable = path(STABLE, &["delayed_events", &delay_id]);
    refused(
        alice.post(&stable, json!({ "action": "cancel" })).await,
        405,
        "M_UNRECOGNIZED",
    );
}

#[tokio::test]
async fn heartbeats_have_a_rate_of_their_own() {
    let server = TestServer::builder()
        .set("rate_limits.enabled", true)
        .set("rate_limits.delayed_events.per_second", 0.01)
        .set("rate_limits.delayed_events.burst", 3)
        .start()
        .await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let [hers, his] = [
        say_later(&alice, &room, "hers", NEVER).await,
        say_later(&bob, &room, "his", NEVER).await,
    ];
    for _ in 0..3 {
        act(&alice, STABLE, &hers, "restart").await.unwrap();
    }
    refused(
        act(&alice, STABLE, &hers, "restart").await,
        429,
        "M_LIMIT_EXCEEDED",
    );
    alice
        .send_text(&room, "messages are counted apart")
        .await
        .unwrap();
    // Without a token each event has a rate, and so has who guesses.
    let nobody = server.anonymous();
    for delay_id in [&hers, &his] {
        for _ in 0..3 {
            act(&nobody, UNSTABLE, delay_id, "restart").await.unwrap();
        }
        refused(
            act(&nobody, UNSTABLE, delay_id, "restart").await,
            429,
            "M_LIMIT_EXCEEDED",
        );
    }
    for guess in 0..3 {
        refused(
            act(&nobody, UNSTABLE, &format!("guess{guess}"), "send").await,
            404,
            "M_NOT_FOUND",
        );
    }
    refused(
        act(&nobody, UNSTABLE, "guess3", "send").await,
        429,
        "M_LIMIT_EXCEEDED",
    );
}
