use echorift_tests::{Look as _, TestServer, User, refused, v3};
use serde_json::{Value, json};

fn rule(kind: &str, id: &str) -> String {
    v3(["pushrules", "global", kind, id])
}

fn ids(rules: &Value, kind: &str) -> Vec<String> {
    let rules = rules.list(&format!("/global/{kind}")).iter();
    rules.map(|rule| rule.text("/rule_id").to_owned()).collect()
}

async fn all(user: &User) -> Value {
    user.get(v3(["pushrules"]) + "/").await.unwrap()
}

/// Notifications and highlights of a room.
async fn counts(user: &User, room: &str) -> (i64, i64) {
    let answer = user.sync_all().await;
    let counts = &answer["rooms"]["join"][room]["unread_notifications"];
    let count = |name: &str| counts[name].as_i64().unwrap_or(0);
    (count("notification_count"), count("highlight_count"))
}

#[tokio::test]
async fn the_default_rules_are_those_of_the_specification_in_its_order() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let rules = all(&alice).await;
    let overrides = [
        ".m.rule.master",
        ".org.matrix.msc4028.encrypted_event",
        ".m.rule.suppress_notices",
        ".m.rule.invite_for_me",
        ".m.rule.member_event",
        ".m.rule.is_user_mention",
        ".m.rule.is_room_mention",
        ".m.rule.tombstone",
        ".m.rule.reaction",
        ".m.rule.room.server_acl",
        ".m.rule.suppress_edits",
    ];
    assert_eq!(ids(&rules, "override"), overrides);
    let underrides = [
        ".m.rule.call",
        ".m.rule.encrypted_room_one_to_one",
        ".m.rule.room_one_to_one",
        ".m.rule.message",
        ".m.rule.encrypted",
    ];
    assert_eq!(ids(&rules, "underride"), underrides);
    assert_eq!(rules["global"]["override"][1]["enabled"], false);
    // Also where there are none, as clients read them without looking.
    for kind in ["content", "room", "sender"] {
        assert_eq!(rules["global"][kind], json!([]), "{kind}");
    }
    let data = alice
        .get(v3(["user", &alice.id, "account_data", "m.push_rules"]))
        .await
        .unwrap();
    let synced = alice.sync_all().await;
    let synced = synced.list("/account_data/events").iter();
    let synced = synced.filter(|event| event["type"] == "m.push_rules");
    let synced: Vec<&Value> = synced.map(|event| &event["content"]).collect();
    assert_eq!(synced, [&rules]);
    assert_eq!(data, rules);
}

#[tokio::test]
async fn a_rule_that_always_holds_may_leave_its_conditions_out() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    for kind in ["override", "underride"] {
        alice
            .put(rule(kind, "always"), json!({ "actions": ["notify"] }))
            .await
            .unwrap();
        let made = alice.get(rule(kind, "always")).await.unwrap();
        assert_eq!(
            (&made["conditions"], &made["enabled"]),
            (&json!([]), &json!(true))
        );
    }
    refused(
        alice
            .put(rule("content", "words"), json!({ "actions": [] }))
            .await,
        400,
        "M_BAD_JSON",
    );
}

#[tokio::test]
async fn own_rules_stand_behind_the_master_and_before_the_others_where_they_were_put() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let put = async |id: &str, query: &str| {
        alice
            .put(
                rule("override", id) + query,
                json!({ "actions": [], "conditions": [] }),
            )
            .await
            .unwrap();
    };
    put("one", "").await;
    put("two", "").await;
    put("three", "?after=two").await;
    put("four", "?before=one").await;
    let order = ids(&all(&alice).await, "override");
    let expected = [
        ".m.rule.master",
        "two",
        "three",
        "four",
        "one",
        ".org.matrix.msc4028.encrypted_event",
    ];
    assert_eq!(order[..6], expected);
}

#[tokio::test]
async fn rules_of_threads_can_be_seen_and_switched_but_not_made() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let subscribed = rule("postcontent", ".io.element.msc4306.rule.subscribed_thread");
    assert_eq!(alice.get(&subscribed).await.unwrap()["enabled"], true);
    alice
        .put(subscribed.clone() + "/enabled", json!({ "enabled": false }))
        .await
        .unwrap();
    assert_eq!(alice.get(&subscribed).await.unwrap()["enabled"], false);
    let own = alice
        .put(
            rule("postcontent", "mine"),
            json!({ "actions": [], "conditions": [] }),
        )
        .await;
    refused(own, 400, "M_INVALID_PARAM");
}

