use std::collections::HashMap;
use std::time::Duration;

use echorift_tests::{User, v3};
use futures_util::future::join_all;
use serde_json::json;

use crate::service::Service;

/// In so many rooms at once,
const ROOMS: usize = 10;
/// so many messages each.
const MESSAGES: usize = 80;
/// How often the server is killed meanwhile.
const KILLS: usize = 3;

/// Sends all its messages, each until it is acknowledged.
async fn chatter(user: User, room: String) {
    for number in 0..MESSAGES {
        let send = v3([
            "rooms",
            &room,
            "send",
            "m.room.message",
            &format!("{room}-{number}"),
        ]);
        loop {
            let body = json!({ "msgtype": "m.text", "body": number.to_string() });
            match user.put(&send, body).await {
                Ok(_) => break,
                // The server is gone, or going.
                Err(refusal) if refusal.is_no_answer() || refusal.status >= 500 => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Err(refusal) => panic!("{refusal}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_come_once_each_in_order_though_everything_is_killed() {
    let service = Service::start().await;
    let server = service.server(&json!({})).start().await;
    let [alice] = server.register(["alice"]).await;
    let mut rooms = Vec::new();
    for _ in 0..ROOMS {
        let room = alice.create_public_room().await;
        service
            .caller(&server)
            .post(v3(["join", &room]), json!({}))
            .await
            .unwrap();
        rooms.push(room);
    }
    let talk = join_all(
        rooms
            .iter()
            .map(|room| tokio::spawn(chatter(alice.clone(), room.clone()))),
    );
    let told = |service: &Service, part: usize| {
        (service.messages() >= part * ROOMS * MESSAGES / (KILLS + 1)).then_some(())
    };
    let ends = async {
        for kill in 1..=KILLS {
            service.wait_for(|service| told(service, kill)).await;
            service.set_down(true);
            server.kill();
            service.lose_answers(2);
            service.set_down(false);
            server.restart().await;
        }
    };
    let (spoken, ()) = tokio::join!(talk, ends);
    assert!(spoken.iter().all(Result::is_ok));
    service.wait_for(|service| told(service, KILLS + 1)).await;

    let mut by_room: HashMap<String, Vec<usize>> = HashMap::new();
    for event in service.all("events") {
        if event["type"] == "m.room.message" {
            let number = event["content"]["body"].as_str().unwrap().parse().unwrap();
            by_room
                .entry(event["room_id"].as_str().unwrap().to_owned())
                .or_default()
                .push(number);
        }
    }
    let expected: Vec<usize> = (0..MESSAGES).collect();
    for room in rooms {
        assert_eq!(by_room[&room], expected, "each once, in order");
    }
}
