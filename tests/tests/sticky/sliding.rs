use echorift_tests::{Look as _, TestServer, User, refused};
use serde_json::{Value, json};

use crate::{HOUR, bodies, numbers, send_sticky};

const PATH: &str = "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync";
const NAME: &str = "org.matrix.msc4354.sticky_events";

/// A client of sliding sync that follows sticky events.
struct Client<'a> {
    user: &'a User,
    pos: Option<String>,
    body: Value,
}

impl<'a> Client<'a> {
    /// One with a list of all rooms that looks at the first of them.
    fn new(user: &'a User, timeline_limit: usize) -> Self {
        let list = json!({ "ranges": [[0, 0]], "timeline_limit": timeline_limit, "required_state": [] });
        let body = json!({ "lists": { "all": list }, "extensions": { NAME: { "enabled": true } } });
        Self {
            user,
            pos: None,
            body,
        }
    }

    async fn ask(&self, timeout_ms: u64) -> Value {
        let pos = self.pos.as_ref().map(|pos| format!("&pos={pos}"));
        let path = format!("{PATH}?timeout={timeout_ms}{}", pos.unwrap_or_default());
        self.user.post(path, self.body.clone()).await.unwrap()
    }

    /// Goes on from where the answer ends.
    fn take(&mut self, answer: &Value) {
        self.pos = Some(answer.text("/pos").to_owned());
        if let Some(next) = answer["extensions"][NAME]["next_batch"].as_str() {
            self.body["extensions"][NAME]["since"] = next.into();
        }
    }

    async fn sync(&mut self) -> Value {
        let answer = self.ask(0).await;
        self.take(&answer);
        answer
    }
}

fn sticky(answer: &Value, room: &str) -> Vec<String> {
    bodies(&answer["extensions"][NAME]["rooms"][room], "/events")
}

fn timeline(answer: &Value, room: &str) -> Vec<String> {
    bodies(&answer["rooms"][room], "/timeline")
}

#[tokio::test]
async fn sticky_events_come_once_and_beside_the_timeline() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    send_sticky(&alice, &room, "early", HOUR).await;
    alice.send_text(&room, "between").await.unwrap();
    send_sticky(&alice, &room, "late", HOUR).await;
    let mut client = Client::new(&bob, 2);
    let answer = client.ask(0).await;
    assert_eq!(timeline(&answer, &room), ["between", "late"]);
    assert_eq!(sticky(&answer, &room), ["early"]);
    let event = &answer["extensions"][NAME]["rooms"][&room]["events"][0];
    assert!(event.number("/unsigned/msc4354_sticky_duration_ttl_ms") > 0);
    assert!(answer["rooms"][&room]["timeline"][1].number("/unsigned/msc4354_sticky_duration_ttl_ms") > 0);
    client.take(&answer);
    let answer = client.sync().await;
    assert!(answer["extensions"].get(NAME).is_none(), "{answer}");
    // A poll ends with the next one; its answer is lost, and the same question gets all of it.
    let (answer, _) = tokio::join!(client.ask(30_000), async {
        send_sticky(&alice, &room, "next", HOUR).await;
        alice.send_text(&room, "a").await.unwrap();
        alice.send_text(&room, "b").await.unwrap()
    });
    drop(answer);
    let answer = client.sync().await;
    assert_eq!(timeline(&answer, &room), ["a", "b"]);
    assert_eq!(sticky(&answer, &room), ["next"]);
    assert!(client.sync().await["extensions"].get(NAME).is_none());
}

#[tokio::test]
async fn rooms_outside_of_the_window_are_told_of_and_those_of_no_list_are_not() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let outside = alice.create_room_with(&[&bob]).await;
    let inside = alice.create_room_with(&[&bob]).await;
    let mut client = Client::new(&bob, 1);
    client.sync().await;
    send_sticky(&alice, &outside, "unseen", HOUR).await;
    alice.send_text(&inside, "latest").await.unwrap();
    let answer = client.sync().await;
    assert_eq!(sticky(&answer, &outside), ["unseen"]);
    assert!(answer["rooms"].get(&outside).is_none(), "{answer}");
    // A client that follows other rooms only.
    let mut other = Client::new(&bob, 1);
    other.body["lists"]["all"]["filters"] = json!({ "room_types": ["org.example.other"] });
    assert!(other.sync().await["extensions"].get(NAME).is_none());
    other.body["room_subscriptions"] = json!({ &outside: { "timeline_limit": 0, "required_state": [] } });
    assert_eq!(sticky(&other.sync().await, &outside), ["unseen"]);
    // One that does not ask.
    let mut without = Client::new(&bob, 1);
    without.body["extensions"] = json!({});
    assert!(without.sync().await["extensions"].get(NAME).is_none());
}

#[tokio::test]
async fn pages_follow_each_other_as_the_client_wants() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    for body in numbers(0..250) {
        send_sticky(&alice, &room, &body, HOUR).await;
    }
    for (limit, pages) in [
        (None, vec![100, 100, 45]),
        (Some(120), vec![100, 100, 45]),
        (Some(80), vec![80, 80, 80, 5]),
    ] {
        let mut client = Client::new(&bob, 5);
        if let Some(limit) = limit {
            client.body["extensions"][NAME]["limit"] = limit.into();
        }
        let mut told: Vec<Vec<String>> = Vec::new();
        loop {
            let answer = client.sync().await;
            let page = sticky(&answer, &room);
            if page.is_empty() {
                assert!(answer["extensions"].get(NAME).is_none());
                break;
            }
            told.push(page);
        }
        let sizes: Vec<usize> = told.iter().map(Vec::len).collect();
        assert_eq!(sizes, pages);
        assert_eq!(
            told.concat(),
            numbers(0..245),
            "the timeline has shown the last five"
        );
    }
}

#[tokio::test]
async fn who_joins_gets_all_that_sticks_and_ignored_users_do_not() {
    let server = TestServer::shared().await;
    let [alice, bob, mallory] = server.register(["alice", "bob", "mallory"]).await;
    let room = alice.create_public_room().await;
    mallory.join(&room).await.unwrap();
    let closed = json!({ "history_visibility": "joined" });
    alice
        .set_state(&room, "m.room.history_visibility", "", closed)
        .await
        .unwrap();
    let ignored = json!({ "ignored_users": { &mallory.id: {} } });
    bob.set_account_data("m.ignored_user_list", ignored)
        .await
        .unwrap();
    let regretted = send_sticky(&alice, &room, "regretted", HOUR).await;
    send_sticky(&alice, &room, "one", HOUR).await;
    send_sticky(&mallory, &room, "noise", HOUR).await;
    alice.redact(&room, &regretted).await.unwrap();
    let mut client = Client::new(&bob, 20);
    client.sync().await;
    bob.join(&room).await.unwrap();
    let answer = client.sync().await;
    assert!(timeline(&answer, &room).is_empty());
    assert_eq!(sticky(&answer, &room), ["one"]);
    bob.leave(&room).await.unwrap();
    send_sticky(&alice, &room, "two", HOUR).await;
    assert!(client.sync().await["extensions"].get(NAME).is_none());
    bob.join(&room).await.unwrap();
    assert_eq!(sticky(&client.sync().await, &room), ["one", "two"]);
}

#[tokio::test]
async fn a_foreign_token_is_refused() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let mut client = Client::new(&alice, 1);
    for bad in ["", "x", "1", "s1.2", "1-2-x"] {
        client.body["extensions"][NAME]["since"] = bad.into();
        refused(
            alice.post(PATH, client.body.clone()).await,
            400,
            "M_INVALID_PARAM",
        );
    }
}