#[tokio::test]
async fn only_who_may_can_mention_the_whole_room() {
    let server = TestServer::shared().await;
    let [alice, bob, carol] = server.register(["alice", "bob", "carol"]).await;
    let room = alice.create_room_with(&[&bob, &carol]).await;
    let everybody = json!({ "msgtype": "m.text", "body": "all", "m.mentions": { "room": true } });
    carol
        .send_event(&room, "m.room.message", everybody.clone())
        .await
        .unwrap();
    assert_eq!(counts(&bob, &room).await, (1, 0));
    alice
        .send_event(&room, "m.room.message", everybody)
        .await
        .unwrap();
    assert_eq!(counts(&bob, &room).await, (2, 1));
}

#[tokio::test]
async fn edits_reactions_and_acls_are_silent_calls_and_upgrades_are_not() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let message = alice.send_text(&room, "hello").await.unwrap();
    let edit = json!({
        "msgtype": "m.text", "body": "* hullo", "m.new_content": { "msgtype": "m.text", "body": "hullo" },
        "m.relates_to": { "rel_type": "m.replace", "event_id": message },
    });
    alice.send_event(&room, "m.room.message", edit).await.unwrap();
    let like = json!({ "m.relates_to": { "rel_type": "m.annotation", "event_id": message, "key": "+" } });
    alice.send_event(&room, "m.reaction", like).await.unwrap();
    let acl = json!({ "allow": ["*"], "deny": [] });
    alice
        .set_state(&room, "m.room.server_acl", "", acl)
        .await
        .unwrap();
    assert_eq!(counts(&bob, &room).await, (1, 0));
    let call =
        json!({ "call_id": "1", "version": 0, "lifetime": 1, "offer": { "type": "offer", "sdp": "" } });
    alice.send_event(&room, "m.call.invite", call).await.unwrap();
    assert_eq!(counts(&bob, &room).await, (2, 0));
    let end = json!({ "body": "moved", "replacement_room": "!new:test.example" });
    alice.set_state(&room, "m.room.tombstone", "", end).await.unwrap();
    assert_eq!(counts(&bob, &room).await, (3, 1));
}

#[tokio::test]
async fn rules_for_senders_and_for_properties_are_followed() {
    let server = TestServer::shared().await;
    let [alice, bob, carol] = server.register(["alice", "bob", "carol"]).await;
    let room = alice.create_room_with(&[&bob, &carol]).await;
    bob.put(rule("sender", &carol.id), json!({ "actions": [] }))
        .await
        .unwrap();
    carol.send_text(&room, "quiet").await.unwrap();
    assert_eq!(counts(&bob, &room).await, (0, 0));
    let highlight = json!(["notify", { "set_tweak": "highlight" }]);
    for (id, condition) in [
        (
            "is",
            json!({ "kind": "event_property_is", "key": "content.urgent", "value": true }),
        ),
        (
            "contains",
            json!({ "kind": "event_property_contains", "key": "content.tags", "value": "ops" }),
        ),
        ("unknown", json!({ "kind": "org.example.unknown" })),
    ] {
        let body = json!({ "actions": highlight, "conditions": [condition] });
        bob.put(rule("override", id), body).await.unwrap();
    }
    let send = async |extra: Value| {
        let mut content = json!({ "msgtype": "m.text", "body": "hi" });
        for (name, value) in extra.as_object().unwrap() {
            content[name] = value.clone();
        }
        alice.send_event(&room, "m.room.message", content).await.unwrap();
    };
    send(json!({})).await;
    assert_eq!(counts(&bob, &room).await, (1, 0));
    send(json!({ "urgent": true })).await;
    send(json!({ "tags": ["dev", "ops"] })).await;
    assert_eq!(counts(&bob, &room).await, (3, 2));
    send(json!({ "urgent": "true", "tags": ["opsy"] })).await;
    assert_eq!(counts(&bob, &room).await, (4, 2));
}

#[tokio::test]
async fn a_reaction_to_a_thread_reads_the_thread_and_not_the_room() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let root = alice.send_text(&room, "root").await.unwrap();
    let reply = json!({
        "msgtype": "m.text", "body": "in the thread",
        "m.relates_to": { "rel_type": "m.thread", "event_id": root },
    });
    let reply = alice.send_event(&room, "m.room.message", reply).await.unwrap();
    assert_eq!(counts(&bob, &room).await.0, 2);
    let like = json!({ "m.relates_to": { "rel_type": "m.annotation", "event_id": reply, "key": "+" } });
    bob.send_event(&room, "m.reaction", like).await.unwrap();
    assert_eq!(
        counts(&bob, &room).await.0,
        1,
        "the main timeline is still unread"
    );
}

#[tokio::test]
async fn a_changed_name_and_a_restart_leave_the_counts_as_they_were() {
    let server = TestServer::start().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    for number in 0..3 {
        alice
            .send_text(&room, &format!("message {number}"))
            .await
            .unwrap();
    }
    bob.set_display_name("Bobby").await.unwrap();
    assert_eq!(counts(&bob, &room).await.0, 3);
    server.kill();
    server.restart().await;
    assert_eq!(counts(&bob, &room).await.0, 3);
}
