//! Alice joins a room that the peer answers for, and the peer does not answer right.

use echorift_tests::{Answer, Look as _, Peer, PeerEvent, PeerRoom, Reply, TestServer, User, v3};
use serde_json::{Value, json};

use crate::shared;

struct Trap {
    server: TestServer,
    alice: User,
    peer: Peer,
    room: PeerRoom,
    _shared: std::sync::Arc<crate::Shared>,
}

impl Trap {
    async fn set(version: &str) -> Self {
        let shared = shared().await;
        let server = shared.server.for_this_test();
        let [alice] = server.register(["alice"]).await;
        let peer = Peer::start(&shared.authority).await;
        let room = peer.create_room(version, "mallory");
        Self {
            server,
            alice,
            peer,
            room,
            _shared: shared,
        }
    }

    async fn join(&self) -> Answer {
        let via = self.peer.name().replace(':', "%3A");
        let path = v3(["join", &self.room.id]);
        self.alice
            .post(format!("{path}?via={via}&server_name={via}"), json!({}))
            .await
    }

    /// What the peer would say to `send_join`, changed.
    fn answer_join(&self, change: impl Fn(&mut Value) + Send + 'static) {
        let room = self.room.clone();
        self.peer.when("/send_join/", move |heard| {
            let mut answer = room.send_join_answer(&heard.body);
            change(&mut answer);
            Reply::Json(200, answer)
        });
    }

    /// Alice is not in the room, and the server goes on.
    async fn is_escaped(&self, why: &str) {
        let refusal = self.join().await.expect_err(why);
        assert!(refusal.status >= 400, "{why}: {refusal}");
        assert!(
            self.alice.sync_all().await["rooms"]["join"][&self.room.id].is_null(),
            "{why}"
        );
        let own = self.alice.create_public_room().await;
        self.alice.send_text(&own, "elsewhere it goes on").await.unwrap();
    }
}

#[tokio::test]
async fn what_was_said_while_alice_was_joining_does_not_bring_the_past_with_it() {
    let trap = Trap::set("11").await;
    let room = &trap.room;
    // More than is fetched on the way back, so that the way does not end at the creation.
    for number in 0..40 {
        room.append(&room.seal(&room.message("mallory", &format!("past {number}"))));
    }
    let beside = room.seal(&room.message("mallory", "beside the join"));
    trap.join().await.unwrap();
    let since = trap.alice.now().await;
    // Nobody sends it here: it is found as a parent of the next one.
    room.append(&beside);
    let next = room.say(&trap.server, "mallory", "after both").await;
    trap.alice.sees(&room.id, &next.id).await;
    let news = trap.alice.sync_from(&since).await;
    let timeline = format!("/rooms/join/{}/timeline", room.id.replace('/', "~1"));
    let bodies = news.bodies(&format!("{timeline}/events"));
    assert_eq!(bodies, ["beside the join", "after both"], "{news:#}");
}

