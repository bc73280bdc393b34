use std::time::Duration;

use echorift_tests::{Look as _, TestServer, refused, v3};
use serde_json::json;

use super::{Client, list, rooms};

/// Longer than any test waits: an answer before it was worth one.
const LONG_MS: u64 = 120_000;

#[tokio::test]
async fn a_poll_wakes_for_what_it_looks_at() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let (aside, room) = (alice.create_public_room().await, alice.create_public_room().await);
    let mut body = json!({ "room_subscriptions": {} });
    body["room_subscriptions"][&room] = json!({ "timeline_limit": 5 });
    let mut client = Client::new(&alice, body);
    client.sync().await;
    let talk = async {
        alice.send_text(&aside, "not here").await.unwrap();
        alice.send_text(&room, "here").await.unwrap();
    };
    let (answer, ()) = tokio::join!(client.wait(LONG_MS), talk);
    assert_eq!(answer["rooms"][&room].bodies("/timeline"), ["here"]);
    assert_eq!(rooms(&answer), [room]);
}

#[tokio::test]
async fn no_message_slips_in_between_two_polls() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let mut client = Client::new(&bob, list(json!({ "timeline_limit": 50 })));
    client.sync().await;
    let talk = async {
        for number in 0..30 {
            alice.send_text(&room, &number.to_string()).await.unwrap();
        }
    };
    let listen = async {
        let mut heard = Vec::new();
        while heard.len() < 30 {
            heard.extend(client.wait(LONG_MS).await["rooms"][&room].bodies("/timeline"));
        }
        heard
    };
    let both = async { tokio::join!(listen, talk).0 };
    let heard = tokio::time::timeout(echorift_tests::PATIENCE, both)
        .await
        .unwrap();
    let expected: Vec<String> = (0..30).map(|number| number.to_string()).collect();
    assert_eq!(heard, expected);
}

#[tokio::test]
async fn without_news_the_answer_comes_at_the_end_of_the_wait() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    alice.create_public_room().await;
    let mut client = Client::of_list(&alice, 5);
    client.sync().await;
    let answer = client.wait(10).await;
    assert_eq!(rooms(&answer), [] as [String; 0]);
    assert_eq!(answer.number("/lists/all/count"), 1);
    // A new connection does not wait, whatever it says.
    client.pos = None;
    client.body = json!({});
    let answer = tokio::time::timeout(Duration::from_secs(60), client.wait(LONG_MS)).await;
    assert!(answer.is_ok());
}

#[tokio::test]
async fn the_end_of_a_session_ends_its_wait() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let phone = alice.on_another_device().await;
    let mut client = Client::new(&phone, list(json!({ "timeline_limit": 1 })));
    client.sync().await;
    let end = async {
        alice.post(v3(["logout", "all"]), json!({})).await.unwrap();
    };
    let (answer, ()) = tokio::join!(client.ask(LONG_MS), end);
    refused(answer, 401, "M_UNKNOWN_TOKEN");
}