#[tokio::test]
async fn an_honest_peer_is_joined() {
    for version in ["6", "10", "11", "12"] {
        let trap = Trap::set(version).await;
        for number in 0..5 {
            let event = trap.room.seal(&trap.room.message("mallory", &number.to_string()));
            trap.room.append(&event);
        }
        trap.join().await.unwrap();
        let said = trap.room.say(&trap.server, "mallory", "welcome").await;
        trap.alice.sees(&trap.room.id, &said.id).await;
        let answer = trap.alice.send_text(&trap.room.id, "thank you").await.unwrap();
        echorift_tests::until("the peer gets the event", async || {
            trap.room.knows(&answer).then_some(())
        })
        .await;
        let members = trap
            .alice
            .get(v3(["rooms", &trap.room.id, "joined_members"]))
            .await
            .unwrap();
        assert!(members["joined"][trap.peer.user("mallory")].is_object());
        echorift_tests::until("the history is fetched", async || {
            let history = trap.alice.whole_history(&trap.room.id).await.ok()?;
            let bodies: Vec<_> = history
                .iter()
                .filter_map(|event| event["content"]["body"].as_str())
                .collect();
            bodies.contains(&"0").then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn drafts_of_something_else_are_not_signed() {
    let trap = Trap::set("11").await;
    for (key, value) in [
        ("type", json!("m.room.power_levels")),
        ("state_key", json!(trap.peer.user("mallory"))),
        ("sender", json!(trap.peer.user("mallory"))),
        ("room_id", json!("!another:victim.test")),
        ("content", json!({ "membership": "leave" })),
    ] {
        let room = trap.room.clone();
        let alice = trap.alice.id.clone();
        trap.peer.when("/make_join/", move |_| {
            let mut draft = room.draft(
                &alice,
                "m.room.member",
                Some(&alice),
                &json!({ "membership": "join" }),
            );
            draft[key] = value.clone();
            Reply::Json(200, json!({ "room_version": "11", "event": draft }))
        });
        // Whether the server refuses or puts the draft right: what it signs is alice's join and nothing else.
        let _ = trap.join().await;
        for heard in trap.peer.heard("/send_join/") {
            assert_eq!(heard.body.text("/type"), "m.room.member");
            assert_eq!(heard.body.text("/sender"), trap.alice.id);
            assert_eq!(heard.body.text("/state_key"), trap.alice.id);
            assert_eq!(heard.body.text("/room_id"), trap.room.id);
            assert_eq!(heard.body.text("/content/membership"), "join");
        }
    }
    for version in [json!("99"), json!(11), json!("")] {
        let room = trap.room.clone();
        let alice = trap.alice.id.clone();
        trap.peer.when("/make_join/", move |_| {
            let draft = room.draft(
                &alice,
                "m.room.member",
                Some(&alice),
                &json!({ "membership": "join" }),
            );
            Reply::Json(200, json!({ "room_version": version, "event": draft }))
        });
        trap.is_escaped("a version that nobody knows").await;
    }
}

#[tokio::test]
async fn state_without_a_beginning_is_no_room() {
    let trap = Trap::set("11").await;
    trap.answer_join(|answer| {
        for list in ["state", "auth_chain"] {
            let events = answer[list].as_array_mut().unwrap();
            events.retain(|event| event["type"] != "m.room.create");
        }
    });
    trap.is_escaped("there is no create event").await;
    trap.answer_join(|answer| {
        answer["state"] = json!([]);
        answer["auth_chain"] = json!([]);
    });
    trap.is_escaped("there is nothing").await;
    let elsewhere = trap.peer.create_room("11", "mallory");
    trap.answer_join(move |answer| *answer = elsewhere.send_join_answer(&json!({})));
    trap.is_escaped("it is the state of another room").await;
    trap.peer.when("/send_join/", |_| Reply::Json(200, json!({})));
    trap.is_escaped("the answer is empty").await;
    trap.peer
        .when("/send_join/", |_| Reply::Text("[".repeat(100_000)));
    trap.is_escaped("the answer is nonsense").await;
}

#[tokio::test]
async fn forged_state_is_not_taken() {
    let trap = Trap::set("11").await;
    let mallory = trap.peer.user("mallory");
    // Somebody of another server, and alice herself, whose signatures the peer does not have.
    let oscar = "@oscar:elsewhere.test";
    let forged: Vec<PeerEvent> = [oscar, "@carol:victim.test"]
        .into_iter()
        .map(|user| {
            let draft = trap.room.draft(
                user,
                "m.room.member",
                Some(user),
                &json!({ "membership": "join" }),
            );
            trap.room.seal(&draft)
        })
        .collect();
    // What the rules do not allow: mallory in the room twice over, by nobody's leave.
    let draft = trap.room.draft(
        &mallory,
        "m.room.member",
        Some(&trap.peer.user("eve")),
        &json!({ "membership": "join" }),
    );
    let unlawful = trap.room.seal(&draft);
    let added: Vec<Value> = forged
        .iter()
        .chain([&unlawful])
        .map(|event| event.json.clone())
        .collect();
    trap.answer_join(move |answer| {
        answer["state"].as_array_mut().unwrap().extend(added.clone());
    });
    // The server may refuse the whole answer or leave out what is wrong in it.
    if trap.join().await.is_ok() {
        let members = trap
            .alice
            .get(v3(["rooms", &trap.room.id, "joined_members"]))
            .await
            .unwrap();
        let mut joined: Vec<&String> = members["joined"].as_object().unwrap().keys().collect();
        let mut expected = [&mallory, &trap.alice.id];
        joined.sort();
        expected.sort();
        assert_eq!(joined, expected);
        let said = trap.room.say(&trap.server, "mallory", "welcome").await;
        trap.alice.sees(&trap.room.id, &said.id).await;
    }
}

#[tokio::test]
async fn state_with_changed_content_is_redacted() {
    let trap = Trap::set("11").await;
    let name = trap.room.seal(&trap.room.draft(
        "mallory",
        "m.room.name",
        Some(""),
        &json!({ "name": "Friends" }),
    ));
    trap.room.append(&name);
    trap.answer_join(|answer| {
        for event in answer["state"].as_array_mut().unwrap() {
            if event["type"] == "m.room.name" {
                event["content"]["name"] = json!("Enemies");
            }
        }
    });
    if trap.join().await.is_ok() {
        let content = trap
            .alice
            .state(&trap.room.id, "m.room.name", "")
            .await
            .unwrap_or_default();
        assert_ne!(content["name"], "Enemies");
    }
}

#[tokio::test]
async fn backfill_without_end_ends() {
    let trap = Trap::set("11").await;
    trap.join().await.unwrap();
    let room = trap.room.clone();
    trap.peer.when("/backfill/", move |_| {
        let events: Vec<Value> = (0..100)
            .map(|_| {
                let mut draft = room.message("mallory", &echorift_tests::fresh("history"));
                draft["depth"] = json!(1);
                draft["prev_events"] = json!([format!("${:A>43}", rand::random::<u32>())]);
                room.seal(&draft).json
            })
            .collect();
        Reply::Json(
            200,
            json!({ "origin": "x", "origin_server_ts": 1, "pdus": events }),
        )
    });
    // One page takes bounded work, whatever there is.
    for _ in 0..3 {
        let page = trap
            .alice
            .messages(&trap.room.id, "dir=b&limit=100")
            .await
            .unwrap();
        assert!(page.list("/chunk").len() <= 100);
    }
    let asked = trap.peer.heard("/backfill/").len();
    assert!(asked < 100, "{asked} times");
    let said = trap.room.say(&trap.server, "mallory", "that was long").await;
    trap.alice.sees(&trap.room.id, &said.id).await;
}
